"""Records that were made by anyone: read, listed, compared, reported, run again."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from drawn import setting_of
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, REFUSED, Given, answer, as_json, changed, edited, fuzzed
from reported import record

from evaluation.console import console
from evaluation.records.checked import check_setting, find_record
from evaluation.records.flatten import ablation, row
from evaluation.records.image_counts import (
    ImageCounts,
    margins,
    read_image_counts,
    write_image_counts,
)
from evaluation.records.query import read_frame, select, sort
from evaluation.records.rebuild import rebuild
from evaluation.records.record import read_record, read_records
from evaluation.records.warnings import warnings_of
from evaluation.report.entry import read_entries
from evaluation.report.page import Content, render
from evaluation.run.rerun import differences
from evaluation.run.rerun import setting_of as setting_again
from evaluation.setting import Setting
from evaluation.setting.identity import describe, fingerprint
from evaluation.terminal.record_table import frame_table, show

WHOLE = record()


@pytest.fixture(scope="module")
def plain(small):
    """A setting whose parts can be built again."""
    from evaluation.data import Toy

    return setting_of(small, dataset=Toy(scenes=3, size=48))


@pytest.fixture(scope="module")
def records(tmp_path_factory, plain):
    """A folder with one good record, and the tree of another."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "good.json").write_text(json.dumps(asdict(record(key="f" * 12))))
    tree = asdict(replace(WHOLE, setting=describe(plain)))
    return Given((folder, json.loads(json.dumps(tree))))


def use(folder):
    """All that is done with a folder of records; what must hold of each that was read."""
    found, others = read_records(folder)
    frame, _ = read_frame(folder)
    with console.capture():
        console.print(frame_table(sort(select(frame, ["images>0"]), "-created")))
        show([one for one, _ in found], [path for _, path in found])
    frame.to_csv(index=False)
    ablation([one for one, _ in found])
    entries, _ = read_entries(folder)
    render(Content(entries=entries, unread=others))
    return [one for one, _ in found], others


def read_changed(records, content):
    folder, _ = records
    (folder / "other.json").write_bytes(content)
    found = answer(lambda: use(folder))
    assert found is not REFUSED, "one odd record takes the good one with it"
    read, others = found
    assert "f" * 12 in {one.key for one in read} or "f" * 12 in content.decode(errors="replace")
    assert [name.partition(":")[0] for name in others] in ([], ["other.json"])
    for one in read:
        for value in [*one.scores.values(), *one.per_class.values()]:
            assert value is None or (math.isfinite(value) and 0 <= value <= 1)
        assert one.images_per_second is None or math.isfinite(one.images_per_second)
        assert all(not isinstance(value, float) or math.isfinite(value) or math.isnan(value)
                   for value in row(one).values())  # fmt: skip


@fuzzed(share=0.4, changes=CHANGES)
def test_records_of_another_shape(changes, records):
    read_changed(records, as_json(changed(records[1], changes)))


@fuzzed(share=0.4, edits=EDITS)
def test_records_of_other_bytes(edits, records):
    read_changed(records, edited(json.dumps(records[1]).encode(), edits))


@fuzzed(changes=CHANGES)
def test_settings_of_records(changes, records):
    """A record may build options of ours and call nothing else."""
    path = records[0] / "again.json"
    path.write_bytes(as_json({**records[1], "setting": changed(records[1]["setting"], changes)}))

    def again():
        one = read_record(path)
        setting = setting_again(one, {"dataset.root": "x"} if "root" in str(changes) else {})
        differences(one, WHOLE)
        return setting

    found = answer(again)
    path.unlink()
    if found is not REFUSED:
        assert isinstance(found, Setting)


@fuzzed(changes=CHANGES)
def test_descriptions(changes, records):
    answer(lambda: rebuild(changed(records[1]["setting"], changes)))


@fuzzed(changes=CHANGES)
def test_a_record_in_the_place_of_ones_own(changes, records, plain):
    """run.py looks for the record of its setting: what is no valid one is evaluated again."""
    checked = check_setting(plain)
    tree = {**records[1], "key": checked.key, "hashes": dict(checked.hashes)}
    path = records[0] / checked.file_name
    path.write_bytes(as_json(changed(tree, changes)))
    found = answer(lambda: find_record(checked, records[0]))
    path.unlink()
    assert found is not REFUSED
    assert found is None or (found.key, found.hashes) == (checked.key, checked.hashes)


FILTERS = st.lists(st.sampled_from(
    ["dataset", "miou", "images", "method", ".", "=", "!=", "<", ">", "<=", "voc", "*", "?", "[",
     ",", "nan", "1e999", "-", "\n", " ", "\0", "é", "("]), max_size=6).map("".join)  # fmt: skip


@fuzzed(filters=st.lists(FILTERS, max_size=2), by=FILTERS)
def test_filters_and_orders(filters, by, records):
    folder, _ = records
    (folder / "other.json").unlink(missing_ok=True)
    answer(lambda: sort(select(read_frame(folder)[0], filters), by))


IDS = ("a", "b", "c")
BY_IMAGE = np.random.default_rng(0).integers(0, 9, (3, 2, 2, 2))  # matrices of three images
COUNTED = record(
    images=3,
    counts={"matrix": BY_IMAGE[:, 0].sum(axis=0).tolist(), "heatmap": [[3, 6], [0, 9]]},
    hashes=WHOLE.hashes | {"samples": fingerprint(list(IDS))},
)


@pytest.fixture(scope="module")
def by_image(tmp_path_factory):
    """The file of counts by image of a record, and what it holds."""
    path = tmp_path_factory.mktemp("images") / "x.images.npz"
    matrix = np.stack([margins(one) for one in BY_IMAGE[:, 0]])
    heatmap = np.repeat([[[1, 2], [0, 3]]], 3, axis=0)
    counts = ImageCounts(IDS, {"matrix": matrix, "heatmap": heatmap})
    write_image_counts(counts, COUNTED, path)
    return Given((path, path.read_bytes(), counts))


@fuzzed(edits=EDITS)
def test_counts_by_image_of_other_bytes(edits, by_image):
    """Whatever is read sums to the record."""
    path, content, counts = by_image
    path.write_bytes(edited(content, edits))
    found = answer(lambda: read_image_counts(COUNTED, path), "x.images.npz")
    if found is not REFUSED:
        assert found.ids == IDS
        for name, array in counts.arrays.items():
            assert (found.arrays[name].sum(axis=0) == array.sum(axis=0)).all()


TUNED = {"dataset": "toy", "ids": ["0", "1"], "trials": [{"miou": 0.5, "curve": [0.1]}]}


@fuzzed(changes=CHANGES)
def test_tuned_files(changes, plain, tmp_path_factory):
    path = Path(tmp_path_factory.getbasetemp()) / "tuned.json"
    path.write_bytes(as_json(changed(TUNED, changes)))
    protocol = replace(plain.protocol, tuned=str(path))
    answer(lambda: warnings_of(replace(plain, protocol=protocol)), "tuned.json")
