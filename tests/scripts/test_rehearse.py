"""The full-size rehearsal, small: files in official layouts, read, evaluated, and told apart."""

import json
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import REPOSITORY, load_script
from official import HEADER
from PIL import Image
from scipy.io import loadmat

from evaluation.data.mask_files import read_mask
from evaluation.prepare.layout import build
from evaluation.prepare.manifest import read_manifest
from evaluation.records.record import read_records

NAMES = ("voc", "context", "ade20k", "coco_stuff", "openimages")
COUNT = 3
QUICK = ("short_side=64", "workers=1")
SMALL = {"voc": 198, "context": 2, "ade20k": 130, "coco_stuff": 8, "openimages": 183}
"""Seeds by which three images are small."""


@pytest.fixture(autouse=True)
def _parts(monkeypatch):
    """The parts of the script lie beside it, where Python looks when it is run."""
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")


@pytest.fixture
def rehearse(tmp_path, monkeypatch):
    """The command, in an empty folder, with the folder that it writes into."""
    script, root = load_script("rehearse"), tmp_path / "root"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*words):
        script.main([f"root={root}", *words])
        return root

    return run


def planned(name, root, count=COUNT, seed=0):
    from rehearsal import folder, make

    dataset = make.under(build(name, root), root)
    return make.plan(folder.Wanted(name, count, seed), dataset)


