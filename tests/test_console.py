"""Text of users, files and records is shown as it is: no markup, nothing that a terminal obeys."""

import io

import pytest
from rich.text import Text

from evaluation import console as module
from evaluation.console import counting, downloading, literal, note, progress, say, visible

HOSTILE = {
    "\x1b[2J\x1b[31mred": r"\x1b[2J\x1b[31mred",
    "\x9b2J": r"\x9b2J",
    "beep\x07": r"beep\x07",
    "99.9\rmIoU  1.0": r"99.9\rmIoU  1.0",
    "a\nrecord: /etc": r"a\nrecord: /etc",
    "a\u2028b\x85c": r"a\u2028b\x85c",
    "gem\u202egnorw\u2066": r"gem\u202egnorw\u2066",
    "\udcff.jpg": r"\udcff.jpg",
    "\x1b]8;;http://x\x1b\\link": r"\x1b]8;;http://x\x1b\link",
    "[bold]x[/] :smile: [link=http://x]": "[bold]x[/] :smile: [link=http://x]",
    "café 猫 क्\u200dष 👩\u200d🚀": "café 猫 क्\u200dष 👩\u200d🚀",
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_would_command_a_terminal_is_written_out(text, capsys):
    assert visible(text) == HOSTILE[text]
    assert literal(text).plain == HOSTILE[text]
    say("label: ", text)
    note(text)
    shown = HOSTILE[text]
    assert capsys.readouterr().out == f"label: {shown}\nnote: {shown}\n"


def test_a_log_that_is_not_utf_8(monkeypatch):
    """An error here would end a pass over a name of a folder."""
    log = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", newline="\n")
    monkeypatch.setattr("sys.stdout", log)
    say("café 猫")
    assert log.buffer.getvalue() == b"caf\xe9 \\u732b\n"


def test_parts_of_ours_keep_their_style():
    line = Text.assemble(Text("failed: ", "bold red"), literal("[dim]"))
    assert line.plain == "failed: [dim]"
    assert [span.style for span in line.spans] == ["bold red"]


@pytest.mark.parametrize("bar", [lambda text: progress(text, 3), counting, downloading])
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_bar_shows_its_title_as_it_is(text, bar, monkeypatch, capsys):
    terminal = type(module.console)(
        force_terminal=True, width=120, color_system=None, _environ={"TERM": "xterm"}
    )
    monkeypatch.setattr(module, "console", terminal)
    with bar(text):
        pass
    said = capsys.readouterr().out
    assert HOSTILE[text] in said
    for line in ("\x1b[2J", "\x1b[31m", "\x07", "\x9b", "\u202e", "\x1b]8"):
        assert line not in said
