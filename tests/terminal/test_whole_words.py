"""No word of a table is broken, however narrow the terminal."""

import io

import pytest
from rich.console import Console

from evaluation.console import literal
from evaluation.terminal import whole_words
from evaluation.terminal.whole_words import LONGEST, fitted, table_of, too_wide

OPTIONS = "iters=0 temperature=standard temperature_scale=0.001 normalize=False"


def printed(width, monkeypatch, *, terminal=True, options=OPTIONS):
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal, color_system=None,
                      soft_wrap=True)  # fmt: skip
    monkeypatch.setattr(whole_words, "console", console)
    table = table_of("records")
    for heading in ("method", "options", "mIoU fg"):
        table.add_column(heading)
    table.add_row("itaclip_attention", literal(options), "73.9")
    table = fitted(table)
    console.print(table)
    return table, console.file.getvalue()


@pytest.mark.parametrize("width", [200, 80, 60, 40, 10])
@pytest.mark.parametrize("terminal", [True, False])
def test_every_word_is_whole(width, terminal, monkeypatch):
    _, said = printed(width, monkeypatch, terminal=terminal)
    words = said.split()
    assert all(word in words for word in ["itaclip_attention", "mIoU", "fg", *OPTIONS.split()])


def test_lines_go_before_words(monkeypatch):
    wide, said = printed(80, monkeypatch)
    assert "│" in said
    assert not too_wide(wide)
    narrow, said = printed(52, monkeypatch)
    assert "│" not in said
    assert max(map(len, said.splitlines())) <= 52
    assert not too_wide(narrow)
    assert too_wide(printed(30, monkeypatch)[0])


def test_only_what_is_longer_than_all_words_may_break(monkeypatch):
    _, said = printed(60, monkeypatch, options="x" * (LONGEST + 20))
    assert max(map(len, said.splitlines())) <= 90
    assert said.count("x") == LONGEST + 20
