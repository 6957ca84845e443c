"""Servers that break off or dawdle, full disks, kills: it goes on, or says why; never for ever."""

import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time

import file_server
import httpx
import pytest
from conftest import REPOSITORY
from file_server import CONTENT, begin, complete, names

from evaluation.prepare import download as module
from evaluation.prepare import transfer
from evaluation.prepare.download import download
from evaluation.prepare.patience import Patience

rules, url, path = file_server.rules, file_server.url, file_server.path


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
