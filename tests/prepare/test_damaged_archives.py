"""Archives with other bytes than they were published with: refused, or every file as it was."""

import gzip
import tarfile
import zipfile

import pytest
from test_unpack import FILES, make_tar, make_zip, tree

from evaluation.prepare import bounded
from evaluation.prepare.unpack import unpack


def refused(path, folder):
    """The sentence by which an archive is refused; nothing was written."""
    with pytest.raises(ValueError) as caught:
        unpack(path, folder)
    assert not folder.exists() or tree(folder) == {}
    return str(caught.value)


@pytest.fixture
def tarred(tmp_path):
    """The bytes of a plain tar."""
    make_tar(tmp_path / "plain.tar", FILES)
    return (tmp_path / "plain.tar").read_bytes()


def test_a_gzip_whose_check_sum_is_another(tmp_path, tarred):
    """Python's tarfile stops before it."""
    packed = bytearray(gzip.compress(tarred))
    packed[-8] ^= 1
    (tmp_path / "x.tar.gz").write_bytes(packed)
    said = refused(tmp_path / "x.tar.gz", tmp_path / "out")
    assert said.startswith("x.tar.gz cannot be unpacked: CRC check failed 0x")


def test_a_gzip_of_another_length(tmp_path, tarred):
    packed = bytearray(gzip.compress(tarred))
    packed[-4] ^= 1
    (tmp_path / "x.tar.gz").write_bytes(packed)
    said = refused(tmp_path / "x.tar.gz", tmp_path / "out")
    assert said == "x.tar.gz cannot be unpacked: Incorrect length of data produced"


def test_a_gzip_without_its_check_sum(tmp_path, tarred):
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(tarred)[:-8])
    assert refused(tmp_path / "x.tar.gz", tmp_path / "out") == (
        "x.tar.gz cannot be unpacked: Compressed file ended before the end-of-stream marker was "
        "reached"
    )


def test_a_content_that_was_changed_in_a_gzip(tmp_path, tarred):
    """What is stored uncompressed shows nothing but the check sum."""
    packed = gzip.compress(tarred, compresslevel=0).replace(b"three", b"thr3e")
    (tmp_path / "x.tar.gz").write_bytes(packed)
    assert "CRC check failed" in refused(tmp_path / "x.tar.gz", tmp_path / "out")


@pytest.mark.parametrize("packs", [bytes, gzip.compress])
def test_a_tar_that_ends_after_a_member(packs, tmp_path, tarred):
    name = "x.tar" if packs is bytes else "x.tar.gz"
    (tmp_path / name).write_bytes(packs(tarred[: tarred.index(b"other/c.txt")]))
    assert refused(tmp_path / name, tmp_path / "out") == (
        f"{name} cannot be unpacked: it is damaged or cut short: empty header"
    )


def test_a_tar_that_ends_in_a_header(tmp_path, tarred):
    (tmp_path / "x.tar").write_bytes(tarred[: tarred.index(b"other/c.txt") + 100])
    assert refused(tmp_path / "x.tar", tmp_path / "out") == (
        "x.tar cannot be unpacked: it is damaged: its size is no whole number of blocks"
    )


def test_a_damaged_header_in_the_middle(tmp_path, tarred):
    """tarfile takes it for the end, and gives the members before."""
    (tmp_path / "x.tar").write_bytes(tarred.replace(b"other/c.txt", b"other/d.txt"))
    assert refused(tmp_path / "x.tar", tmp_path / "out") == (
        "x.tar cannot be unpacked: it is damaged or cut short: bad checksum"
    )


def test_something_behind_the_end(tmp_path, tarred):
    (tmp_path / "x.tar").write_bytes(tarred + tarred)
    assert refused(tmp_path / "x.tar", tmp_path / "out") == (
        "x.tar cannot be unpacked: there are data behind its end"
    )


