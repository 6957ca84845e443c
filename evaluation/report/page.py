"""The page from its parts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from evaluation.report import results
from evaluation.report.entry import Entry, origin
from evaluation.report.pictures import Fragment, Picture

STYLES = ("page.css", "tables.css", "predictions.css", "narrow_print.css")
SCRIPTS = ("shared.js", "page.js", "tables.js", "predictions.js")
"""In this order one style and one script, which the page's policy knows by their hashes."""


@dataclass(frozen=True)
class Content:
    """Everything that the page shows.

    unread: files in the folder that are no records, each with the reason. browser: see
    `evaluation.report.predictions.browser`; `apology` says why there is none.
    """

    entries: Sequence[Entry]
    unread: Sequence[str] = ()
    tables: Sequence[Fragment] = ()
    figures: Sequence[Picture] = ()
    browser: dict[str, Any] | None = None
    apology: str = "no records of masks"


def render(content: Content) -> str:
    """The HTML of the page; everything that comes from records is escaped."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=FunctionLoader(_part),
    )  # fmt: skip
    environment.filters |= {"percent": percent}
    style, script = ("\n".join(map(_part, names)) for names in (STYLES, SCRIPTS))
    template = environment.get_template("page.html.j2")
    return template.render(
        content=content,
        sheets=results.sheets(content.entries),
        facts=results.facts(content.entries),
        origin=origin,
        random=[entry for entry in content.entries if entry.random],
        style=Markup(style),  # noqa: S704 files of this package
        script=Markup(script),  # noqa: S704
        policy=Markup(policy(style, script)),  # noqa: S704
        predictions=script_json(content.browser),
    )


def policy(style: str, script: str) -> str:
    """The page's content policy: it loads nothing, and obeys no style or script but its own two.

    These are told by their hashes: a file has no server that could draw a nonce for each reader.
    """
    rules = [
        "default-src 'none'", "img-src data:", f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'", "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    return "; ".join(rules)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def percent(value: float | None) -> str:
    """A score as tables print it."""
    return "\N{EN DASH}" if value is None else f"{value:.1f}"


def script_json(value: object) -> Markup:
    """Plain data for a script element: nothing in it can end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704


def _part(name: str) -> str:
    return (files("evaluation.report") / "parts" / name).read_text(encoding="utf-8")
