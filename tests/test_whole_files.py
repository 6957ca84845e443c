"""Whole or not there, kept through a power loss, and an error that names the file."""

import errno
import os
import stat
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from conftest import load_script
from PIL import Image

from evaluation import whole_files
from evaluation.pictures.overlay import write_overlays
from evaluation.whole_files import prepare_folder, tidy, write_bytes, write_json, write_whole
from gem.overlay import Scale


@pytest.fixture
def broken(monkeypatch):
    """Let a function of the system fail from now on."""

    def break_it(owner, name, code):
        def fail(*_, **__):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(owner, name, fail)

    return break_it


CODES = {
    "ENOSPC": "No space left on device",
    "EIO": "Input/output error",
    "EDQUOT": "Disk quota exceeded",
    "EROFS": "Read-only file system",
    "EACCES": "Permission denied",
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "place",
    [(os, "fsync"), (os, "mkdir"), (Path, "open"), (Path, "replace")],
    ids=lambda place: place[1],
)
def test_an_error_names_the_file_and_leaves_nothing(code, place, broken, tmp_path, monkeypatch):
    path = tmp_path / "new" / "scores.json"
    if place[1] != "mkdir":
        path.parent.mkdir()
        path.write_text("before", encoding="utf-8")
    broken(*place, getattr(errno, code))
    with pytest.raises(OSError) as caught:
        write_json(path, {})
    monkeypatch.undo()
    assert str(caught.value) == f"cannot write {path}: {CODES[code]}"
    assert not path.exists() or path.read_bytes() == b"before"
    assert not list(tmp_path.rglob(".*"))


def test_the_first_error_is_told_also_where_nothing_can_be_removed(broken, tmp_path):
    broken(Path, "replace", errno.EROFS)
    broken(Path, "unlink", errno.EIO)
    with pytest.raises(OSError, match=r"scores\.json: Read-only file system$"):
        write_json(tmp_path / "scores.json", {})


def full(limit):
    """A stream of a disk that is full after some bytes."""
    stream = BytesIO()

    def write(content):
        if stream.tell() + len(content) > limit:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return BytesIO.write(stream, content)

    stream.write = write
    return stream


def test_what_is_read_for_a_file_keeps_its_own_error(tmp_path):
    def write(_):
        (tmp_path / "source.jpg").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "out.parquet", write)
    assert caught.value.filename == str(tmp_path / "source.jpg")

    def refuse(_):
        raise OSError("source.jpg cannot be read as an image: it is broken")

    with pytest.raises(OSError, match=r"^source\.jpg cannot be read as an image: it is broken$"):
        write_whole(tmp_path / "out.parquet", refuse)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("taken", ["folder", "pipe"])
def test_what_is_no_file_is_not_replaced(taken, tmp_path):
    path = tmp_path / "taken"
    path.mkdir() if taken == "folder" else os.mkfifo(path)
    with pytest.raises(OSError, match=rf"^cannot write {path}: it is not a file$"):
        write_bytes(path, b"")
    assert not path.is_file()


def test_a_file_in_the_way_of_its_folder(tmp_path):
    (tmp_path / "taken").write_text("", encoding="utf-8")
    path = tmp_path / "taken" / "a.json"
    with pytest.raises(OSError) as caught:
        write_json(path, {})
    assert str(caught.value) == f"cannot write {path}: File exists"


def test_a_name_as_long_as_there_can_be(tmp_path):
    path = tmp_path / ("x" * 255)
    write_bytes(path, b"whole")
    assert path.read_bytes() == b"whole"
    path = tmp_path / ("x" * 256)
    with pytest.raises(OSError) as caught:
        write_bytes(path, b"whole")
    assert str(caught.value) == f"cannot write {path}: File name too long"


def test_two_writers_with_one_pid_do_not_meet(tmp_path):
    """As in two containers over one shared folder."""
    path, names = tmp_path / "a.json", []

    def write(stream):
        stream.write(b"outer")
        names.extend(one.name for one in tmp_path.iterdir())
        write_bytes(path, b"inner")

    write_whole(path, write)
    assert path.read_bytes() == b"outer"
    write_whole(path, lambda _: names.extend(one.name for one in tmp_path.glob(".*")))
    assert len(set(names)) == 2
    assert all(name.startswith(f".gem-{os.getpid()}-") for name in names)


def test_the_file_then_the_rename_then_the_folder_are_kept(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, Path.replace

    def kept(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", kept)
    monkeypatch.setattr(Path, "replace", lambda *a: done.append("rename") or replace(*a))
    write_bytes(tmp_path / "a", b"")
    assert done == ["file", "rename", "folder"]


@pytest.mark.parametrize("code", sorted(whole_files.NO_FOLDER_SYNC))
def test_a_system_that_syncs_no_folders(code, tmp_path, monkeypatch):
    open_file = os.open

    def refuse(path, *rest, **more):
        if Path(path) == tmp_path:
            raise OSError(code, os.strerror(code))
        return open_file(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    write_bytes(tmp_path / "a", b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"


def old(path, *, age):
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_only_our_own_old_parts_are_removed(tmp_path):
    stale = old(tmp_path / ".gem-12-0123456789abcdef.part", age=4000)
    kept = [
        old(tmp_path / ".gem-13-0123456789abcdef.part", age=3000),
        old(tmp_path / ".gem-12-of-yours.part", age=4000),
        old(tmp_path / "film.mkv.part", age=4000),
        old(tmp_path / ".film.12.part", age=4000),
    ]
    tidy(tmp_path)
    assert not stale.exists()
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_the_first_file_of_a_process_in_a_folder_removes_old_parts(tmp_path):
    stale = old(tmp_path / ".gem-12-0123456789abcdef.part", age=4000)
    write_bytes(tmp_path / "a", b"")
    assert not stale.exists()


def test_a_folder_is_named_by_the_key_that_sets_it(tmp_path):
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(PermissionError, match=r"^labels=.*taken: cannot write there: File exists$"):
        prepare_folder(tmp_path / "taken", key="labels")


def overlays(folder):
    heats = np.zeros((1, 8, 8), dtype=np.float32)
    options = {"stem": "cat", "caption": "none", "folder": folder, "scale": Scale(0, 1)}
    write_overlays(Image.new("RGB", (8, 8)), heats, ["a cat"], **options)


def curves(folder):
    load_script("tune").draw([], folder / "curves.png", "none")


@pytest.mark.parametrize("draw", [overlays, curves])
@pytest.mark.filterwarnings("ignore:No artists with labels")
def test_an_error_names_the_picture(draw, broken, tmp_path):
    broken(os, "fsync", errno.ENOSPC)
    with pytest.raises(
        OSError, match=rf"^cannot write {tmp_path}/\S+\.png: No space left on device$"
    ):
        draw(tmp_path)
    assert not list(tmp_path.iterdir())


def test_pictures_say_why_they_cannot_be_written():
    """A PNG goes through Python's stream, whose error has the reason."""
    noise = Image.effect_noise((200, 200), 90)
    with pytest.raises(OSError, match="No space left on device"):
        noise.save(full(100), format="PNG")
