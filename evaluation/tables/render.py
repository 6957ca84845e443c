"""A sheet as Markdown, LaTeX, CSV, HTML and a table on a terminal; all from its one frame."""

from __future__ import annotations

import html as html_text
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from evaluation.tables.sheet import Sheet
from evaluation.whole_files import write_text

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "†": r"\dag{}",
}  # fmt: skip
Show = Callable[[str], str]
Link = Callable[[str, str], str]


def write_sheet(sheet: Sheet, folder: Path) -> tuple[Path, ...]:
    """Write the four files of a sheet; returns their paths."""
    texts = {
        "md": markdown(sheet), "tex": latex(sheet), "csv": csv(sheet), "html": html(sheet)
    }  # fmt: skip
    paths = tuple(folder / f"{sheet.name}.{suffix}" for suffix in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def shown(sheet: Sheet, row: int, column: str) -> str:
    """A cell as text: decimals, sign, and a dash where nothing was published."""
    value = sheet.frame[column][row]
    if isinstance(value, float):
        sign = "+" if column in sheet.signed else ""
        return f"{value:{sign}.{sheet.decimals[column]}f}"
    return "-" if value is None or value == "" else str(value)


def marks_of(sheet: Sheet, row: int, column: str) -> list[str]:
    """Footnotes of a cell; a name that is published with its star needs no second one."""
    text = shown(sheet, row, column)
    return [mark for mark in sheet.marks.get((row, column), ()) if not text.endswith(mark)]


def columns_of(sheet: Sheet) -> list[str]:
    """The columns that are printed; the others are in the CSV only."""
    return [str(name) for name in sheet.frame.columns if name not in sheet.hidden]


def _unlinked(text: str, _: str) -> str:
    return text


def cells(
    sheet: Sheet, *, escape: Show, bold: Show, mark: Show, link: Link = _unlinked
) -> Iterator[list[str]]:
    """The printed cells, row by row, in a format's own words; ``link`` leads to a record's key."""
    for row in range(len(sheet.frame)):
        line = []
        for column in columns_of(sheet):
            text = escape(shown(sheet, row, column))
            text = bold(text) if (row, column) in sheet.bold else text
            key = sheet.keys.get((row, column))
            text = link(text, key) if key else text
            line.append(text + "".join(map(mark, marks_of(sheet, row, column))))
        yield line


def markdown(sheet: Sheet) -> str:
    """A table of GitHub's Markdown, its notes below."""

    def escape(text: str) -> str:
        return text.replace("|", r"\|").replace("*", r"\*")

    names = columns_of(sheet)
    rule = ["---:" if name in sheet.decimals else "---" for name in names]
    body = cells(
        sheet, escape=escape, bold=lambda t: f"**{t}**", mark=lambda m: f" <sup>{escape(m)}</sup>"
    )
    lines = [f"| {' | '.join(line)} |" for line in (map(escape, names), rule, *body)]
    notes = [f"- <sup>{escape(mark)}</sup> {escape(text)}" for mark, text in footnotes(sheet)]
    notes += [f"- {escape(text)}" for text in (*sheet.notes, *legend(sheet))]
    return "\n".join([f"### {sheet.title}", "", *lines, "", *notes, ""])


def latex(sheet: Sheet) -> str:
    r"""A booktabs tabular with its notes below, to ``\input`` where booktabs is loaded."""

    def escape(text: str) -> str:
        return "".join(LATEX.get(letter, letter) for letter in text)

    def mark(note: str) -> str:
        return rf"\textsuperscript{{{escape(note)}}}"

    names = columns_of(sheet)
    align = "".join("r" if name in sheet.decimals else "l" for name in names)
    body = cells(sheet, escape=escape, bold=lambda t: rf"\textbf{{{t}}}", mark=mark)
    rows = [" & ".join(line) + r" \\" for line in body]
    head = " & ".join(map(escape, names)) + r" \\"
    notes = [f"{mark(letter)} {escape(text)}" for letter, text in footnotes(sheet)]
    notes += [escape(text) for text in (*sheet.notes, *legend(sheet))]
    return "\n".join([
        f"% {sheet.title}; made by scripts/reproduce.py; needs \\usepackage{{booktabs}}",
        rf"\begin{{tabular}}{{{align}}}", r"\toprule", head, r"\midrule", *rows, r"\bottomrule",
        r"\end{tabular}", r"\par\smallskip", r"{\footnotesize\raggedright",
        *(rf"{note}\par" for note in notes), "}", "",
    ])  # fmt: skip


def html(sheet: Sheet) -> str:
    """A ``<figure>`` with the table and its notes, to stand in the page of the records."""

    def mark(note: str) -> str:
        return f"<sup>{html_text.escape(note)}</sup>"

    def link(text: str, key: str) -> str:
        return f'<a href="#record-{html_text.escape(key)}">{text}</a>'

    def line(parts: list[str], tag: str) -> str:
        kinds = [' class="number"' if name in sheet.decimals else "" for name in columns_of(sheet)]
        filled = (f"<{tag}{kind}>{text}</{tag}>" for kind, text in zip(kinds, parts, strict=True))
        return f"<tr>{''.join(filled)}</tr>"

    escape = html_text.escape
    body = cells(sheet, escape=escape, bold=lambda t: f"<strong>{t}</strong>", mark=mark, link=link)
    notes = [f"<li>{mark(letter)} {escape(text)}</li>" for letter, text in footnotes(sheet)]
    notes += [f"<li>{escape(text)}</li>" for text in (*sheet.notes, *legend(sheet))]
    return "\n".join([
        f'<figure id="{escape(sheet.name)}"><figcaption>{escape(sheet.title)}</figcaption>',
        "<table>", "<thead>", line([escape(name) for name in columns_of(sheet)], "th"), "</thead>",
        "<tbody>", *(line(parts, "td") for parts in body), "</tbody>", "</table>",
        "<ul>", *notes, "</ul>", "</figure>", "",
    ])  # fmt: skip


def csv(sheet: Sheet) -> str:
    """The frame with all its columns, numbers in full, and the footnotes of each row."""
    marks = [
        "; ".join(
            f"{column}: {' '.join(found)}"
            for (number, column), found in sheet.marks.items()
            if number == row
        )
        for row in range(len(sheet.frame))
    ]
    text: str = sheet.frame.assign(footnotes=marks).to_csv(index=False)
    return text


def reasons(sheet: Sheet) -> list[str]:
    """The distinct reasons for which cells were not run, in the order of their rows."""
    numbers = [column for column in columns_of(sheet) if column in sheet.decimals]
    found = (sheet.frame[column][row] for row in range(len(sheet.frame)) for column in numbers)
    return list(dict.fromkeys(text for text in found if isinstance(text, str)))


def terminal(sheet: Sheet) -> Table:
    """A rich table; a reason is a number there, and below it with `footnotes` and notes."""
    table, listed = Table(title=sheet.title, title_justify="left"), reasons(sheet)
    for name in columns_of(sheet):
        number = name in sheet.decimals
        heading = name.replace(": ", "\n").replace(", ", ",\n") if number else name
        table.add_column(heading, justify="right" if number else "left", no_wrap=number)
    for row in range(len(sheet.frame)):
        line = []
        for column in columns_of(sheet):
            text = Text(shown(sheet, row, column))
            value = sheet.frame[column][row]
            if column in sheet.decimals and isinstance(value, str):
                text = Text(f"({listed.index(value) + 1})", style="dim")
            if (row, column) in sheet.bold:
                text.stylize("bold")
            marks = "".join(f" [{mark}]" for mark in marks_of(sheet, row, column))
            line.append(text + Text(marks, style="cyan"))
        table.add_row(*line)
    return table


def footnotes(sheet: Sheet) -> list[tuple[str, str]]:
    """Marks and texts of the footnotes that the sheet uses."""
    used = {mark for marks in sheet.marks.values() for mark in marks}
    return [(mark, text) for mark, text in sheet.footnotes.items() if mark in used]


def legend(sheet: Sheet) -> list[str]:
    """What bold means, if there is any."""
    return ["Bold: the best among the rows that can be run here."] if sheet.bold else []
