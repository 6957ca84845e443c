"""A table that another program wrote, rebuilt: its cells and their texts, and nothing that acts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser

KEPT = frozenset({
    "figure", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "ul", "ol", "li",
    "p", "strong", "em", "b", "i", "sup", "sub", "code",
})  # fmt: skip
SILENT = frozenset({
    "script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "math",
    "textarea", "select", "noembed", "noframes", "xmp",
})  # fmt: skip
"""Elements whose content is no text of the table."""
DEEPEST = 40  # elements in each other; a browser gives up at some hundreds
RECORD = re.compile(r"#record-[0-9a-f]{12}")
SPAN = re.compile(r"[1-9]\d?")


@dataclass(frozen=True)
class ForeignTable:
    """What is left of a table: its caption as text, and HTML without any but these elements."""

    caption: str
    html: str


def rebuild_table(text: str) -> ForeignTable:
    """Rebuild a table from what a parser reads of it, so that nothing is kept that is not known.

    Elements of `KEPT` remain, of attributes only ``class="number"``, spans of cells and links to
    records. Raises ValueError for elements that are nested too deep.
    """
    reader = _Rebuilder()
    reader.feed(text)
    reader.close()
    while reader.open:
        reader.shut()
    return ForeignTable(" ".join("".join(reader.caption).split()), "".join(reader.parts).strip())


class _Rebuilder(HTMLParser):
    """Writes every element and text anew.

    open: the elements around the place, those that are written. silent: those of `SILENT`.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts, self.caption = list[str](), list[str]()
        self.open, self.silent = list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write the element if it is kept."""
        if self.silent or tag in SILENT:
            self.silent += [tag] if tag in SILENT else []
        elif "figcaption" in self.open:
            pass  # a caption is text
        elif tag == "br":
            self.parts.append("<br>")
        elif tag == "figcaption":
            self.open.append(tag)
        elif tag in KEPT or (tag == "a" and RECORD.fullmatch(dict(attrs).get("href") or "")):
            self.parts.append(f"<{tag}{_attributes(tag, dict(attrs))}>")
            self.open.append(tag)
        if len(self.open) > DEEPEST or len(self.silent) > DEEPEST:
            raise ValueError(f"its elements are nested deeper than {DEEPEST}")

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and those in it that nobody closed."""
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass
        elif not self.silent and tag in self.open:
            while self.shut() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Text is text; that of the caption stands elsewhere."""
        if not self.silent:
            if "figcaption" in self.open:
                self.caption.append(data)
            else:
                self.parts.append(escape(data, quote=False))

    def shut(self) -> str:
        """Close the innermost element; returns its name."""
        tag = self.open.pop()
        if tag != "figcaption":
            self.parts.append(f"</{tag}>")
        return tag


def _attributes(tag: str, found: dict[str, str | None]) -> str:
    kept = {name: value for name in ("colspan", "rowspan") if (value := found.get(name))}
    kept = {name: value for name, value in kept.items() if SPAN.fullmatch(value)}
    if found.get("class") == "number":
        kept["class"] = "number"
    if tag == "a":
        kept["href"] = str(found["href"])
    return "".join(f' {name}="{value}"' for name, value in kept.items())
