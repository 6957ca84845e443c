"""A sheet as Markdown, LaTeX, CSV, HTML and a table on a terminal."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.table import Table
from rich.text import Text

from evaluation.console import literal, visible
from evaluation.records.spreadsheet import frame_csv
from evaluation.tables.sheet import SheetColumn, TableSheet
from evaluation.whole_files import write_text

MARKDOWN_LETTERS = str.maketrans({sign: f"\\{sign}" for sign in "\\|*`[<>&"})
LATEX_LETTERS = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "†": r"\dag{}",
})  # fmt: skip


def in_a_line(text: str) -> str:
    """Text without line breaks, which would end a row or a comment, or commands of a terminal."""
    return visible(" ".join(text.split()))


@dataclass(frozen=True)
class Markup:
    """How a format writes text: escaped, bold, as a footnote's mark, as a link to a record."""

    escape: Callable[[str], str]
    bold: str
    mark: str
    link: str = "{text}"

    def marked(self, *marks: str) -> str:
        """Marks of footnotes, as they follow a text."""
        return "".join(self.mark.format(self.escape(mark)) for mark in marks)

    def cell(self, column: SheetColumn, row: int) -> str:
        """A cell, its footnotes included."""
        text = self.escape(column.shown(row))
        text = self.bold.format(text) if row in column.best else text
        if key := column.keys.get(row):
            text = self.link.format(text=text, key=self.escape(key))
        return text + self.marked(*column.shown_marks(row))

    def table(self, sheet: TableSheet) -> tuple[list[str], list[list[str]]]:
        """The names of the printed columns, and their cells row by row."""
        rows = [[self.cell(column, row) for column in sheet.printed] for row in sheet.rows]
        return [self.escape(column.name) for column in sheet.printed], rows

    def notes(self, sheet: TableSheet) -> list[str]:
        """The footnotes that are used, then the notes."""
        found = [
            f"{self.marked(mark).strip()} {self.escape(text)}" for mark, text in footnotes(sheet)
        ]
        return [*found, *map(self.escape, notes(sheet))]


MARKDOWN = Markup(
    escape=lambda text: in_a_line(text).translate(MARKDOWN_LETTERS),
    bold="**{}**",
    mark=" <sup>{}</sup>",
)
LATEX = Markup(
    escape=lambda text: in_a_line(text).translate(LATEX_LETTERS),
    bold=r"\textbf{{{}}}",
    mark=r"\textsuperscript{{{}}}",
)
HTML = Markup(
    escape=html.escape,
    bold="<strong>{}</strong>",
    mark="<sup>{}</sup>",
    link='<a href="#record-{key}">{text}</a>',
)


def write_sheet(sheet: TableSheet, folder: Path) -> list[Path]:
    """Write the four files of a sheet; returns their paths."""
    formats = {"md": to_markdown, "tex": to_latex, "csv": to_csv, "html": to_html}
    for suffix, render in formats.items():
        write_text(folder / f"{sheet.name}.{suffix}", render(sheet))
    return [folder / f"{sheet.name}.{suffix}" for suffix in formats]


def to_markdown(sheet: TableSheet) -> str:
    """A table of GitHub's Markdown, its notes below."""
    names, rows = MARKDOWN.table(sheet)
    rule = ["---" if column.decimals is None else "---:" for column in sheet.printed]
    lines = [f"| {' | '.join(line)} |" for line in (names, rule, *rows)]
    title = MARKDOWN.escape(sheet.title)
    return "\n".join(
        [f"### {title}", "", *lines, "", *(f"- {one}" for one in MARKDOWN.notes(sheet)), ""]
    )


def to_latex(sheet: TableSheet) -> str:
    r"""A booktabs tabular with its notes below, to ``\input`` where booktabs is loaded."""
    names, rows = LATEX.table(sheet)
    align = "".join("l" if column.decimals is None else "r" for column in sheet.printed)
    frame = pd.DataFrame(rows, columns=names)
    lines = frame.to_latex(index=False, escape=False, column_format=align).rstrip().splitlines()
    if sheet.summary:  # a rule above the last rows, before \bottomrule and \end{tabular}
        lines.insert(len(lines) - 2 - sheet.summary, r"\midrule")
    return "\n".join([
        f"% {in_a_line(sheet.title)}; made by scripts/reproduce.py; needs \\usepackage{{booktabs}}",
        *lines,
        r"\par\smallskip", r"{\footnotesize\raggedright",
        *(rf"{note}\par" for note in LATEX.notes(sheet)), "}", "",
    ])  # fmt: skip


