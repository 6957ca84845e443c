"""A state file that is broken or foreign costs a note and time, never a number or a traceback."""

import errno
import hashlib
import json
import math
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from drawn import setting_of, with_method
from safetensors.torch import load, save

from evaluation.data import ToyPoints
from evaluation.measure import Thresholds
from evaluation.measure.counting import start_counting
from evaluation.records.checked import check_setting
from evaluation.run import checkpoint, job
from evaluation.run.checkpoint import States
from evaluation.run.job import PassJob, run, run_together
from evaluation.run.saved_counts import DIGEST, SavedCounts, check, pack, unpack
from evaluation.run.sweep import run_sweep
from gem.methods import Clip

NUMBERS = ("key", "scores", "per_class", "counts", "images", "hashes")


class Killed(BaseException):
    """Nothing catches it, as nothing catches a signal."""


def numbers(record):
    return [getattr(record, name) for name in NUMBERS]


def leave_states(settings, folder):
    """The state files of a pass that ended when all was counted and nothing recorded."""

    def die(*_):
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "make_record", die)
        with pytest.raises(Killed):
            run_sweep(settings, folder, save_every=0)
    return sorted(folder.glob(".*.state"))


SETTINGS = {
    "masks": {},
    "points": {"dataset": ToyPoints(scenes=4, size=48, split="eval", points=2, absent=1)},
    "thresholds": {"metric": Thresholds()},
}


@pytest.fixture(scope="module", params=SETTINGS)
def left(request, small, tmp_path_factory):
    """A setting, its numbers, and the bytes of its state."""
    setting = setting_of(small, batch_size=2, limit=4, workers=0, **SETTINGS[request.param])
    folder = tmp_path_factory.mktemp("left")
    record = run(setting, folder / "whole").record
    (state,) = leave_states([setting], folder)
    return setting, numbers(record), state.name, state.read_bytes()


@pytest.fixture
def go_on(left, tmp_path, capsys):
    """Try to go on from other bytes; what is said if the numbers are right."""
    setting, expected, name, _ = left
    checked, (counting,) = check_setting(setting), start_counting([setting])

    def call(packed):
        (tmp_path / name).write_bytes(packed)
        capsys.readouterr()
        States([checked], tmp_path).restore([counting])
        if counting.done:
            assert numbers(run(setting, tmp_path).record) == expected
        else:
            assert all(not part.any() for part in counting.accumulator.state().values())
            assert counting.seconds == 0
        return capsys.readouterr().out.replace(f"{tmp_path}/{name}: ", "")

    return call


def unused(reason):
    return f"note: the saved counts {reason}: counted again from the beginning\n"


def test_what_is_packed_is_what_is_gone_on_from(left, go_on):
    *_, packed = left
    assert go_on(packed) == "going on after 4 of 4 images\n" * 2
    assert pack(unpack(packed)) == packed


