"""Downloads from a server on this machine: resumed, checked, and never half there."""

import functools
import hashlib
import http.server
import threading

import pytest

from evaluation.prepare.download import download

CONTENT = bytes(range(256)) * 3000
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"  # noqa: S324


class Server(http.server.BaseHTTPRequestHandler):
    """One file. ``rules``: whether ranges work, after how many bytes it hangs up, a status."""

    def __init__(self, rules, *arguments):
        self.rules = rules
        super().__init__(*arguments)

    def do_GET(self):
        asked = self.headers.get("Range")
        self.rules["asked"].append(asked)
        start = int(asked[6:-1]) if asked and self.rules["ranges"] else 0
        if self.rules["status"]:
            self.send_error(self.rules["status"])
            return
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        stop = self.rules["stops"].pop(0) if self.rules["stops"] else None
        self.wfile.write(CONTENT[start : stop and start + stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def rules():
    return {"ranges": True, "stops": [], "status": None, "asked": []}


@pytest.fixture
def url(rules, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = functools.partial(Server, rules)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.zip"
        server.shutdown()
        thread.join()


def test_a_whole_file(url, rules, tmp_path):
    told = []
    path = tmp_path / "deep" / "file.zip"
    download(url, path, digest=MD5, told=lambda *said: told.append(said))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [p.name for p in path.parent.iterdir()] == ["file.zip"]
    assert rules["asked"] == [None]


def test_going_on_where_it_stopped(url, rules, tmp_path):
    rules["stops"] = [1000, 500]
    path = tmp_path / "file.zip"
    for _ in range(2):
        with pytest.raises(ConnectionError):
            download(url, path, digest=MD5)
        assert not path.exists()
    download(url, path, digest=MD5)
    assert path.read_bytes() == CONTENT
    assert rules["asked"] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_that_does_not_resume(url, rules, tmp_path):
    rules |= {"ranges": False, "stops": [1000]}
    path = tmp_path / "file.zip"
    with pytest.raises(ConnectionError):
        download(url, path)
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