def to_html(sheet: TableSheet) -> str:
    """A ``<figure>`` with the table and its notes, to stand in the page of the records."""
    kinds = ["" if column.decimals is None else ' class="number"' for column in sheet.printed]

    def line(tag: str, parts: list[str]) -> str:
        tags = ["th", *[tag] * (len(parts) - 1)]  # the first names the row
        cells = zip(tags, kinds, parts, strict=True)
        return f"<tr>{''.join(f'<{one}{kind}>{text}</{one}>' for one, kind, text in cells)}</tr>"

    escape, (names, rows) = HTML.escape, HTML.table(sheet)
    last = len(rows) - sheet.summary
    foot = [line("td", row) for row in rows[last:]]
    summary = ["<tfoot>", *foot, "</tfoot>"] if foot else []
    return "\n".join([
        f'<figure id="{escape(sheet.name)}"><figcaption>{escape(sheet.title)}</figcaption>',
        "<table>", "<thead>", line("th", names), "</thead>",
        "<tbody>", *(line("td", row) for row in rows[:last]), "</tbody>", *summary, "</table>",
        "<ul>", *(f"<li>{note}</li>" for note in HTML.notes(sheet)), "</ul>", "</figure>", "",
    ])  # fmt: skip


def to_csv(sheet: TableSheet) -> str:
    """All columns, numbers in full, and the footnotes of each row."""
    marked = [(column.name, column.marks) for column in sheet.columns]
    marks = [
        "; ".join(f"{name}: {' '.join(found[row])}" for name, found in marked if found.get(row))
        for row in sheet.rows
    ]
    return frame_csv(sheet.frame.assign(footnotes=marks))


def to_terminal(sheet: TableSheet) -> Table:
    """A rich table; a reason is a number there, and below it with `footnotes` and `notes`."""
    table, listed = Table(title=literal(sheet.title), title_justify="left"), reasons(sheet)
    for column in sheet.printed:
        number = column.decimals is not None
        lines = column.name.replace(": ", "\n").replace(", ", ",\n") if number else column.name
        heading = Text("\n").join(map(literal, lines.split("\n")))
        table.add_column(heading, justify="right" if number else "left", no_wrap=number)
    for row in sheet.rows:
        cells = (_terminal_cell(column, row, listed) for column in sheet.printed)
        table.add_row(*cells, end_section=row + 1 == len(sheet.rows) - sheet.summary)
    return table


def _terminal_cell(column: SheetColumn, row: int, listed: list[str]) -> Text:
    text, value = literal(column.shown(row)), column.cells[row]
    if column.decimals is not None and isinstance(value, str):
        text = Text(f"({listed.index(value) + 1})", style="dim")
    if row in column.best:
        text.stylize("bold")
    return text + literal("".join(f" [{mark}]" for mark in column.shown_marks(row)), "cyan")


def reasons(sheet: TableSheet) -> list[str]:
    """The distinct reasons for which cells were not run, in the order of their rows."""
    numbers = [column for column in sheet.printed if column.decimals is not None]
    cells = (column.cells[row] for row in sheet.rows for column in numbers)
    return list(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))


def footnotes(sheet: TableSheet) -> list[tuple[str, str]]:
    """Marks and texts of the footnotes that the sheet uses."""
    used = {mark for column in sheet.columns for marks in column.marks.values() for mark in marks}
    return [(mark, text) for mark, text in sheet.footnotes.items() if mark in used]


def notes(sheet: TableSheet) -> list[str]:
    """The notes, and what bold means if there is any."""
    bold = ["Bold: the best among the rows that can be run here."]
    return [*sheet.notes, *(bold if any(column.best for column in sheet.columns) else ())]
