"""A record with every node of its tree replaced: refused in a sentence, or read by all readers."""

import copy
import io
import json
import re

import pytest
from reported import committed
from rich.console import Console

from evaluation.records.query import read_frame, select, sort
from evaluation.records.record import read_record, read_records
from evaluation.records.spreadsheet import frame_csv
from evaluation.report.entry import origin, read_entries
from evaluation.report.page import Content, render
from evaluation.run.rerun import setting_of
from evaluation.tables.fill import recorded
from evaluation.terminal.record_table import frame_table

VALUES = [
    None, True, -1, 10**18, "=1+1", "\x1b[31m\n[/red]<img src=x onerror=alert(1)>", "../../x",
    [[1], [2, 3]], {"_target_": 5}, {"_target_": "gem.Gem"}, {"a": {}},
]  # fmt: skip


def places(value, above=()):
    """Every node of a tree of JSON, but the tree itself."""
    if isinstance(value, dict | list):
        for name in value if isinstance(value, dict) else range(len(value)):
            yield (*above, name)
            yield from places(value[name], (*above, name))


def mutants():
    """The record with each node replaced by each value, if it is read; else the reason."""
    whole = committed()
    for place in places(whole):
        for value in VALUES:
            owner = whole
            for name in place[:-1]:
                owner = owner[name]
            before, owner[place[-1]] = owner[place[-1]], value
            yield place, copy.deepcopy(whole)
            owner[place[-1]] = before


def refusal(function, *given):
    """The sentence that a function refuses its arguments with; None if it takes them."""
    try:
        function(*given)
    except ValueError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def survivors(tmp_path_factory):
    """A folder of the mutants that are records, each with a key of its own; and how many are not.

    Each of the others ends in one sentence that names its file.
    """
    folder, refused = tmp_path_factory.mktemp("mutants"), 0
    for number, (place, content) in enumerate(mutants()):
        path = folder / f"{number}.json"
        if place != ("key",):
            content["key"] = f"{number:012x}"
        path.write_text(json.dumps(content), encoding="utf-8")
        if said := refusal(read_record, path):
            assert said.startswith(f"{path} is not a record: ")
            assert re.fullmatch(r"[ -~]{1,300}", said.removeprefix(str(folder))), place
            refused += 1
            path.unlink()
    return folder, refused


def test_most_mutants_are_refused(survivors):
    folder, refused = survivors
    left = len(list(folder.iterdir()))
    assert refused > 400
    assert left > 100  # options of a setting are whatever its classes take
    assert len(read_records(folder)[0]) == left


def test_every_reader_reads_every_mutant_that_is_left(survivors):
    folder, _ = survivors
    frame, others = read_frame(folder)
    assert others == []
    assert frame_csv(sort(select(frame, ["images>0"]), "-miou"))
    Console(file=io.StringIO()).print(frame_table(frame))
    entries, unread = read_entries(folder)
    assert len(entries) == len(frame)
    for entry in entries:  # what the page asks of each; a page of a thousand would take a while
        assert "".join(map(str, [entry.rank, entry.parts, entry.classes, *origin(entry)])).encode()
    assert render(Content(entries=entries[::12], unread=unread)).encode()
    assert recorded([], folder) == {}


def test_a_mutant_is_run_again_or_refused(survivors):
    folder, _ = survivors
    said = [refusal(setting_of, record, {}) for record, _ in read_records(folder)[0]]
    assert said.count(None) > 20
    assert all(re.fullmatch(r".{1,300}", one) for one in said if one is not None)
