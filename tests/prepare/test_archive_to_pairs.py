"""From the archive on a server to verified pairs: once, again, after a kill, in part."""

import dataclasses
import hashlib
import signal
import subprocess
import sys
import textwrap
import zipfile

import file_server
import numpy as np
import pytest
from conftest import REPOSITORY
from official import lay
from PIL import Image

from evaluation.data import load_card
from evaluation.data.card import Archive
from evaluation.prepare import command, layout
from evaluation.prepare.manifest import manifest_path, read_manifest

rules, url = file_server.rules, file_server.url
IDS = ["ADE_val_00000001", "ADE_val_00000002"]
BASE = "ADEChallengeData2016"


@pytest.fixture
def archive(tmp_path):
    """Two pairs of ADE20K as the official archive holds them, and a file that nobody needs."""
    source = tmp_path / "source"
    lay(source, "ade20k", IDS[0], np.array([[0, 1, 150], [1, 1, 13]], dtype=np.uint8))
    lay(source, "ade20k", IDS[1], np.array([[5, 5, 5, 5]], dtype=np.uint8))
    with zipfile.ZipFile(tmp_path / "ADE.zip", "w") as packed:
        for path in sorted(source.rglob("*.*")):
            packed.write(path, path.relative_to(source))
        packed.writestr(f"{BASE}/readme.txt", "hello")
    return (tmp_path / "ADE.zip").read_bytes()


@pytest.fixture
def ade(archive, url, rules, monkeypatch):
    """The card, pointing at the server of the test."""
    rules["content"] = archive
    digest = f"sha1:{hashlib.sha1(archive).hexdigest()}"  # noqa: S324
    item = Archive(url=url, size="1 kB", hash=digest, members=(f"{BASE}/images", f"{BASE}/ann"))
    card = dataclasses.replace(load_card("ade20k"), downloads=(item,))
    monkeypatch.setattr(layout, "load_card", lambda _: card)


def state(root):
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in files}


@pytest.mark.usefixtures("ade")
def test_from_the_archive_to_the_manifest(tmp_path, rules, capsys):
    root = tmp_path / "data"
    dataset = command.prepare("ade20k", root, changes={})
    assert list(dataset.ids) == IDS
    assert dataset[IDS[0]].truth.tolist() == [[255, 0, 149], [0, 0, 12]]
    manifest = read_manifest(root, "ade20k")
    assert (manifest.images, manifest.expected, manifest.complete) == (2, 2000, False)
    found = {name: pixels for name, pixels in manifest.pixels.items() if pixels}
    assert found == {"wall": 3, "person": 1, "tree": 4, "flag": 1, "(void)": 1}
    assert manifest.appears["wall"] == 1
    assert manifest.smallest == [1, 4]
    assert "readme" not in " ".join(state(root))
    assert str(tmp_path) not in manifest_path(root, "ade20k").read_text()
    said = capsys.readouterr().out
    assert "ade20k: missing" in said
    assert "2 of 2000 images (partial)" in said
    assert rules["requests"] == [None]


@pytest.mark.usefixtures("ade")
def test_running_twice_does_nothing_twice(tmp_path, rules, capsys):
    root = tmp_path / "data"
    command.prepare("ade20k", root, changes={})
    before = state(root)
    command.prepare("ade20k", root, changes={})
    assert state(root) == before
    assert rules["requests"] == [None]
    assert "verified before, nothing has changed" in capsys.readouterr().out


@pytest.mark.usefixtures("ade")
@pytest.mark.parametrize("step", ["_write", "take_census", "write_manifest"])
def test_killed_half_way_it_goes_on(step, tmp_path, rules, monkeypatch):
    root, calls = tmp_path / "data", []
    place = command.unpack.__globals__ if step == "_write" else command.__dict__
    real = place[step]

    def dies(*arguments):
        calls.append(arguments)
        if len(calls) == (2 if step == "_write" else 1):
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setitem(place, step, dies)
    with pytest.raises(KeyboardInterrupt):
        command.prepare("ade20k", root, changes={})
    monkeypatch.setitem(place, step, real)
    assert read_manifest(root, "ade20k") is None
    command.prepare("ade20k", root, changes={})
    assert read_manifest(root, "ade20k").images == 2
    assert rules["requests"] == [None]


@pytest.mark.usefixtures("ade")
def test_a_download_that_stops_goes_on(tmp_path, rules):
    rules["stops"] = [300, 10, 10, 10, 10, 10]
    root = tmp_path / "data"
    with pytest.raises(ConnectionError, match=r"stopped after 340 of \d+ bytes"):
        command.prepare("ade20k", root, changes={})
    command.prepare("ade20k", root, changes={})
    assert rules["requests"] == [None, *(f"bytes={at}-" for at in range(300, 360, 10))]
    assert read_manifest(root, "ade20k").images == 2


@pytest.mark.usefixtures("ade")
def test_an_archive_in_place_that_is_another(tmp_path, rules):
    """A person may have put it there, or a disk may have damaged it."""
    path = tmp_path / "data/downloads/file.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(rules["content"][:-1] + b"x")
    digest = hashlib.sha1(path.read_bytes()).hexdigest()  # noqa: S324
    with pytest.raises(ValueError) as caught:
        command.prepare("ade20k", tmp_path / "data", changes={})
    expected = hashlib.sha1(rules["content"]).hexdigest()  # noqa: S324
    assert str(caught.value) == (
        f"{path} has the sha1 {digest}, expected {expected}; delete it, and the same command "
        "downloads it"
    )
    assert list(state(tmp_path / "data")) == ["downloads/file.zip"]


