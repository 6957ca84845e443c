"""Whoever is killed goes on, and ends with the record of whoever was not."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import REPOSITORY, count_images
from drawn import Noise, setting_of, with_method

from evaluation.data import ToyPoints
from evaluation.measure import work
from evaluation.records.checked import check_setting
from evaluation.run import checkpoint as resume
from evaluation.run import job
from evaluation.run.job import PassJob, run, run_together
from evaluation.run.sweep import run_sweep
from gem.backbones import OpenClip
from gem.methods import Clip, Gem

HERE = Path(__file__).parent
NUMBERS = (
    "key",
    "names",
    "setting",
    "scores",
    "per_class",
    "counts",
    "images",
    "hashes",
    "warnings",
)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a signal."""


@pytest.fixture(scope="module")
def settings(small):
    setting = setting_of(small, batch_size=2)
    return [setting, with_method(setting, Gem(iters=0)), with_method(setting, Clip())]


@pytest.fixture(scope="module")
def undisturbed(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return [numbers(done.record) for done in together(settings, folder, save_every=0)]


def together(settings, folder, **options):
    """One pass over settings that can share it."""
    return run_together(PassJob([check_setting(one) for one in settings], folder, **options))


def numbers(record):
    return [getattr(record, name) for name in NUMBERS]


def stop_after(monkeypatch, owner, name, calls):
    """Let the n-th call of a function be the one that the process does not survive."""
    left = [calls]
    real = getattr(owner, name)

    def call(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, call)


PLACES = [
    *((OpenClip, "trace", calls) for calls in (1, 2, 4)),
    *((os, "fsync", calls) for calls in (1, 2, 5, 9, 14, 16, 17)),  # while a state or a record is
    *((Path, "replace", calls) for calls in (1, 3, 4, 8, 12, 16, 17, 18)),  # written
    (job, "make_record", 2),
    (job, "write_record", 2),
]


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_the_same_command_goes_on(
    place, settings, undisturbed, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        stop_after(patch, *place)
        with pytest.raises(Killed):
            run_sweep(settings, tmp_path, save_every=0)
    seen = count_images(monkeypatch)
    found = run_sweep(settings, tmp_path, save_every=0)
    assert [numbers(done.record) for done in found] == undisturbed
    assert sum(seen) <= 7
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".state")]


def test_what_was_done_is_not_done_again(settings, undisturbed, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, OpenClip, "trace", 4)
        with pytest.raises(Killed):
            run_sweep(settings, tmp_path, save_every=0)
    states = sorted(path.name for path in tmp_path.iterdir())
    assert [name for name in states if not name.startswith(".")] == []
    assert len(states) == len(settings)
    seen = count_images(monkeypatch)
    found = run_sweep(settings, tmp_path, save_every=0)
    assert 0 < sum(seen) < 7 - 2
    assert [numbers(done.record) for done in found] == undisturbed


def test_other_settings_in_the_pass_go_on_as_well(settings, undisturbed, tmp_path, monkeypatch):
    """One had no state: its images are seen again, but counted once in the others."""
    with monkeypatch.context() as patch:
        stop_after(patch, OpenClip, "trace", 3)
        with pytest.raises(Killed):
            run_sweep(settings[:2], tmp_path, save_every=0)
    found = run_sweep(settings, tmp_path, save_every=0)
    assert [numbers(done.record) for done in found] == undisturbed


def test_batches_are_those_of_an_undisturbed_pass(settings, tmp_path, monkeypatch):
    whole = count_images(monkeypatch)
    together(settings, tmp_path / "whole")
    batches = list(whole)
    for calls in range(2, len(batches) + 1):
        folder = tmp_path / str(calls)
        with monkeypatch.context() as patch:
            stop_after(patch, OpenClip, "trace", calls)
            with pytest.raises(Killed):
                together(settings, folder, save_every=0)
        whole.clear()
        together(settings, folder)
        assert whole == batches[calls - 1 :]


def test_points_go_on_too(small, tmp_path, monkeypatch):
    data = ToyPoints(scenes=8, size=48, split="eval", points=2, absent=1)
    setting = setting_of(small, dataset=data, batch_size=2)
    expected = numbers(run(setting, tmp_path / "whole").record)
    with monkeypatch.context() as patch:
        stop_after(patch, OpenClip, "trace", 4)
        with pytest.raises(Killed):
            run(setting, tmp_path, save_every=0)
    seen = count_images(monkeypatch)
    assert numbers(run(setting, tmp_path).record) == expected
    assert sum(seen) == 2


@pytest.mark.parametrize("harm", ["broken", "empty", "code", "versions", "batches", "older"])
def test_a_state_that_is_not_of_this_pass_is_not_used(harm, settings, tmp_path, monkeypatch):
    done = run(settings[0], tmp_path / "first")
    record, path = done.record, done.path
    with monkeypatch.context() as patch:
        stop_after(patch, OpenClip, "trace", 3)
        with pytest.raises(Killed):
            run(settings[0], tmp_path, save_every=0)
    (state,) = tmp_path.glob(".*.state")
    if harm == "broken":
        state.write_bytes(state.read_bytes()[:-1])
    elif harm == "empty":
        state.write_bytes(b"")
    elif harm == "code":
        state.write_bytes(state.read_bytes().replace(record.hashes["code"].encode(), b"0" * 12))
    elif harm == "versions":
        packages = record.code["packages"] | {"torch": "9.9"}
        monkeypatch.setattr(resume, "code", lambda: record.code | {"packages": packages})
    elif harm == "batches":
        settings = [replace(settings[0], batch_size=settings[0].batch_size + 1)]
        record = run(settings[0], tmp_path / "of these batches").record
    else:
        path.rename(tmp_path / path.name)
        os.utime(state, (1, 1))
    seen = count_images(monkeypatch)
    assert run(settings[0], tmp_path).record.counts == record.counts
    assert sum(seen) == 7


