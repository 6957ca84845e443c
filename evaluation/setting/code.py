"""The source code that decides the numbers of a setting, as hashes of files.

A file counts if the evaluation of the setting can reach it by imports: from the code that counts,
and from the classes of the setting's own parts. So another method, backbone or reader is no part of
it, and nothing that is built on top (records, sweeps, tables, pictures).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from evaluation import places

OURS = ("gem", "evaluation")
COUNTING = "evaluation.measure.work"  # from a setting to counts
BESIDE = (
    "evaluation.console", "evaluation.measure.machine", "evaluation.measure.memory",
    "evaluation.measure.text_cache", "evaluation.places", "evaluation.setting.code",
    "evaluation.whole_files", "gem.provenance",
)  # fmt: skip
"""Modules that evaluations import and that decide no number: what is printed, where files lie."""


def code_files(setting: Any, dataset: str) -> dict[str, str]:
    """Each file that decides a setting's numbers, by its name in the repository: its hash.

    Twelve hexadecimal digits of what of it can decide anything: neither docstrings nor lines that
    hold only a comment nor empty ones, nor how lines end. The card of the data set counts as it is.

    setting: its description (`evaluation.setting.identity`), of whatever age; classes that are no
    longer there have no file. dataset: the name of the card.
    """
    found = dict(_closure(frozenset({COUNTING, *targets_of(setting)})))
    card = places.CARDS / f"{dataset}.yaml"
    if card.is_file():
        found[f"datasets/{card.name}"] = _digest(card.read_bytes().replace(b"\r\n", b"\n"))
    return dict(sorted(found.items()))


def code_fingerprint(files: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits for all files of `code_files`."""
    return _digest("".join(f"{name} {one}\n" for name, one in sorted(files.items())).encode())


def changed_files(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The names of files that are other ones, new, or no longer there."""
    names = sorted({*then, *now})
    return [name for name in names if then.get(name) != now.get(name)]


def targets_of(description: Any) -> Iterator[str]:
    """The public names of all classes in the description of a setting or a part of one.

    Whatever is no name of Python's is left out: a description may come from anywhere.
    """
    if isinstance(description, dict):
        target = description.get("_target_")
        if isinstance(target, str) and all(part.isidentifier() for part in target.split(".")):
            yield target
    if isinstance(description, dict | list):
        for item in description.values() if isinstance(description, dict) else description:
            yield from targets_of(item)


@dataclass(frozen=True)
class Source:
    """A file of ours: the hash of its code, and the modules and names that it imports."""

    digest: str
    imports: tuple[tuple[str, str], ...]
    exports: Mapping[str, tuple[str, str]]


@cache
def _closure(starts: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Name and hash of the files of modules or classes, and of all that they import of ours.

    As they are when it is first asked: code that is changed later did not compute anything here.
    """
    found: dict[str, str] = {}
    waiting = [_resolve(*_split(one)) for one in starts]
    while waiting:
        module = waiting.pop()
        path = _file(module) if module and not module.startswith(BESIDE) else None
        if path is None or (name := path.relative_to(places.ROOT).as_posix()) in found:
            continue
        source = _source(path)
        found[name] = source.digest
        waiting += [_resolve(*one) for one in source.imports]
    return tuple(found.items())


def _split(target: str) -> tuple[str, str]:
    """Module and name of a class, or a module alone."""
    if _file(target):
        return target, ""
    module, _, name = target.rpartition(".")
    return module, name


def _resolve(module: str, name: str) -> str | None:
    """The module of ours that has a name: what a package only passes on is looked for behind it."""
    if name and _file(f"{module}.{name}"):
        return f"{module}.{name}"
    path = _file(module)
    if path is None or path.name != "__init__.py" or not name:
        return module
    passed = _source(path).exports.get(name)
    return _resolve(*passed) if passed else module


def _file(module: str) -> Path | None:
    """The file of a module; of a package its ``__init__.py``."""
    if module.partition(".")[0] not in OURS:
        return None
    base = places.ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    imports = tuple(_imports(tree.body, types=False))
    exports = {name: (module, name) for module, name in _imports(tree.body, types=True) if name}
    return Source(_digest(deciding_text(text, tree).encode()), imports, exports)


def _imports(nodes: Iterable[ast.AST], *, types: bool) -> Iterator[tuple[str, str]]:
    """(module, name) of every import of ours, also inside of functions; "" for a whole module.

    types: also those for types only, which nothing is computed with.
    """
    for node in nodes:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            yield from _imports(node.body if types else node.orelse, types=types)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        else:
            yield from _imports(ast.iter_child_nodes(node), types=types)


def deciding_text(text: str, tree: ast.Module) -> str:
    """A source without docstrings, lines that only hold a comment, and empty lines."""
    strings, docstrings = set[int](), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno:
            strings.update(range(node.lineno + 1, node.end_lineno + 1))
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstrings.update(_docstring(body or []))
    kept = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        inside = number in strings  # of a text that goes over several lines: all of it counts
        if number not in docstrings and (inside or (bare and not bare.startswith("#"))):
            kept.append(line.rstrip() if not inside else line)
    return "\n".join(kept)


def _docstring(body: list[ast.stmt]) -> range:
    """The lines of the text that a module, class or function begins with.

    Where it is all that there is, it stays: it stands for the body.
    """
    first = body[0] if len(body) > 1 else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        alone = first.value.end_lineno != body[1].lineno
        if isinstance(first.value.value, str) and first.value.end_lineno and alone:
            return range(first.lineno, first.value.end_lineno + 1)
    return range(0)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
