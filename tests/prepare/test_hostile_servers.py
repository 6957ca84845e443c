"""Servers that break off, change their file, lie or dawdle: never another file, never for ever."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time

import file_server
import httpx
import numpy as np
import pytest
from conftest import REPOSITORY
from file_server import CONTENT, MD5, OLD, RECENT

from evaluation.prepare import download as module
from evaluation.prepare import transfer
from evaluation.prepare.download import download
from evaluation.prepare.patience import Patience

rules, url = file_server.rules, file_server.url
OTHER = b"PK\x05\x06" + CONTENT[:3:-1]
ONCE = Patience(tries=1)


@pytest.fixture
def path(tmp_path):
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


@pytest.mark.parametrize(("etag", "modified"), [('"one"', None), ('"one"', OLD), (None, OLD)])
def test_a_part_is_continued_if_the_file_is_the_same(etag, modified, url, rules, path):
    rules |= {"etag": etag, "modified": modified}
    begin(url, rules, path)
    assert complete(url, path) == []
    assert path.read_bytes() == CONTENT
    assert (rules["requests"], rules["validators"]) == (["bytes=1000-"], [etag or modified])


@pytest.mark.parametrize(
    ("etag", "modified"), [(None, None), ('W/"one"', None), ('W/"one"', OLD), (None, RECENT)]
)
def test_nothing_vouches_for_the_part(etag, modified, url, rules, path):
    """A weak ETag, or a date that is too young, tells no two versions apart."""
    rules |= {"etag": etag, "modified": modified}
    begin(url, rules, path)
    said = "the server does not say that its file is still the one of this part"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == CONTENT
    assert rules["requests"] == [None]


def test_nothing_vouches_for_the_part_but_a_digest_will(url, rules, path):
    rules["etag"] = None
    begin(url, rules, path)
    assert complete(url, path, digest=MD5) == []
    assert rules["requests"] == ["bytes=1000-"]


@pytest.mark.parametrize("content", [OTHER, OTHER[:50_000], OTHER * 2])
@pytest.mark.parametrize("honest", [True, False])
def test_the_file_changed_between_two_tries(content, honest, url, rules, path):
    """Also if the server continues all the same: its ETag is another."""
    begin(url, rules, path)
    rules |= {"content": content, "etag": '"two"', "honest": honest}
    notes = complete(url, path)
    assert path.read_bytes() == content
    assert len(notes) == 1
    assert notes[0].startswith("file.zip.part is begun again: ")


@pytest.mark.parametrize("size", [50_000, 2 * len(CONTENT)])
def test_only_the_length_changed(size, url, rules, path):
    """The server forgot to give its file another ETag."""
    begin(url, rules, path)
    rules["content"] = (OTHER * 2)[:size]
    said = f"its length was {len(CONTENT)}, now it is {size} (try 1 of 5)"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == (OTHER * 2)[:size]


@pytest.mark.parametrize(
    "said",
    [
        "bytes 999-{last}/{all}", "bytes 1000-{last}/*", "bytes 1000-{all}/{all}", "bytes 1000-",
        "bytes 1000-900/{all}", "bytes {all}-{last}/{all}", "items 1000-{last}/{all}", None,
        "bytes 1000-2000/{all}", "bytes 1000-{last}/99999999999999999999999",
    ],
)  # fmt: skip
def test_a_range_that_does_not_continue_the_part(said, url, rules, path):
    begin(url, rules, path)
    said = said and said.format(last=len(CONTENT) - 1, all=len(CONTENT))
    rules["turns"] = [{"headers": {"Content-Range": said}}, {"headers": {}}]
    notes = complete(url, path)
    assert path.read_bytes() == CONTENT
    assert len(notes) == 1
    assert notes[0].startswith("file.zip.part is begun again: the server sends ")
    assert rules["requests"] == ["bytes=1000-", None]


def test_a_server_that_sends_it_in_pieces(url, rules, path):
    begin(url, rules, path)
    rules["most"] = 300_000
    notes = complete(url, path)
    assert path.read_bytes() == CONTENT
    sizes = [re.search(r"sent the bytes up to (\d+) of", note)[1] for note in notes]
    assert sizes == ["301000", "601000"]


@pytest.mark.parametrize("resets", [True, False])
def test_a_connection_that_breaks(resets, url, rules, path):
    """Tried again some times, and then said."""
    rules |= {"stops": [1000] * 4, "resets": resets}
    notes = complete(url, path)
    assert path.read_bytes() == CONTENT
    assert [re.search(r"after (\d+) of", note)[1] for note in notes] == [
        "1000",
        "2000",
        "3000",
        "4000",
    ]


def test_a_connection_that_always_breaks(url, rules, path):
    rules["stops"] = [1000] * 9
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value).startswith(f"{url} stopped after 5000 of {len(CONTENT)} bytes")
    assert str(caught.value).endswith("; the same command goes on there")
    assert len(rules["requests"]) == 5
    assert path.with_name("file.zip.part").read_bytes() == CONTENT[:5000]


def test_pauses_double(url, rules, path, monkeypatch):
    rules["stops"] = [1000] * 4
    pauses = []
    monkeypatch.setattr(module, "sleep", pauses.append)
    download(url, path)
    assert pauses == [1, 2, 4, 8]


def test_the_network_is_gone_for_a_moment(url, rules, path, monkeypatch):
    real, asked = httpx.stream, []

    def stream(*arguments, **more):
        asked.append(arguments)
        if len(asked) == 2:
            raise httpx.ConnectError("no route")
        return real(*arguments, **more)

    monkeypatch.setattr(httpx, "stream", stream)
    rules["stops"] = [1000]
    assert complete(url, path)[1] == f"{url} cannot be reached again: no route (try 2 of 5)"
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [416, 206])
def test_an_answer_to_nothing_that_was_asked(status, url, rules, path):
    rules["says"] = status
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    sends = "" if status == 416 else " and sends a part"
    assert str(caught.value) == (
        f"{url} cannot be downloaded: the server says {status}{sends}, though the whole file was "
        "asked for"
    )
    assert names(path) == []


@pytest.mark.parametrize("said", [None, "bytes */5", "bytes */*", "nonsense"])
def test_a_stray_416(said, url, rules, path):
    """Of the part nothing is known then: it is begun again, once."""
    begin(url, rules, path)
    rules["turns"] = [
        {"status": 416, "headers": {"Content-Range": said}},
        {"status": None, "headers": {}},
    ]
    said = f"the server says 416 and {said or 'no Content-Range'!r} (try 1 of 5)"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == CONTENT


def test_a_part_that_was_whole(url, rules, path):
    """Killed between the last byte and the new name."""
    begin(url, rules, path)
    path.with_name("file.zip.part").write_bytes(CONTENT)
    assert complete(url, path) == []
    assert path.read_bytes() == CONTENT
    assert rules["requests"] == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_without_length(chunked, url, rules, path):
    """In chunks its end is known; else only a digest tells."""
    rules |= {"chunked": True} if chunked else {"headers": {"Content-Length": None}}
    if not chunked:
        with pytest.raises(ConnectionError) as caught:
            download(url, path)
        assert str(caught.value) == (
            f"{url} cannot be downloaded: the server does not say its length, and no hash is "
            "known, so that nothing would tell whether it is whole"
        )
    complete(url, path, digest="" if chunked else MD5)
    assert path.read_bytes() == CONTENT


def test_chunks_that_stop(url, rules, path):
    rules |= {"chunked": True, "stops": [80_000]}
    assert len(complete(url, path)) == 1
    assert path.read_bytes() == CONTENT


def test_fewer_bytes_than_the_length_says(url, rules, path):
    rules["headers"] = {"Content-Length": str(len(CONTENT) + 5)}
    with pytest.raises(ConnectionError, match="the same command goes on there"):
        download(url, path)
    assert not path.exists()


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
def test_a_content_encoding(coding, url, rules, path):
    rules["headers"] = {"Content-Encoding": coding}
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"{url} cannot be downloaded: the server sends it with the Content-Encoding {coding}, "
        "though identity was asked for"
    )


def test_the_encoding_of_a_gzip_file_is_the_file(url, rules, tmp_path):
    """Some servers say so of every .gz: the bytes are those of the file."""
    rules |= {"headers": {"Content-Encoding": "x-gzip"}, "content": b"\x1f\x8b" + CONTENT}
    download(url.replace(".zip", ".tar.gz"), tmp_path / "file.tar.gz")
    assert (tmp_path / "file.tar.gz").read_bytes() == b"\x1f\x8b" + CONTENT


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "Application/xhtml+xml"])
def test_a_login_page_leaves_the_part(kind, url, rules, path):
    begin(url, rules, path)
    page = {"content": b"<html>log in", "headers": {"Content-Type": kind}, "ranges": False}
    rules["turns"] = [page, {"content": CONTENT, "headers": {}, "ranges": True}]
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"{url} cannot be downloaded: a web page comes in place of file.zip; is there a login page "
        "before the network?"
    )
    assert complete(url, path) == []
    assert rules["requests"][-1] == "bytes=1000-"


@pytest.mark.parametrize("digest", ["", MD5])
def test_a_login_page_of_no_kind(digest, url, rules, path):
    rules["content"] = b"\n<!DOCTYPE html><p>log in"
    with pytest.raises(ValueError) as caught:
        download(url, path, digest=digest)
    assert str(caught.value) == (
        "file.zip is a web page in place of the file; is there a login page before the network?; "
        "it was deleted"
    )
    assert names(path) == []


@pytest.mark.parametrize(("content", "first"), [(b'{"error": 1}', b'{"error"'), (b"", b"")])
def test_something_else_in_place_of_an_archive(content, first, url, rules, path):
    rules["content"] = content
    with pytest.raises(ValueError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"file.zip begins with {first!r}, which is no .zip archive; it was deleted"
    )


def test_an_empty_table(url, rules, tmp_path):
    rules["content"] = b""
    with pytest.raises(ValueError, match=r"^file.csv is empty; it was deleted$"):
        download(url, tmp_path / "file.csv")


@pytest.mark.parametrize("slow", [{"piece": 1, "pause": 0.02}, {"slow_head": 0.02}])
def test_a_byte_at_a_time(slow, url, rules, path):
    """Whether the body or the headers come so."""
    rules |= slow
    patience = Patience(window_seconds=0.2, least_bytes=1000)
    start = time.monotonic()
    with pytest.raises(ConnectionError) as caught:
        download(url, path, patience=patience)
    assert time.monotonic() - start < 2
    assert re.fullmatch(
        rf"{url} is given up: \d+ bytes came in 0.2 s, expected 1000 or more; the same command "
        "goes on there",
        str(caught.value),
    )
    part = path.with_name("file.zip.part")
    size = part.stat().st_size if part.exists() else 0
    time.sleep(0.1)
    assert (part.stat().st_size if part.exists() else 0) == size  # nobody writes any more
    rules |= {"piece": None, "pause": 0, "slow_head": 0}
    assert complete(url, path) == []
    assert path.read_bytes() == CONTENT


def test_slow_but_fast_enough(url, rules, path):
    rules |= {"piece": len(CONTENT) // 8, "pause": 0.1}
    download(url, path, patience=Patience(window_seconds=0.5, least_bytes=1000))
    assert path.read_bytes() == CONTENT


def test_silence(url, rules, path):
    rules |= {"piece": len(CONTENT) // 2, "pause": 0.5}
    patience = Patience(silent_seconds=0.1, tries=1)
    with pytest.raises(ConnectionError, match=r"file.zip stopped after 0 of \d+ bytes: timed"):
        download(url, path, patience=patience)


def test_redirects_in_circles(url, rules, path):
    rules |= {"says": 302, "headers": {"Location": url}}
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == f"{url} cannot be downloaded: Exceeded maximum allowed redirects."


@pytest.mark.parametrize("place", ["http://[", "ftp://x/y", "//", "http://\x7f", "http:///x"])
def test_redirects_to_nowhere(place, url, rules, path):
    rules |= {"says": 302, "headers": {"Location": place}}
    with pytest.raises(ConnectionError, match="cannot be downloaded: "):
        download(url, path)


def test_a_disk_that_becomes_full(url, path, monkeypatch):
    """What is there is kept, and is the beginning of the file."""
    real, written = transfer.Transfer._write, []

    class Full:
        def open(self, _):
            raise OSError(28, "No space left on device")

        def __str__(self):
            return str(path) + ".part"

    def fails(self, chunk):
        written.append(chunk)
        if len(written) < 3:
            return real(self, chunk)
        real_path, self.part.path = self.part.path, Full()
        try:
            return real(self, chunk)
        finally:
            self.part.path = real_path

    monkeypatch.setattr(transfer.Transfer, "_write", fails)
    with pytest.raises(OSError) as caught:
        download(url, path)
    part = path.with_name("file.zip.part")
    assert str(caught.value) == (
        f"{part} cannot be written: No space left on device; what is there is kept, and the same "
        "command goes on"
    )
    assert part.read_bytes() == CONTENT[: len(b"".join(written[:2]))]
    monkeypatch.undo()
    assert complete(url, path) == []


def test_a_disk_that_is_too_small(url, path, monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError) as caught:
        download(url, path)
    assert str(caught.value) == f"file.zip needs 0 MiB more in {path.parent}, which has 0 MiB"


def test_two_at_once(url, rules, path):
    rules |= {"piece": len(CONTENT) // 4, "pause": 0.1}
    first = threading.Thread(target=download, args=(url, path))
    first.start()
    while not rules["requests"]:
        time.sleep(0.01)
    with pytest.raises(BlockingIOError) as caught:
        download(url, path)
    assert str(caught.value) == (f"{path}.part is in use: another process downloads file.zip")
    first.join()
    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.zip"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 9999, '{"url": 1, "validator": 2, "total": "x"}']
)
def test_a_broken_note_beside_the_part(text, url, rules, path):
    begin(url, rules, path)
    path.with_name("file.zip.part.json").write_text(text)
    assert len(complete(url, path)) == 1
    assert rules["requests"] == [None]


def test_a_part_of_another_address(url, rules, path):
    begin(url, rules, path)
    complete(url.replace("file", "other"), path)
    assert rules["requests"] == [None]


def test_killed_while_it_downloads(url, rules, path):
    """SIGKILL, again and again; in the end the file is right."""
    rules |= {"piece": 20_000, "pause": 0.005}
    code = f"""
        from pathlib import Path
        from evaluation.prepare.download import download
        download({url!r}, Path({str(path)!r}))
    """
    part, kills = path.with_name("file.zip.part"), 0
    while not path.exists():
        before = part.stat().st_size if part.exists() else 0
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=REPOSITORY)
        while process.poll() is None and kills < 2:
            if part.exists() and part.stat().st_size > before + 100_000:
                process.kill()
                kills += 1
            time.sleep(0.002)
        process.wait()
    assert path.read_bytes() == CONTENT
    assert names(path) == ["file.zip"]
    assert rules["requests"][0] is None
    assert None not in rules["requests"][1:]
    assert kills


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
