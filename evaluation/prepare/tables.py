"""What a person sees of data sets: one table over all, and the class pixels of one."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from evaluation.console import literal
from evaluation.data.card import Archive
from evaluation.data.hub import Hub
from evaluation.data.on_disk import OnDisk, on_disk
from evaluation.data.sample import Dataset
from evaluation.prepare.layout import Survey, build, card_of, names, survey
from evaluation.prepare.manifest import Manifest, is_current, read_manifest
from evaluation.terminal.whole_words import fitted, table_of

SHOWN = 200


def overview(root: Path) -> Table:
    """All data sets: what is there, whether it was verified, how much is to download."""
    table = table_of(f"data sets under {root}")
    for heading in ("dataset", "split", "here", "verified", "to download"):
        table.add_column(heading, justify="right" if heading == "split" else "left")
    for name in names():
        dataset = build(name, root)
        if not isinstance(dataset, Hub):  # which is any data set, elsewhere
            table.add_row(*map(literal, (name, *_row(name, dataset, root))))
    return fitted(table)


def addresses(root: Path) -> list[str]:
    """What the data sets that are not complete can be downloaded from, each file once."""
    users: dict[str, list[str]] = {}
    for name in names():
        dataset = build(name, root)
        if not on_disk(dataset) or survey(dataset).complete:
            continue
        for item in card_of(dataset).downloads:
            users.setdefault(line_of(item), []).append(name)
    return [f"{line}\n  for {', '.join(sets)}" for line, sets in users.items()]


def _row(name: str, dataset: Dataset, root: Path) -> tuple[str, str, str, str]:
    if not on_disk(dataset):
        return str(card_of(dataset).images or ""), "needs no files here", "", ""
    found = survey(dataset)
    wanted = [item.size for item in card_of(dataset).downloads if not item.alternative]
    sizes = "" if found.complete else " + ".join(wanted)
    return str(found.expected or ""), found.state, _verified(name, dataset, root), sizes


def _verified(name: str, dataset: OnDisk, root: Path) -> str:
    try:
        manifest = read_manifest(root, name)
    except ValueError:
        return "unreadable"
    if manifest is None:
        return "no"
    return f"labels {manifest.labels[:8]}" if is_current(manifest, dataset) else "not as it is"


def line_of(item: Archive) -> str:
    """Size and address, and what is special about it."""
    special = " (needs an account)" if item.login else ""
    special += " (can stand for the file above)" if item.alternative else ""
    return f"{item.size}  {item.url}{special}"


def histogram(manifest: Manifest) -> Table:
    """Pixels (or points) and images of each class, for two people to compare.

    Of more than ``SHOWN`` classes, those with most.
    """
    hashes = f"ids {manifest.ids[:12]}, labels {manifest.labels[:12]}"
    title = f"{manifest.dataset}: {state_of(manifest)}, {hashes}"
    table = table_of(title)
    counted = "points" if "(no)" in manifest.pixels else "pixels"
    for heading in ("label", counted, "share", "images"):
        table.add_column(heading, justify="left" if heading == "label" else "right")
    whole = max(1, sum(manifest.pixels.values()))
    rows = list(manifest.pixels.items())
    if len(rows) > SHOWN:
        rows = sorted(rows, key=lambda row: -row[1])[:SHOWN]
        table.caption = f"{SHOWN} of {len(manifest.pixels) - 1} classes"
    for name, pixels in rows:
        share = f"{100 * pixels / whole:.3f} %"
        table.add_row(literal(name), f"{pixels}", share, f"{manifest.appears[name]}")
    return fitted(table)


def state_of(manifest: Manifest) -> str:
    """How many images of how many."""
    whole = manifest.expected
    if whole is None or manifest.complete:
        return f"{manifest.images} images"
    return f"{manifest.images} of {whole} images (partial)"


def found_line(name: str, found: Survey) -> str:
    """The state of one data set in a sentence."""
    return f"{name}: {found.state}" + (f" ({found.note})" if found.note else "")
