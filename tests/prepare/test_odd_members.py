"""Members of archives whose names no data set has; disks that are full."""

import io
import tarfile
import zipfile

import pytest
from test_damaged_archives import refused
from test_unpack import FILES, make_tar, make_zip

from evaluation.prepare.unpack import unpack

PAIRS = [
    ("top/a.txt", "top/a.txt"),
    ("top/a.txt", "top//a.txt"),
    ("top/a.txt", "./top/a.txt"),
    ("top/a.txt", "top/A.TXT"),
    ("top/\u00e4", "top/a\u0308"),
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("ending", ["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(first, second, ending, tmp_path):
    """Also where a file system would take them for one."""
    path = tmp_path / f"x.{ending}"
    if ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(first, "1")
            archive.writestr(second, "2")
    else:
        with tarfile.open(path, "w") as archive:
            for name in (first, second):
                info = tarfile.TarInfo(name)
                info.size = 1
                archive.addfile(info, io.BytesIO(b"1"))
    assert refused(path, tmp_path / "out") == (
        f"x.{ending} is not unpacked: its members {first!r} and {second!r} would be one file"
    )


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_file_that_is_a_folder(make, tmp_path):
    path = tmp_path / ("x.zip" if make is make_zip else "x.tar")
    make(path, {"other/a/b": b"2", "other/a": b"1"})
    assert refused(path, tmp_path / "out") == (
        f"{path.name} is not unpacked: its member 'other/a' is a file and a folder"
    )


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "a\x7f"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_control_characters(name, make, tmp_path):
    path = tmp_path / ("x.zip" if make is make_zip else "x.tar")
    make(path, {name: b"1"})
    assert refused(path, tmp_path / "out") == (
        f"{path.name} is not unpacked: its member {name!r} has a control character in its name"
    )


def test_a_name_with_a_nul(tmp_path):
    """zipfile cuts it there, and would write a.txt."""
    make_zip(tmp_path / "x.zip", {"a.txt_b.exe": b"1"})
    content = (tmp_path / "x.zip").read_bytes().replace(b"a.txt_", b"a.txt\0")
    (tmp_path / "x.zip").write_bytes(content)
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip is not unpacked: its member 'a.txt\\x00b.exe' has a control character in its name"
    )


def test_a_full_disk(tmp_path, monkeypatch):
    """The file is named, and no half of it is left."""
    make_zip(tmp_path / "x.zip", FILES)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError) as caught:
        unpack(tmp_path / "x.zip", tmp_path / "out")
    path = tmp_path / "out/top/a.txt"
    assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert [one for one in (tmp_path / "out").rglob("*") if one.is_file()] == []
