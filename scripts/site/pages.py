"""Pages of the site that are not in docs/: the README, files that pages link to, all commands.

A hook of mkdocs. A link of a page is one of the repository; on the site a page of docs/ is at the
top, the README is the first page, and whatever else is linked lies in ``repository/``.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
FENCE = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
COMMANDS = ("run.py", *sorted(f"scripts/{path.name}" for path in (ROOT / "scripts").glob("*.py")))


def on_files(files: Files, config: Any) -> Files:
    """Add the README, what is linked from anywhere, and the page of the commands."""
    waiting = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
    waiting += [f"docs/{one.src_uri}" for one in files.documentation_pages()]
    seen = set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        place = site_place(name)
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
        if name.endswith(".md"):
            waiting += [one for one, _ in targets((ROOT / name).read_text("utf-8"), name)]
    files.append(File.generated(config, "commands.md", content=commands_page()))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links of the repository as links of the site."""
    place = page.file.src_uri
    parts = FENCE.split(markdown)
    return "".join(
        one if one.startswith("```") else LINK.sub(lambda found: moved(found, place), one)
        for one in parts
    )


def moved(found: re.Match[str], place: str) -> str:
    """A link, from where its page is on the site."""
    before, target, after = found.groups()
    name, anchor = resolved(target, repository_place(place))
    if name is None:
        return found[0]
    here = PurePosixPath(place).parent.as_posix()
    return before + os.path.relpath(site_place(name), here) + anchor + after


def targets(text: str, name: str) -> Iterator[tuple[str, str]]:
    """The files of the repository that a page links to, and the anchors."""
    for part in FENCE.split(text):
        if not part.startswith("```"):
            for _, target, _ in LINK.findall(part):
                found, anchor = resolved(target, name)
                if found:
                    yield found, anchor


def resolved(target: str, name: str) -> tuple[str | None, str]:
    """The file of the repository that a link of a page means, if it is one, and its anchor."""
    path, sharp, anchor = target.partition("#")
    if not path or "://" in path or path.startswith("mailto:"):
        return None, ""
    whole = os.path.normpath(PurePosixPath(name).parent / path)
    return (whole if (ROOT / whole).is_file() else None), sharp + anchor


def site_place(name: str) -> str:
    """Where a file of the repository is on the site."""
    if name == "README.md":
        return "index.md"
    return name.removeprefix("docs/") if name.startswith("docs/") else f"repository/{name}"


def repository_place(place: str) -> str:
    """The file of the repository that is at a place of the site."""
    if place == "index.md":
        return "README.md"
    found = place.removeprefix("repository/")
    return found if place.startswith("repository/") else f"docs/{place}"


def commands_page() -> str:
    """What each command says of itself."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    lines = ["# Every command", "", "What `--help` prints of each."]
    for name in COMMANDS:
        done = subprocess.run(
            [sys.executable, name, "--help"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines += ["", f"## `python {name}`", "", "```text", done.stdout.strip(), "```"]
    return "\n".join(lines) + "\n"