@pytest.mark.usefixtures("ade")
def test_a_part_of_a_file_that_is_no_archive_is_a_download_begun(tmp_path, url):
    item = Archive(url=url.replace("zip", "json"), size="1 kB", into="deep")
    card = dataclasses.replace(load_card("ade20k"), downloads=(item,))
    assert not layout.is_started(card, tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/file.json").write_text("{}")
    assert not layout.is_started(card, tmp_path)
    (tmp_path / "deep/file.json.part").write_text("{")
    assert layout.is_started(card, tmp_path)


@pytest.mark.usefixtures("ade")
@pytest.mark.parametrize("written", [1, 2, 3])
def test_killed_while_it_unpacks(written, tmp_path, rules):
    """SIGKILL after some files: what is there is not taken for the whole, and it goes on."""
    root = tmp_path / "data"
    (root / "downloads").mkdir(parents=True)
    (root / "downloads/file.zip").write_bytes(rules["content"])
    code = f"""
        import os, signal
        from pathlib import Path
        from evaluation.prepare.unpack import unpack
        root, count = Path({str(root)!r}), iter(range(1, 9))
        unpack(root / "downloads/file.zip", root, members=({f"{BASE}/images"!r}, {f"{BASE}/ann"!r}),
               advance=lambda _: next(count) == {written} and os.kill(os.getpid(), signal.SIGKILL))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=REPOSITORY, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert len(state(root)) == 1 + written
    assert not layout.survey(layout.build("ade20k", root)).complete
    command.prepare("ade20k", root, changes={})
    assert read_manifest(root, "ade20k").images == 2
    assert rules["requests"] == []


@pytest.mark.usefixtures("ade")
def test_only_telling(tmp_path, rules):
    with pytest.raises(FileNotFoundError, match="there is no such folder; expected ADE"):
        command.prepare("ade20k", tmp_path / "data", download_mode="no", changes={})
    assert rules["requests"] == []


@pytest.mark.usefixtures("ade")
def test_a_partial_set_is_left_alone_until_it_is_asked_for(tmp_path, rules):
    root = tmp_path / "data"
    lay(root, "ade20k", IDS[1], np.array([[5, 5, 5, 5]], dtype=np.uint8))
    assert list(command.prepare("ade20k", root, changes={}).ids) == IDS[1:]
    assert rules["requests"] == []
    assert list(command.prepare("ade20k", root, download_mode="yes", changes={}).ids) == IDS
    assert read_manifest(root, "ade20k").images == 2


@pytest.mark.usefixtures("ade")
def test_a_changed_file_is_verified_again(tmp_path):
    root = tmp_path / "data"
    command.prepare("ade20k", root, changes={})
    first = read_manifest(root, "ade20k")
    Image.fromarray(np.array([[6, 6, 6, 6]], dtype=np.uint8)).save(
        root / BASE / "annotations/validation" / f"{IDS[1]}.png"
    )
    command.prepare("ade20k", root, changes={})
    second = read_manifest(root, "ade20k")
    assert (first.ids, first.labels) == (second.ids, first.labels)
    assert first.labels != second.labels
    assert second.pixels["ceiling"] == 4


def test_broken_pairs_are_counted_and_named(tmp_path):
    for name, stored in zip(IDS, ([[151]], [[200]]), strict=True):
        lay(tmp_path, "ade20k", name, np.array(stored, dtype=np.uint8))
    with pytest.raises(
        ValueError, match=r"2 of 2 samples are broken: mask ADE_val_00000001.png has"
    ):
        command.prepare("ade20k", tmp_path, download_mode="no", changes={})
    assert not manifest_path(tmp_path, "ade20k").exists()


def test_a_root_that_cannot_be_written(tmp_path, capsys):
    lay(tmp_path, "ade20k", IDS[0], np.array([[1]], dtype=np.uint8))
    tmp_path.chmod(0o555)
    try:
        command.prepare("ade20k", tmp_path, changes={})
    finally:
        tmp_path.chmod(0o755)
    assert "is read-only: nothing is downloaded" in capsys.readouterr().out
    assert not manifest_path(tmp_path, "ade20k").exists()


def test_an_archive_that_a_person_put_there(tmp_path):
    """Cityscapes needs an account."""
    name = "frankfurt/frankfurt_000000_000294"
    lay(tmp_path / "source", "cityscapes", name, np.array([[7, 33, 0]], dtype=np.uint8))
    root = tmp_path / "data"
    with pytest.raises(FileNotFoundError, match=r"put gtFine_trainvaltest.zip and leftImg8bit_tr"):
        command.prepare("cityscapes", root, changes={})
    (root / "downloads").mkdir(parents=True)
    for kind in ("gtFine", "leftImg8bit"):
        with zipfile.ZipFile(root / f"downloads/{kind}_trainvaltest.zip", "w") as packed:
            for path in (tmp_path / "source/cityscapes" / kind).rglob("*.png"):
                packed.write(path, path.relative_to(tmp_path / "source/cityscapes"))
    dataset = command.prepare("cityscapes", root, changes={})
    assert dataset[name].truth.tolist() == [[0, 18, 255]]