def header(size, name=b"a", kind=b"0"):
    """A tar header with a size that tarfile itself would not write."""
    info = tarfile.TarInfo(name.decode())
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("size", "kind", "said"),
    [
        (-512, b"0", "a has -512 bytes"),
        (-4096, b"0", "a has -4096 bytes"),
        (-512, b"x", "a header of -512 bytes"),
        (-512, b"L", "a header of -512 bytes"),
        ((0x80 << 88) + (1 << 30), b"L", f"a header of {1 << 30} bytes"),
    ],
)
def test_sizes_that_lead_anywhere(size, kind, said, tmp_path, tarred):
    """Negative ones would lead Python's tarfile back, for ever."""
    wrong = header(size.to_bytes(12, "big", signed=size < 0), kind=kind)
    for front in (b"", tarred[: tarred.index(b"other/c.txt")]):
        (tmp_path / "x.tar").write_bytes(front + wrong + tarred)
        assert refused(tmp_path / "x.tar", tmp_path / "out") == f"x.tar cannot be unpacked: {said}"


def test_a_tar_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_ANYWAY", 1 << 20)
    make_tar(tmp_path / "x.tar.gz", {"a": bytes(2 << 20)})
    assert refused(tmp_path / "x.tar.gz", tmp_path / "out") == (
        "x.tar.gz cannot be unpacked: it would unpack to more than 1 MiB, 200 times its size"
    )


def test_a_zip_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_ANYWAY", 1 << 20)
    make_zip(tmp_path / "x.zip", {"a": bytes(2 << 20)})
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip is not unpacked: it would become 2 MiB, more than 200 times its size (1 MiB are "
        "allowed)"
    )


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.prepare.archive.MOST_MEMBERS", 2)
    make_tar(tmp_path / "x.tar", FILES)
    assert refused(tmp_path / "x.tar", tmp_path / "out") == (
        "x.tar cannot be unpacked: it has more than 2 members"
    )


def test_an_encrypted_zip(tmp_path):
    """The flag is enough; nothing is tried."""
    make_zip(tmp_path / "x.zip", FILES)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    content[entry + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip is not unpacked: its member 'top/a.txt' is encrypted"
    )


def test_a_zip_of_an_unknown_method(tmp_path):
    make_zip(tmp_path / "x.zip", FILES)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    content[entry + 10] = 93
    (tmp_path / "x.zip").write_bytes(content)
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip is not unpacked: its member 'top/a.txt' is compressed by the method 93, which "
        "cannot be read here"
    )


def test_a_damaged_member_of_a_zip(tmp_path):
    make_zip(tmp_path / "x.zip", {"a.txt": bytes(range(256)) * 40})
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[content.index(b"a.txt") + 20] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(content)
    assert refused(tmp_path / "x.zip", tmp_path / "out").startswith("x.zip cannot be unpacked: ")


def test_an_entry_that_swallows_the_next(tmp_path):
    """zipfile believes the length of its comment, and the table has a file less."""
    make_zip(tmp_path / "x.zip", FILES)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[content.rindex(b"top/deep/b.txt") - 14] = len("other/c.txt") + 46
    (tmp_path / "x.zip").write_bytes(content)
    assert len(zipfile.ZipFile(tmp_path / "x.zip").namelist()) == 3
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip cannot be unpacked: its table has 3 entries, and its end says 4"
    )


def test_the_number_of_very_many_files(tmp_path, monkeypatch):
    """It stands in another record, as written here for four."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    monkeypatch.setattr("evaluation.prepare.archive.MANY", 4)
    make_zip(tmp_path / "x.zip", FILES)
    content = bytearray((tmp_path / "x.zip").read_bytes())
    assert unpack(tmp_path / "x.zip", tmp_path / "whole") == 3
    content[content.index(b"PK\x06\x06") + 32] = 5
    (tmp_path / "x.zip").write_bytes(content)
    assert refused(tmp_path / "x.zip", tmp_path / "out") == (
        "x.zip cannot be unpacked: its table has 4 entries, and its end says 5"
    )
