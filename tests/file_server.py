"""A server of one file on this machine, which can refuse, stop early and resume."""

import functools
import hashlib
import http.server
import threading

import pytest

CONTENT = bytes(range(256)) * 3000
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"  # noqa: S324


class Server(http.server.BaseHTTPRequestHandler):
    """One file, by the `rules`."""

    def __init__(self, rules, *arguments):
        self.rules = rules
        super().__init__(*arguments)

    def do_GET(self):
        content, sent = self.rules["content"], self.headers.get("Range")
        self.rules["requests"].append(sent)
        start = int(sent[6:-1]) if sent and self.rules["ranges"] else 0
        if self.rules["status"]:
            self.send_error(self.rules["status"])
            return
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = self.rules["stops"].pop(0) if self.rules["stops"] else None
        self.wfile.write(content[start : stop and start + stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def rules():
    """How the server behaves, and which ranges were requested, None for the whole file.

    ranges: whether it resumes. stops: after how many bytes it hangs up, request by request.
    status: an error that it answers with.
    """
    return {"content": CONTENT, "ranges": True, "stops": [], "status": None, "requests": []}


@pytest.fixture
def url(rules, monkeypatch):
    """The address of the file while the server runs."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    handler = functools.partial(Server, rules)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/file.zip"
        server.shutdown()
        thread.join()
