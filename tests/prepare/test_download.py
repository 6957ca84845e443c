"""Downloads from a server on this machine: resumed, checked, and never half there."""

import file_server
import pytest
from file_server import CONTENT, MD5

from evaluation.prepare.download import download
from evaluation.prepare.patience import Patience

ONCE = Patience(tries=1)
rules, url = file_server.rules, file_server.url


def test_a_whole_file(url, rules, tmp_path):
    said = []
    path = tmp_path / "deep" / "file.zip"
    download(url, path, digest=MD5, on_progress=lambda *now: said.append(now))
    assert path.read_bytes() == CONTENT
    assert said == sorted(said)
    assert said[-1] == (len(CONTENT), len(CONTENT))
    assert [p.name for p in path.parent.iterdir()] == ["file.zip"]
    assert rules["requests"] == [None]


def test_going_on_where_it_stopped(url, rules, tmp_path):
    rules["stops"] = [1000, 500]
    path = tmp_path / "file.zip"
    for _ in range(2):
        with pytest.raises(ConnectionError):
            download(url, path, digest=MD5, patience=ONCE)
        assert not path.exists()
    download(url, path, digest=MD5, patience=ONCE)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["file.zip"]
    assert rules["requests"] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_that_does_not_resume(url, rules, tmp_path):
    rules |= {"ranges": False, "stops": [1000]}
    path = tmp_path / "file.zip"
    with pytest.raises(ConnectionError):
        download(url, path, patience=ONCE)
    download(url, path, digest=MD5)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_already_whole(url, tmp_path):
    (tmp_path / "file.zip.part").write_bytes(CONTENT)
    download(url, tmp_path / "file.zip", digest=MD5)
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_a_part_of_something_longer(url, tmp_path):
    (tmp_path / "file.zip.part").write_bytes(CONTENT * 2)
    download(url, tmp_path / "file.zip", digest=MD5)
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_another_content_is_deleted(url, tmp_path):
    (tmp_path / "file.zip.part").write_bytes(b"of an older file")
    with pytest.raises(ValueError, match=f"file.zip has the md5 .*, expected {MD5[4:]}; it was"):
        download(url, tmp_path / "file.zip", digest=MD5)
    assert not list(tmp_path.iterdir())
    download(url, tmp_path / "file.zip", digest=MD5)


def test_a_file_of_no_known_digest_is_taken(url, tmp_path):
    download(url, tmp_path / "file.zip")
    assert (tmp_path / "file.zip").read_bytes() == CONTENT


def test_another_content_does_not_touch_the_file_that_is_there(url, tmp_path):
    (tmp_path / "file.zip").write_bytes(b"good")
    with pytest.raises(ValueError, match="has the sha1"):
        download(url, tmp_path / "file.zip", digest="sha1:0")
    assert (tmp_path / "file.zip").read_bytes() == b"good"


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_server_that_refuses(status, url, rules, tmp_path):
    rules["status"] = status
    with pytest.raises(ConnectionError, match=f"cannot be downloaded: the server says {status}"):
        download(url, tmp_path / "file.zip")


def test_no_server(tmp_path):
    with pytest.raises(ConnectionError, match=r"http://127.0.0.1:9/x cannot be downloaded"):
        download("http://127.0.0.1:9/x", tmp_path / "x")


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_only_the_web(address, tmp_path):
    with pytest.raises(ConnectionError, match="cannot be downloaded"):
        download(address, tmp_path / "x")
