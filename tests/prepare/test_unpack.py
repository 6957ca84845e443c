"""Archives: what may be unpacked, and what must never be."""

import contextlib
import dataclasses
import io
import stat
import tarfile
import zipfile

import pytest

from evaluation.prepare import unpack as module
from evaluation.prepare.archive import Member, opened
from evaluation.prepare.unpack import unpack

FILES = {"top/a.txt": b"one", "top/deep/b.txt": b"two" * 1000, "other/c.txt": b"three"}


def make_zip(path, files, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/", "")
        for name, content in files.items():
            archive.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")


def make_tar(path, files, kinds=(), target="/etc/passwd"):
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        folder = tarfile.TarInfo("top")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, kind in kinds:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)


def tree(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(params=["x.zip", "x.tar", "x.tar.gz"])
def archive(request, tmp_path):
    path = tmp_path / request.param
    (make_zip if path.suffix == ".zip" else make_tar)(path, FILES)
    return path


def test_all_files(archive, tmp_path):
    counted = []
    assert unpack(archive, tmp_path / "out", advance=counted.append) == 3
    assert tree(tmp_path / "out") == FILES
    assert counted == [1, 1, 1]


def test_chosen_files(archive, tmp_path):
    assert unpack(archive, tmp_path / "out", members=("top/deep/", "other/")) == 2
    assert set(tree(tmp_path / "out")) == {"top/deep/b.txt", "other/c.txt"}


def test_a_second_time(archive, tmp_path):
    """Whole files are left alone, a cut one is made again."""
    unpack(archive, tmp_path / "out")
    assert unpack(archive, tmp_path / "out") == 0
    (tmp_path / "out/top/deep/b.txt").write_bytes(b"tw")
    assert unpack(archive, tmp_path / "out") == 1
    assert tree(tmp_path / "out") == FILES


def test_killed_half_way(archive, tmp_path, monkeypatch):
    def dies(_):
        yield b"on"
        raise KeyboardInterrupt

    monkeypatch.setattr(Member, "content", dies)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {}
    monkeypatch.undo()
    assert unpack(archive, tmp_path / "out") == 3


EVIL = ["../evil", "top/../../evil", "/tmp/evil", "top\\..\\evil", "C:evil"]  # noqa: S108


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("ending", ["zip", "tar"])
def test_members_that_would_leave(name, ending, tmp_path):
    path = tmp_path / "inner" / f"x.{ending}"
    path.parent.mkdir()
    (make_zip if ending == "zip" else make_tar)(path, FILES | {name: b"evil"})
    with pytest.raises(ValueError, match=f"x.{ending} is not unpacked: its member .* would leave"):
        unpack(path, tmp_path / "inner" / "out", members=("top/",))
    assert not (tmp_path / "inner" / "out").exists()
    assert not list(tmp_path.rglob("*evil*"))


KINDS = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_devices_in_a_tar(kind, tmp_path):
    make_tar(tmp_path / "x.tar", FILES, kinds=[("top/odd", kind)])
    with pytest.raises(ValueError, match="its member 'top/odd' is a link or a device"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_inside_of_the_folder_in_a_tar(tmp_path):
    """Which tarfile's own filter lets through."""
    make_tar(tmp_path / "x.tar", FILES, kinds=[("top/odd", tarfile.SYMTYPE)], target="a.txt")
    with pytest.raises(ValueError, match="its member 'top/odd' is a link or a device"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_in_a_zip(tmp_path):
    make_zip(tmp_path / "x.zip", FILES, links=["top/odd"])
    with pytest.raises(ValueError, match="its member 'top/odd' is a link or a device"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_broken_archives(ending, tmp_path):
    (tmp_path / f"x.{ending}").write_bytes(b"no archive" * 100)
    with pytest.raises(ValueError, match=f"x.{ending} cannot be unpacked"):
        unpack(tmp_path / f"x.{ending}", tmp_path / "out")


def test_a_cut_archive(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 3])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")


def test_a_member_with_fewer_bytes_than_it_says(archive, tmp_path, monkeypatch):
    """What is there under its name stays as it is."""
    (tmp_path / "out/top").mkdir(parents=True)
    (tmp_path / "out/top/a.txt").write_bytes(b"older")
    with opened(archive) as entries:
        longer = [dataclasses.replace(e, size=e.size + 1) for e in entries if not e.folder]
        monkeypatch.setattr(module, "opened", lambda _: contextlib.nullcontext(longer))
        _refuses_the_first(archive, tmp_path)


def _refuses_the_first(archive, tmp_path):
    with pytest.raises(ValueError, match=r"cannot be unpacked: top/a\.txt is cut short"):
        unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"top/a.txt": b"older"}


def test_content_that_is_not_as_it_was_packed(tmp_path):
    """The check sum of a zip."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", b"content")
    (tmp_path / "x.zip").write_bytes(
        (tmp_path / "x.zip").read_bytes().replace(b"content", b"CONTENT")
    )
    with pytest.raises(ValueError, match="Bad CRC-32"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_a_disk_that_is_too_small(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(OSError, match=r"needs 0 MiB in .*, which has 0 MiB"):
        unpack(archive, tmp_path / "out")
