"""What is in records, files and overrides is printed as it is."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from drawn import setting_of

from evaluation.console import console
from evaluation.data import ToyPoints
from evaluation.run.job import run
from evaluation.run.sweep import Outcome
from evaluation.terminal.record_table import frame_table, readings_table, show
from evaluation.terminal.sweep_table import SweepRow, show_sweep

EVIL = "[red]x[/y]\x1b[2J\x07\r\u202e:cat:"
SHOWN = r"[red]x[/y]\x1b[2J\x07\r\u202e:cat:"


@pytest.fixture(scope="module")
def record(small, tmp_path_factory):
    """A record whose texts are all hostile."""
    data = ToyPoints(scenes=2, size=40)
    found = run(setting_of(small, dataset=data), tmp_path_factory.mktemp("one")).record
    return replace(
        found,
        key=EVIL,
        names=dict.fromkeys(found.names, EVIL),
        titles=dict.fromkeys(found.titles, EVIL),
        model=dict.fromkeys(found.model, EVIL),
        warnings=[EVIL],
    )


@pytest.fixture
def said(capsys, monkeypatch):
    """What a function prints, without the lines of tables."""
    monkeypatch.setattr(console, "width", 2000)

    def call(function, *given):
        function(*given)
        text = capsys.readouterr().out
        assert not {"\x1b", "\x07", "\r", "\u202e", "\N{CAT}"} & set(text)
        return text

    return call


def test_a_record(record, said):
    text = said(show, [record], [Path("/x[bold]") / EVIL])
    title, _, head, _, row, _, *rest = text.splitlines()
    assert title == f"{SHOWN}, 2 images, protocol {SHOWN} (%)"
    assert SHOWN in head
    assert row.count(SHOWN) == 4  # method and options, model and weights
    assert rest[0] == f"p-mIoU of {SHOWN} {SHOWN} in every reading, the headline in bold (%)"
    assert rest[-2:] == [f"note: {SHOWN}", f"record: /x[bold]/{SHOWN}"]


def test_the_headline_stays_bold(record):
    cells = [cell for column in readings_table(record).columns for cell in column.cells]
    assert [getattr(cell, "style", "") for cell in cells].count("bold") == 1


def test_a_sweep(record, said):
    outcome = Outcome(None, record, Path("/x") / EVIL / "a.json", None, skipped=False)
    rows = [
        SweepRow((f"a={EVIL}", f"b={EVIL}"), outcome, None),
        SweepRow((f"a={EVIL}", f"c={EVIL}"), None, EVIL),
    ]
    text = said(show_sweep, rows)
    assert text.startswith(f"a={SHOWN} (%)\n")
    assert f"b={SHOWN}" in text
    assert text.splitlines()[-4:] == [
        f"note: {SHOWN}",
        f"records: /x/{SHOWN} (1 of this sweep)",
        "1 of 2 settings failed:",
        f"  c={SHOWN}: {SHOWN}",
    ]


def test_many_records(said):
    names = ("dataset", "method", "options", "model", "weights", "protocol", "images", "key")
    frame = pd.DataFrame([dict.fromkeys(names, EVIL) | {"miou": 1.0}] * 2)
    frame.attrs["titles"] = {"miou": EVIL}
    text = said(lambda: console.print(frame_table(frame)))
    title, _, head, _, row, *_ = text.splitlines()
    assert title.count(SHOWN) == 5
    assert SHOWN in head
    assert row.count(SHOWN) == 3