def test_nothing_is_saved_before_its_time(settings, tmp_path, monkeypatch):
    stop_after(monkeypatch, OpenClip, "trace", 4)
    with pytest.raises(Killed):
        together(settings, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_half_written_long_ago_is_removed(settings, tmp_path):
    run(settings[0], tmp_path)
    old, new = (tmp_path / f".gem-{number}-0123456789abcdef.part" for number in (1, 2))
    old.write_bytes(b"")
    new.write_bytes(b"")
    os.utime(old, (1, 1))
    run(settings[0], tmp_path)
    assert not old.exists()
    assert new.exists()


CHILD = """
import sys
sys.path[:0] = sys.argv[2:5]
from test_checkpoint import child  # by way of conftest: as many threads as here
child(*sys.argv[5:7])
"""


def child(model, folder):
    """The process that is killed: slow, and saving after every batch."""
    setting = setting_of(OpenClip(model=model, weights="embedded", device="cpu"), batch_size=1)
    trace = OpenClip.trace
    OpenClip.trace = lambda *args, **kwargs: time.sleep(1) or trace(*args, **kwargs)
    run_sweep([setting, with_method(setting, Clip())], Path(folder), save_every=0)


def test_a_real_kill(folder, small, tmp_path, monkeypatch):
    command = [sys.executable, "-c", CHILD, "-", *map(str, (REPOSITORY, HERE.parent, HERE))]
    process = subprocess.Popen([*command, str(folder), str(tmp_path)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.glob(".*.state"))) < 2 and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("*.json")) == []
    setting = setting_of(small, batch_size=1)
    settings = [setting, with_method(setting, Clip())]
    expected = [numbers(one.record) for one in together(settings, tmp_path / "whole")]
    seen = count_images(monkeypatch)
    found = run_sweep(settings, tmp_path)
    assert 0 < sum(seen) < 7
    assert [numbers(done.record) for done in found] == expected
    assert not list(tmp_path.glob(".*.state"))


def test_two_processes_do_not_disturb_each_other(settings, undisturbed, tmp_path, monkeypatch):
    """A second one starts and ends while the first is between two batches."""
    trace, calls = OpenClip.trace, []

    def interrupted(self, images, keep):
        calls.append(1)
        if len(calls) == 3:
            other = run_sweep(settings, tmp_path, save_every=0)
            assert [numbers(done.record) for done in other] == undisturbed
        return trace(self, images, keep)

    monkeypatch.setattr(OpenClip, "trace", interrupted)
    found = run_sweep(settings, tmp_path, save_every=0)
    assert [numbers(done.record) for done in found] == undisturbed
    for path in tmp_path.iterdir():
        assert json.loads(path.read_text(encoding="utf-8"))["key"]


def test_a_pass_says_what_was_done(settings, tmp_path, monkeypatch, capsys):
    assert resume.EVERY == 120
    with monkeypatch.context() as patch:
        stop_after(patch, OpenClip, "trace", 3)
        with pytest.raises(Killed):
            run(replace(settings[0], dataset=Noise()), tmp_path, save_every=0)
    capsys.readouterr()
    run(settings[0], tmp_path)
    assert "going on after 4 of 7 images" in capsys.readouterr().out


def test_files_of_a_part_hold_no_model(settings, tmp_path):
    """They go to other processes, which load their own: no weights travel with them."""
    run_sweep(settings[:1], tmp_path)  # loads it
    assert "towers" in vars(settings[0].segmenter.backbone)
    states = resume.States([check_setting(settings[0])], tmp_path)
    (checked,) = states.of_part(3).settings
    assert checked.setting == settings[0]
    assert "towers" not in vars(checked.setting.segmenter.backbone)


@pytest.fixture
def ctrl_c(monkeypatch):
    """Ctrl-C, so many times, as soon as so many images of the next pass are counted."""

    def press(times, images):
        count_chunks, left = work.count_chunks, [signal.SIGINT] * times

        def counted(*given):
            seen = 0
            for ids in count_chunks(*given):
                seen += len(ids)
                while seen >= images and left:
                    signal.raise_signal(left.pop())
                yield ids

        monkeypatch.setattr(work, "count_chunks", counted)

    return press


def test_ctrl_c_waits_for_the_batch_and_keeps_the_counts(
    settings, undisturbed, tmp_path, ctrl_c, capsys
):
    before, images = signal.getsignal(signal.SIGINT), len(settings[0].ids)
    ctrl_c(times=1, images=3)
    said = rf"^stopped after ([34]) of {images} images; the same command goes on from there$"
    with pytest.raises(KeyboardInterrupt, match=said) as stopped:
        together(settings, tmp_path)
    done = re.match(said, str(stopped.value))[1]
    assert "stopping after this batch; Ctrl-C again ends at once" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before
    again = [numbers(done.record) for done in together(settings, tmp_path)]
    assert again == undisturbed
    assert f"going on after {done} of {images} images" in capsys.readouterr().out


def test_a_second_ctrl_c_ends_at_once(settings, tmp_path, ctrl_c):
    ctrl_c(times=2, images=3)
    with pytest.raises(KeyboardInterrupt) as stopped:
        together(settings, tmp_path)
    assert not str(stopped.value)
    assert not list(tmp_path.glob(".*.state"))


def test_ctrl_c_at_the_last_batch_ends_with_the_record(settings, tmp_path, ctrl_c):
    few = [replace(one, limit=4) for one in settings]
    ctrl_c(times=1, images=4)
    assert [done.record.images for done in together(few, tmp_path)] == [4, 4, 4]