def test_no_flipped_bit_changes_a_count(left, go_on):
    *_, packed = left
    rng = random.Random(0)  # noqa: S311 no secret
    places = [*range(0, len(packed), len(packed) // 30), *(-1 - n for n in range(10))]
    assert len(places) >= 40
    for place in places:
        broken = bytearray(packed)
        broken[place] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError, match=r"^are damaged$"):
            unpack(bytes(broken))
    assert go_on(bytes(broken)) == unused("are damaged")


@pytest.mark.parametrize("length", [0, 1, DIGEST - 1, DIGEST, DIGEST + 9, -1])
def test_a_file_that_is_cut_off(length, left, go_on):
    *_, packed = left
    assert go_on(packed[:length]) == unused("are damaged")


def seal(content):
    """Bytes that somebody made, with their right digest."""
    return hashlib.sha256(content).digest() + content


def changed(packed, change):
    parts = load(packed[DIGEST:])
    parts = {name: part.clone() for name, part in parts.items()}
    about = json.loads(parts.pop("about").numpy().tobytes())
    change(parts, about)
    text = torch.frombuffer(bytearray(json.dumps(about).encode()), dtype=torch.uint8)
    return seal(save({"about": text, **parts}))


def first(parts):
    """The name of one of the counts."""
    return next(name for name in parts if name.startswith("counts."))


def put(name, value):
    return lambda parts, _: parts.update({name or first(parts): value(parts)})


FIELDS = {
    "no done": (lambda parts, _: parts.pop("done"), "lack a field"),
    "no conditions": (lambda _, about: about.pop("conditions"), "lack a field"),
    "no seconds": (lambda _, about: about.pop("seconds"), "lack a field"),
    "text": (lambda _, about: about.update(seconds="soon"), "lack a field"),
    "null": (lambda _, about: about.update(seconds=None), "lack a field"),
    "huge": (lambda _, about: about.update(seconds=10**400), "lack a field"),
    "nan": (lambda _, about: about.update(seconds=math.nan), "took nan seconds"),
    "inf": (lambda _, about: about.update(seconds=math.inf), "took inf seconds"),
    "backwards": (lambda _, about: about.update(seconds=-1.0), "took -1.0 seconds"),
    "short": (put("done", lambda parts: parts["done"][:2]), "are of another list of images"),
    "square": (put("done", lambda parts: parts["done"][None]), "are of another list of images"),
    "shares": (put("done", lambda parts: parts["done"] / 1), "are of another list of images"),
    "no counts": (lambda parts, _: parts.pop(first(parts)), "are of another metric"),
    "more": (put("counts.more", lambda _: torch.zeros(3)), "are of another metric"),
    "conditions": (
        lambda _, about: about.update(conditions="[]"),
        "are of other code, packages, data, device or batch size",
    ),
}


@pytest.mark.parametrize("harm", FIELDS)
def test_a_field_that_is_missing_or_no_number(harm, left, go_on):
    change, reason = FIELDS[harm]
    assert go_on(changed(left[-1], change)) == unused(reason)


COUNTS = {
    "shares": (lambda part: part / 1, "of another shape or type"),
    "small": (lambda part: part.to(torch.int8), "of another shape or type"),
    "one": (lambda _: torch.ones((), dtype=torch.int64), "of another shape or type"),
    "wide": (lambda part: part.repeat_interleave(2, dim=1), "of another shape or type"),
    "deep": (lambda part: part[None], "of another shape or type"),
    "negative": (lambda part: -1 - part, "with negative counts"),
}


@pytest.mark.parametrize("harm", COUNTS)
def test_counts_that_cannot_be(harm, left, go_on):
    change, reason = COUNTS[harm]
    packed = left[-1]
    name = first(load(packed[DIGEST:]))
    found = go_on(changed(packed, put(name, lambda parts: change(parts[name]))))
    assert found == unused(f"have a {name.removeprefix('counts.')} {reason}")


def test_a_pass_begins_again_beside_a_state_that_is_not_used(left, tmp_path, capsys):
    setting, expected, name, packed = left
    (tmp_path / name).write_bytes(packed[:-1])
    assert numbers(run(setting, tmp_path).record) == expected
    assert capsys.readouterr().out == f"note: {tmp_path / name}: {unused('are damaged')[6:]}"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff" * 64, (2**63).to_bytes(8, "little"), save({}), b"[" * 100_000],
    ids=["empty", "json", "ones", "long header", "no parts", "deep"],
)
def test_bytes_that_somebody_made(content, go_on):
    assert go_on(seal(content)) == unused("lack a field")


def test_a_state_that_cannot_be_read(left, tmp_path, capsys):
    setting, expected, name, _ = left
    (tmp_path / name).mkdir()
    assert numbers(run(setting, tmp_path).record) == expected
    said = capsys.readouterr().out
    assert said == (
        f"note: {tmp_path / name}: the saved counts cannot be read: Is a directory: counted again "
        "from the beginning\n"
    )


def test_states_that_are_not_used_for_one_reason_are_one_line(small, tmp_path, capsys):
    setting = setting_of(small, batch_size=2, limit=3)
    settings = [setting, with_method(setting, Clip())]
    first_state, _ = leave_states(settings, tmp_path)
    capsys.readouterr()
    run_sweep([replace(one, batch_size=3) for one in settings], tmp_path)
    _, _, said = capsys.readouterr().out.splitlines()
    assert said.startswith(f"note: {tmp_path}/.")
    assert said.endswith(
        ".state and 1 more: the saved counts are of other code, packages, data, device or batch "
        "size: counted again from the beginning"
    )
    assert not first_state.exists()


def test_rows_may_be_any_number():
    def saved(rows):
        return SavedCounts("", 0.0, torch.tensor([True]), {"rows": torch.zeros(rows, 6)})

    for rows in (0, 1, 5):
        check(saved(rows), samples=1, fresh={"rows": torch.zeros(0, 6)})
    with pytest.raises(ValueError, match=r"^have a rows of another shape or type$"):
        check(saved(5), samples=1, fresh={"rows": torch.zeros(4, 6)})


DISK = {
    "ENOSPC": "No space left on device",
    "EROFS": "Read-only file system",
}


@pytest.fixture
def full(monkeypatch):
    """Let saving states fail, some times or always; how often it was tried."""
    tried = []
    write = checkpoint.write_bytes

    def refuse(code, times=math.inf):
        def call(path, content):
            tried.append(path)
            if len(tried) <= times:
                reason = os.strerror(getattr(errno, code))
                raise OSError(f"cannot write {path}: {reason}")
            write(path, content)

        monkeypatch.setattr(checkpoint, "write_bytes", call)
        return tried

    return refuse


@pytest.mark.parametrize("code", DISK)
def test_a_full_disk_for_the_state_does_not_end_the_pass(code, full, small, tmp_path, capsys):
    settings = [setting_of(small, batch_size=2)]
    settings.append(with_method(settings[0], Clip()))
    expected = [numbers(one.record) for one in run_sweep(settings, tmp_path / "whole")]
    capsys.readouterr()
    tried = full(code)
    found = run_sweep(settings, tmp_path / "full", save_every=0)
    assert [numbers(one.record) for one in found] == expected
    said = capsys.readouterr().out
    note = f"note: cannot write {tried[0]}: {DISK[code]}; the pass goes on without saving its"
    assert said.count("note: ") == said.count(f"{note} counts\n") == 1
    assert len(tried) > 2  # it is tried again
    assert len(list((tmp_path / "full").iterdir())) == 2


def test_a_disk_that_has_space_again_is_used(full, small, tmp_path):
    setting = setting_of(small, batch_size=2)
    expected = numbers(run(setting, tmp_path / "whole").record)
    full("ENOSPC", times=1)
    (state,) = leave_states([setting], tmp_path)
    assert unpack(state.read_bytes()).done.all()
    assert numbers(run(setting, tmp_path).record) == expected


def test_the_note_itself_may_go_to_the_full_disk(full, small, tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "note", fail)
    full("ENOSPC")
    assert run(setting_of(small, limit=2), tmp_path, save_every=0).record


def test_a_state_that_cannot_be_removed_does_not_end_the_pass(small, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    checked = [job.check_setting(setting_of(small, batch_size=2, limit=3))]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", fail)
        (done,) = run_together(PassJob(checked, tmp_path, save_every=0))
    (state,) = tmp_path.glob(".*.state")
    run_sweep([done.setting], tmp_path)
    assert not state.exists()
