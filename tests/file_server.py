"""A server of one file on this machine, which can refuse, stop early, resume, lie and be slow."""

import contextlib
import functools
import hashlib
import http.server
import re
import socket
import struct
import threading
import time

import pytest

from evaluation.prepare import download as module
from evaluation.prepare.download import download
from evaluation.prepare.patience import Patience

CONTENT = b"PK\x03\x04" + bytes(range(256)) * 3000
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"  # noqa: S324
OTHER = b"PK\x05\x06" + CONTENT[:3:-1]
ONCE = Patience(tries=1)
DATE, OLD, RECENT = (f"Wed, 21 Oct 2015 07:{at} GMT" for at in ("28:00", "20:00", "27:30"))


class Server(http.server.BaseHTTPRequestHandler):
    """One file, by the `rules`."""

    protocol_version = "HTTP/1.1"

    def __init__(self, rules, *arguments):
        self.rules = rules
        super().__init__(*arguments)

    def do_GET(self):
        rules = self.rules
        rules |= rules["turns"].pop(0) if rules["turns"] else {}
        self.close_connection = True
        content, sent = rules["content"], self.headers.get("Range")
        rules["requests"].append(sent)
        rules["validators"].append(self.headers.get("If-Range"))
        same = self.headers.get("If-Range") in {None, rules["etag"], rules["modified"]}
        resumes = sent and rules["ranges"] and (same or not rules["honest"])
        start = int(re.match(r"bytes=(\d+)-", sent)[1]) if resumes else 0
        if rules["status"]:
            self._head(rules["status"], {"Content-Length": "0"})
        elif start and start >= len(content):
            self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
        else:
            self._send(content, start)

    def _send(self, content, start):
        rules, end = self.rules, len(content)
        if start and rules["most"]:
            end = min(end, start + rules["most"])
        head = {"Content-Length": str(end - start)}
        if start:
            head["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        self._head(206 if start else 200, head)
        stop = rules["stops"].pop(0) if rules["stops"] else None
        body = content[start : stop and start + stop][: end - start]
        if rules["chunked"]:
            body = b"".join(
                b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:70000], body[70000:]) if p
            )
            body += b"" if stop else b"0\r\n\r\n"
        for first in range(0, len(body), rules["piece"] or len(body) or 1):
            time.sleep(rules["pause"])
            self.wfile.write(body[first : first + (rules["piece"] or len(body))])
        if stop and rules["resets"]:  # RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _head(self, status, head):
        rules = self.rules
        own = {"ETag": rules["etag"], "Last-Modified": rules["modified"], "Date": rules["date"]}
        if rules["chunked"]:
            head = head | {"Content-Length": None, "Transfer-Encoding": "chunked"}
        head = own | head | rules["headers"]
        lines = [f"HTTP/1.1 {rules['says'] or status} So", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in head.items() if value is not None]
        text = "\r\n".join([*lines, "", ""]).encode()
        for first in range(0, len(text), 1 if rules["slow_head"] else len(text)):
            time.sleep(rules["slow_head"])
            self.wfile.write(text[first : first + (1 if rules["slow_head"] else len(text))])

    def handle(self):
        # The client has gone, or the connection was reset here.
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self):
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        pass


@pytest.fixture
def rules():
    """How the server behaves, and which ranges and validators were requested, None for none.

    ranges: whether it resumes. honest: whether it heeds If-Range. stops: after how many bytes it
    hangs up, request by request; resets: by a reset. status: an error that it answers with; says:
    another number on the same answer. headers: others than the right ones, None for none.
    most: how many bytes of a range it sends. piece, pause, slow_head: how slowly. turns: changes of
    the rules, request by request.
    """
    return {
        "content": CONTENT, "ranges": True, "honest": True, "stops": [], "resets": False,
        "status": None, "says": None, "headers": {}, "etag": '"one"', "modified": None,
        "date": DATE, "chunked": False, "most": None, "piece": None, "pause": 0, "slow_head": 0,
        "turns": [], "requests": [], "validators": [],
    }  # fmt: skip


@pytest.fixture
def url(rules, monkeypatch):
    """The address of the file while the server runs; nobody pauses between two tries."""
    monkeypatch.setattr(module, "sleep", lambda _: None)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = functools.partial(Server, rules)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.zip"
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    """Where the file goes."""
    return tmp_path / "file.zip"


def begin(url, rules, path, size=1000):
    """Leave the first bytes as a part, as a broken connection does."""
    rules["stops"] = [size]
    with pytest.raises(ConnectionError, match=f"stopped after {size} of {len(CONTENT)} bytes"):
        download(url, path, patience=ONCE)
    rules["stops"] = []
    rules["requests"].clear()
    rules["validators"].clear()
    assert path.with_name("file.zip.part").read_bytes() == CONTENT[:size]


def names(path):
    return sorted(one.name for one in path.parent.iterdir())


def complete(url, path, **more):
    """Download; what was noted on the way."""
    notes = []
    download(url, path, note=notes.append, **more)
    assert names(path) == ["file.zip"]
    return notes