def written(root):
    """The drawn files of a root and their bytes."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {
        path.relative_to(root): path.read_bytes()
        for path in files
        if path.relative_to(root).parts[0] not in {"rehearsal", "manifests"}
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_made_verified_and_evaluated(rehearse, name, capsys):
    root = rehearse(f"dataset={name}", f"count={COUNT}", f"seed={SMALL[name]}", *QUICK)
    said = capsys.readouterr().out
    assert f"{name}: {COUNT} images below" in said
    assert "MB are to be written" in said
    assert "stand-in" in said
    assert read_manifest(root, name).images == COUNT
    assert list(Path().iterdir()) == []  # nothing is written but below the root
    check_record(root, name)
    check_report(root)


def check_record(root, name):
    """No table, no rerun and no reader can take it for one of the data set."""
    ((record, path),), others = read_records(root / "rehearsal" / "records")
    assert (record.names["dataset"], record.names["title"]) == (f"rehearsal_{name}", "stand-in")
    assert path.name.startswith(f"rehearsal_{name}-stand_in-")
    assert record.warnings[0].startswith("REHEARSAL: drawn images")
    assert record.images == COUNT
    assert others == []
    assert not list((root / "rehearsal" / "records").glob(".*"))  # the state is gone


def check_report(root):
    report = json.loads((root / "rehearsal" / "report-local.json").read_text("utf-8"))
    assert report["what"].startswith("a rehearsal with drawn images")
    assert report["segmenter"] == "stand-in"
    assert "scores" not in json.dumps(report)
    found = report["pass"]
    assert len(found["memory"]) == 10
    assert found["images"] == report["made"]["images"] == COUNT
    assert 0 < found["first_image"] < 60
    assert min(found["images_per_second"], found["state"], found["record"], found["merge"]) > 0
    assert [one["workers"] for one in report["reading"]] == [1, 2, 4, 8]


def test_again_nothing_is_drawn_and_the_counts_are_the_same(rehearse, capsys):
    words = ("dataset=ade20k", f"count={COUNT}", f"seed={SMALL['ade20k']}", *QUICK)
    root = rehearse(*words)
    before, report = written(root), json.loads((root / "rehearsal/report-local.json").read_text())
    capsys.readouterr()
    rehearse(*words, "batch_size=2", "keep=false")
    assert "verified before" in capsys.readouterr().out
    again = json.loads((root / "rehearsal/report-local.json").read_text())
    assert again["made"]["written"] == 0
    assert again["made"]["verify"] is None
    assert again["pass"]["counts"] == report["pass"]["counts"]
    assert len(before) == 2 * COUNT + 1  # the mark
    assert list(written(root)) == [Path("rehearsal.json")]


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_bytes_and_no_two_files_are_equal(name, tmp_path):
    from rehearsal import make

    found = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        make.make(planned(name, tmp_path / place, count=4, seed=seed))
        found.append(written(tmp_path / place))
    first, again, other = found
    assert first == again
    assert sorted(first.values()) != sorted(other.values())
    assert len(set(first.values())) == len(first)
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "a").rglob("*.jpg"))


def test_what_was_killed_goes_on(tmp_path, monkeypatch):
    from rehearsal import make

    make.make(planned("ade20k", tmp_path / "whole"))
    real, left = make._write, [4]

    def fails(file):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("the disk is full")
        real(file)

    monkeypatch.setattr(make, "_write", fails)
    with pytest.raises(OSError, match="the disk is full"):
        make.make(planned("ade20k", tmp_path / "part"))
    monkeypatch.setattr(make, "_write", real)
    assert len(written(tmp_path / "part")) == 5
    assert make.make(planned("ade20k", tmp_path / "part")) == 2
    assert written(tmp_path / "part") == written(tmp_path / "whole")


def test_files_are_stored_as_the_sets_store_them(tmp_path):
    from rehearsal import make

    for name in NAMES:
        make.make(planned(name, tmp_path))
    stored = {
        "voc": next((tmp_path / "VOCdevkit/VOC2012/SegmentationClass").glob("*.png")),
        "ade20k": next((tmp_path / "ADEChallengeData2016/annotations/validation").glob("*.png")),
        "coco_stuff": next((tmp_path / "coco/stuffthingmaps/val2017").glob("*.png")),
    }
    for name, path in stored.items():
        with Image.open(path) as mask:
            assert mask.mode == ("P" if name == "voc" else "L")
            if name == "voc":
                assert mask.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    assert {0, 255} < set(np.unique(read_mask(stored["voc"])))
    mat = next((tmp_path / "VOCdevkit/VOC2010/context/trainval").glob("*.mat"))
    labels = loadmat(mat)["LabelMap"]
    assert labels.dtype == np.uint16
    with Image.open(tmp_path / f"VOCdevkit/VOC2010/JPEGImages/{mat.stem}.jpg") as image:
        assert labels.shape == (image.height, image.width)
    points = (tmp_path / "openimages/oidv7-val-annotations-point-labels.csv").read_text().split()
    assert points[0] == ",".join(HEADER)
    names = tmp_path / "openimages/oidv7-class-descriptions.csv"
    assert len(names.read_text().splitlines()) == 5827 + 1


def test_the_whole_split_would_be_drawn(tmp_path):
    found = planned("voc", tmp_path, count=None)
    assert len(found.ids) == 1449
    assert set(found.chosen) == set(found.drawings)
    assert 60 < len(found.drawings) < 70
    assert 100e6 < found.size() < 250e6  # VOCtrainval_11-May-2012.tar has 117 kB an image


OBSTACLES = {
    "dataset: expected one of voc, context": (),
    "dataset=cifar: expected one of voc, context": ("dataset=cifar",),
    "count=0: expected a whole number, 1 or more": ("dataset=voc", "count=0"),
    "count=9999: the split of voc has 1449 images": ("dataset=voc", "count=9999"),
    "output=x: no such key": ("dataset=voc", "output=x"),
    "dataset.root=x: no such key": ("dataset=voc", "dataset.root=x"),
    "method=gem: the segmenter": ("dataset=voc", "method=gem"),
}


@pytest.mark.parametrize("sentence", OBSTACLES)
def test_a_mistake_is_said_before_anything_is_written(rehearse, sentence):
    with pytest.raises(ValueError) as told:
        rehearse(*OBSTACLES[sentence])
    assert str(told.value).startswith(sentence)
    assert not (Path().absolute().parent / "root").exists()


def test_a_folder_of_others_is_left_alone(rehearse, tmp_path):
    root = tmp_path / "root"
    (root / "VOCdevkit").mkdir(parents=True)
    with pytest.raises(ValueError, match="it has VOCdevkit, which no rehearsal has made there"):
        rehearse("dataset=voc", "count=2")
    (root / "rehearsal.json").write_text("[]")
    with pytest.raises(ValueError, match=r"it has VOCdevkit, which no"):
        rehearse("dataset=voc", "count=2")
    shutil.rmtree(root)
    root.write_text("a file")
    with pytest.raises(ValueError, match="it is a file, expected a folder"):
        rehearse("dataset=voc", "count=2")
    assert root.read_text() == "a file"


def test_a_root_is_of_one_rehearsal(rehearse, tmp_path):
    from rehearsal import make

    make.make(planned("voc", tmp_path / "root", count=2))
    with pytest.raises(ValueError, match="the rehearsal of dataset=voc count=2 seed=0, expected"):
        rehearse("dataset=voc", "count=3")
    with pytest.raises(ValueError, match="it has VOCdevkit, which no rehearsal"):
        rehearse("dataset=ade20k", "count=2")
    (tmp_path / "root" / "mine.txt").touch()
    with pytest.raises(ValueError, match=r"it has mine\.txt"):
        rehearse("dataset=voc", "count=2")


def test_a_full_disk_is_said_first(rehearse, tmp_path, monkeypatch):
    usage = namedtuple("Usage", "total used free")  # noqa: PYI024 as shutil's
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1000))
    with pytest.raises(OSError, match=r"root: 0\.\d MB are needed, and 0\.0 MB are free; say"):
        rehearse("dataset=voc", "count=2")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("changes", [{"lost_every": None}, {"workers": 3, "lost_every": 9.0}])
def test_simulated_chunks_are_counted_once(seed, changes):
    from rehearsal.simulate import Cluster, Simulation
    from rehearsal.simulated import passes_of

    cluster = Cluster(**{"replaced": 5.0, **changes})
    passes = passes_of(["voc", "ade20k"], 2, cluster, seed)
    found = Simulation(passes, cluster, seed).run()
    assert found.chunks == 2 * (23 + 32)
    assert (found.twice, found.never, found.given_up) == (0, 0, 0)
    assert found.makespan >= found.ideal
    assert 0 <= found.idle < 1
    assert (found.lost > 0) == (cluster.workers == 3)


def test_steady_workers_come_near_to_the_ideal():
    from rehearsal.simulate import Cluster, Simulation

    cluster = Cluster(workers=4, slow_every=100, spread=0.1, lost_every=None)
    found = Simulation({"a": [1.0] * 100}, cluster, seed=0).run()
    assert (found.ideal, found.makespan, found.idle) == (25.0, 25.0, 0.0)


def test_a_pass_that_takes_workers_with_it_is_given_up():
    from rehearsal.simulate import Cluster, Simulation

    cluster = Cluster(workers=2, lost_every=0.01, replaced=0.01)
    found = Simulation({"a": [1000.0] * 2}, cluster, seed=0).run()
    assert (found.given_up, found.never, found.twice) == (1, 2, 0)


def test_states_of_chunks_add_up_to_that_of_the_pass():
    from rehearsal.states import split

    whole = {"matrix": torch.arange(12).reshape(3, 4), "rows": torch.arange(35).reshape(7, 5)}
    fresh = {"matrix": torch.zeros(3, 4), "rows": torch.zeros(0, 5)}
    parts = split(whole, fresh, 5)
    assert len(parts) == 5
    assert torch.equal(sum(part["matrix"] for part in parts), whole["matrix"])
    assert torch.equal(torch.cat([part["rows"] for part in parts]), whole["rows"])


def test_operations_are_those_of_the_literature():
    """Tokens and widths by hand: 785 of 768 in 12 blocks, four of GEM."""
    from rehearsal.cost import SUITE, operations, seconds, whole

    assert operations(448, 448, "B/16") == pytest.approx(205e9, rel=0.01)
    assert operations(448, 592, "B/16") == pytest.approx(300e9, rel=0.01)
    assert operations(448, 448, "L/14") == pytest.approx(834e9, rel=0.01)
    assert sum(one.images for one in SUITE) == 25_606
    parts = seconds(SUITE)
    assert whole(parts, 64) < whole(parts, 8) < whole(parts, 1)


def test_both_tables_are_printed(rehearse, capsys, monkeypatch):
    from rehearsal import simulated

    monkeypatch.setattr(simulated, "RUNS", 1)
    monkeypatch.setattr(simulated, "BACKBONES", 1)
    rehearse("simulate=true", "cost=true")
    said = capsys.readouterr().out
    assert "simulated 1 times" in said
    assert "computed, not measured" in said
