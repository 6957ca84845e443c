"""Bars of work of unknown size: seen on a terminal, silent in a log."""

import io

import pytest
from rich.console import Console

from evaluation import console


@pytest.fixture(params=[True, False])
def screen(request, monkeypatch):
    """Whether it is a terminal, and what is printed there."""
    printed = io.StringIO()
    monkeypatch.setattr(
        console, "console", Console(file=printed, force_terminal=request.param, width=120)
    )
    return request.param, printed


def test_files_are_counted(screen):
    terminal, printed = screen
    with console.counting("unpacking x.zip") as advance:
        advance(2)
        advance(3)
    text = printed.getvalue()
    assert ("unpacking x.zip" in text and "5 files" in text) == terminal
    assert terminal or not text


@pytest.mark.parametrize("total", [4000, None])
def test_bytes_are_shown(screen, total):
    terminal, printed = screen
    with console.downloading("x.zip") as on_progress:
        on_progress(1000, total)
        on_progress(4000, total)
    text = printed.getvalue()
    assert ("x.zip" in text and "4.0" in text) == terminal
    assert terminal or not text.strip()
