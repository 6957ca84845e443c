"""A server that does something else at each request: an error, or a file that it had whole."""

import os

import file_server
import numpy as np
import pytest
from file_server import CONTENT, MD5, OLD, OTHER

from evaluation.prepare.download import download

rules, url, path = file_server.rules, file_server.url, file_server.path


TURNS = [
    {}, {"status": 503}, {"status": 416}, {"says": 206}, {"says": 416}, {"says": 200},
    {"content": OTHER, "etag": '"two"'}, {"content": CONTENT[:5000], "etag": '"four"'},
    {"content": OTHER[:5000], "etag": '"three"'}, {"etag": None}, {"etag": 'W/"one"'},
    {"etag": None, "modified": OLD}, {"honest": False}, {"ranges": False}, {"chunked": True},
    {"stops": [10]}, {"stops": [300_000], "resets": True}, {"most": 50_000},
    {"headers": {"Content-Length": "800000"}}, {"headers": {"Content-Length": None}},
    {"headers": {"Content-Range": "bytes 0-1/2"}},
    {"headers": {"Content-Length": "x"}},
    {"headers": {"Content-Encoding": "gzip"}}, {"headers": {"Content-Type": "text/html"}},
    {"headers": {"Transfer-Encoding": "chunked"}}, {"headers": {"ETag": '"one"'}},
]  # fmt: skip
USUAL = {
    "status": None, "says": None, "etag": '"one"', "modified": None, "honest": True, "ranges": True,
    "chunked": False, "stops": [], "resets": False, "most": None, "headers": {}, "content": CONTENT,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(int(os.environ.get("GEM_SEEDS", "12"))))
def test_any_server(seed, url, rules, path):
    """One that does something else at each request: an error, or a file that it had whole."""
    generator = np.random.default_rng(seed)
    honest = [CONTENT, OTHER, CONTENT[:5000], OTHER[:5000]]
    for number in range(6):
        turns = [USUAL | TURNS[i] for i in generator.integers(len(TURNS), size=12)]
        rules["turns"] = [turn | {"stops": list(turn["stops"])} for turn in turns]
        digest = MD5 if number % 2 else ""
        try:
            download(url, path, digest=digest)
        except (OSError, ValueError) as error:
            assert "file.zip" in str(error)  # noqa: PT017
            assert not path.exists()
            continue
        found = path.read_bytes()
        assert found in honest
        assert not digest or found == CONTENT
        path.unlink()
