"""Every write of a small sweep fails in turn, and the next run finds what an undisturbed one finds.

`pytest -s` prints how many operations there were and how often they failed.
"""

import errno
import json
import os
import re
import signal
from collections import Counter
from dataclasses import replace

import pytest
from conftest import load_script
from drawn import Noise, setting_of, with_method
from faults import faulty
from PIL import Image
from safetensors import safe_open
from tabled import laid_out

from evaluation import whole_files
from evaluation.data import Folder, Words
from evaluation.run.job import label
from evaluation.run.output import OutputOptions
from evaluation.run.save_images import ImageWriter
from evaluation.run.save_predictions import PredictionWriter
from evaluation.run.sweep import run_sweep
from evaluation.tables.render import write_sheet
from evaluation.tables.sheet import make_sheet
from gem.methods import Gem
from gem.patches import Patches

FAULTS = {"error": (errno.ENOSPC, errno.EIO), "kill": (None,)}
TURN = 7  # operations until the next error: a file has six, so that each of them meets both
INCIDENTAL = ("cost", "created")  # of a record
SAID = r"(cannot write {folder}/\S+|(output|labels)={folder}\S*: cannot write there): {reason}"


@pytest.fixture(scope="module", autouse=True)
def _encoded_once():
    """The model is not what is tested, and takes most of the time."""
    known, encode = {}, Patches.encode_together

    def call(self, segmenters, images, *, windows):
        key = (tuple(segmenters), images.numpy().tobytes())
        if key not in known:
            known[key] = encode(self, segmenters, images, windows=windows)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patches, "encode_together", call)
        yield


@pytest.fixture(scope="module")
def settings(small):
    setting = setting_of(small, dataset=Noise(order=(0, 3)), batch_size=1, workers=0)
    return [with_method(setting, Gem(iters=iters)) for iters in (0, 1)]


@pytest.fixture(scope="module")
def sheet():
    return make_sheet(*laid_out("4", "dataset=toy"))


@pytest.fixture(scope="module")
def jobs(settings, sheet, tmp_path_factory):
    """What is run, by name: a function of the folder that it writes below."""
    records = tmp_path_factory.mktemp("recorded")
    run_sweep(settings, records)
    listing = load_script("records").listing
    image = tmp_path_factory.mktemp("photos") / "a.png"
    Image.new("RGB", (40, 40)).save(image)
    photos = replace(settings[0], dataset=Folder(root=str(image.parent)))
    photos = replace(photos, vocabulary=Words(words=("dog", "a photo of a house")))

    def sweep(folder):
        writer = PredictionWriter(folder / "saved", "predictions")
        found = run_sweep(settings, folder / "records", save_every=0, writer=writer)
        return [one.error for one in found if one.error]

    def scores(folder):
        writer = PredictionWriter(folder / "saved", "scores")
        one = replace(settings[0], limit=1)
        found = run_sweep([one], folder / "records", writer=writer)
        return [one.error for one in found if one.error]

    def images(folder):
        writer = ImageWriter(folder / "records")
        one = replace(settings[0], limit=1)
        found = run_sweep([one], folder / "records", save_every=0, writer=writer, force=True)
        return [one.error for one in found if one.error]

    def tables(folder):
        listing([], {"folder": records, "csv": folder / "all.csv", "sort": "created"})
        write_sheet(sheet, folder / "tables")

    def labels(folder):
        label(photos, OutputOptions(output="none", labels=str(folder / "labels")))

    return {
        "sweep": sweep, "scores": scores, "images": images, "tables": tables, "labels": labels,
    }  # fmt: skip


@pytest.fixture
def run(jobs, tmp_path, monkeypatch):
    """Run a job as a new process would, below a folder of its own; what failed, and the faults."""

    def call(job, name, at=None, fault=None):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        monkeypatch.setenv("GEM_CACHE", str(folder / "cache"))
        whole_files._tidy_once.cache_clear()
        failed = []
        with faulty(folder, at, fault) as faults:
            try:
                failed = jobs[job](folder) or []
            except OSError as error:
                failed = [str(error)]
        return failed, faults

    return call


def content_of(folder):
    """What is in the files of a run that others read, by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_hidden(path, folder):
            content = path.read_bytes()
            if path.parent.name == "records" and path.suffix == ".json":
                record = json.loads(content)
                content = {name: record[name] for name in record if name not in INCIDENTAL}
            if path.suffix == ".safetensors":  # its metadata have no order
                with safe_open(path, "np") as file:
                    content = file.metadata(), file.get_tensor("text").tobytes()
            found[path.relative_to(folder).as_posix()] = content
    return found


def is_hidden(path, folder):
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def hidden(folder):
    return [path for path in folder.rglob("*") if path.is_file() and is_hidden(path, folder)]


def check_next_run(run, job, name, folder, whole):
    """What is there is whole, and the next run leaves what an undisturbed one leaves."""
    left = content_of(folder)
    assert {path: whole[path] for path in left} == left  # nothing half written has a name
    for part in folder.rglob(".gem-*.part"):
        os.utime(part, (1, 1))  # an hour later
    failed, _ = run(job, name)
    assert failed == []
    assert content_of(folder) == whole
    assert hidden(folder) == []


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("job", ["sweep", "scores", "images", "tables", "labels"])
def test_every_operation(job, kind, run, tmp_path, capsys):
    failed, clean = run(job, "whole")
    assert failed == []
    whole, runs, silent = content_of(tmp_path / "whole"), 0, Counter()
    for at, operation in enumerate(clean.done):
        if kind == "kill" and clean.done[at - 1] == "fsync":
            continue  # which changes nothing that is read: this disk was there one operation before
        folder, fault = tmp_path / str(at), FAULTS[kind][at // TURN % len(FAULTS[kind])]
        failed, faults = run(job, str(at), at, fault)
        assert faults.done[: at + 1] == clean.done[: at + 1]
        for sentence in failed:
            assert re.fullmatch(SAID.format(folder=folder, reason=os.strerror(fault)), sentence)
        silent[operation] += not failed
        runs += 1
        assert kind == "kill" or not list(folder.rglob(".gem-*.part"))
        check_next_run(run, job, str(at), folder, whole)
    capsys.readouterr()
    operations = f"{len(clean.done)} operations, {dict(Counter(clean.done))}"
    print(f"{job}: {runs} runs with one {kind}, {operations}; ended well {dict(+silent)}")


FORKS = 8


def test_real_kills(run, tmp_path, capsys):
    """As above, but the process is one, and does not come back."""
    _, clean = run("sweep", "whole")
    whole, count = content_of(tmp_path / "whole"), len(clean.done)
    for at in range(3, count, count // FORKS):
        if not (child := os.fork()):
            signal.alarm(60)
            run("sweep", str(at), at, "exit")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 9
        check_next_run(run, "sweep", str(at), tmp_path / str(at), whole)
    capsys.readouterr()
