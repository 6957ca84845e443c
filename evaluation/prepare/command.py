"""The steps of ``scripts/prepare.py dataset=NAME``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal

from evaluation.console import console, progress
from evaluation.data.card import Archive, Card
from evaluation.data.on_disk import OnDisk, on_disk
from evaluation.data.sample import Dataset
from evaluation.prepare.bars import counting, downloading
from evaluation.prepare.download import download
from evaluation.prepare.export import export_parquet
from evaluation.prepare.layout import (
    build,
    card_of,
    downloads_folder,
    is_writable,
    started,
    survey,
)
from evaluation.prepare.manifest import (
    Manifest,
    is_current,
    make_manifest,
    read_manifest,
    write_manifest,
)
from evaluation.prepare.tables import found_line, histogram, line_of
from evaluation.prepare.unpack import is_archive, unpack
from evaluation.prepare.verify import take_census

Wish = Literal["auto", "yes", "no"]


def prepare(name: str, root: Path, *, wish: Wish = "auto", changes: dict[str, Any]) -> Dataset:
    """Bring a data set from its archives to verified pairs; returns it.

    wish: ``auto`` downloads if nothing is there or a download was begun, and leaves a partial set
    as it is; ``yes`` completes it; ``no`` only tells.
    Raises FileNotFoundError if nothing is there in the end, saying what to do.
    """
    dataset = build(name, root, changes)
    found = survey(dataset)
    if found is None or not on_disk(dataset):
        console.print(f"{name}: needs no preparation")
        return dataset
    console.print(found_line(name, found))
    if found.broken:
        raise ValueError(found.note)
    if not found.complete:
        begun = wish == "auto" and (not found.present or started(card_of(dataset), root))
        obtain(card_of(dataset), root, fetch=wish == "yes" or begun)
        dataset = build(name, root, changes)
        found = survey(dataset)
    if found is None or not on_disk(dataset) or not found.present:
        raise FileNotFoundError(_what_to_do(name, dataset, root))
    show_verified(dataset, root)
    return dataset


def obtain(card: Card, root: Path, *, fetch: bool) -> None:
    """Download what the publisher gives away, unpack what is there, convert.

    Raises what downloading and unpacking raise.
    """
    for item in card.downloads:
        console.print(f"  {line_of(item)}")
    if not is_writable(root):
        console.print(f"  {root} is read-only: nothing is downloaded, unpacked or converted")
        return
    for item in card.downloads:
        path = _target(item, root)
        if fetch and not path.is_file() and not item.login and not item.alternative:
            _download(item, path)
        if path.is_file() and is_archive(path):
            with counting(f"unpacking {path.name}") as advance:
                written = unpack(path, root / item.into, members=item.members, advance=advance)
            console.print(f"  {path.name}: {written} files unpacked")
    if card.converter:
        with counting("converting") as advance:
            written = importlib.import_module(card.converter).convert(root, advance)
        console.print(f"  {written} masks converted")


def show_verified(dataset: OnDisk, root: Path) -> Manifest:
    """Verify unless that was done, write the manifest, print the histogram."""
    name = card_of(dataset).name
    manifest = read_manifest(root, name)
    if manifest is not None and is_current(manifest, dataset):
        console.print(f"{name}: verified before, nothing has changed")
    else:
        dataset.check(dataset.ids)
        with progress(f"verifying {name}", total=len(dataset.ids)) as advance:
            manifest = make_manifest(dataset, take_census(dataset, advance))
        kept = write_manifest(manifest, root) if is_writable(root) else f"{root} is read-only"
        console.print(f"{name}: verified, {kept}")
    console.print(histogram(manifest))
    return manifest


def export(dataset: Dataset, path: Path) -> None:
    """Write a prepared data set as one parquet file."""
    console.print(f"{path}: {export_parquet(dataset, path)} samples")


def _target(item: Archive, root: Path) -> Path:
    """Where a download goes: archives into ``downloads/``, other files to their place."""
    if is_archive(Path(item.file_name)):
        return downloads_folder(root) / item.file_name
    return root / item.into / item.file_name


def _download(item: Archive, path: Path) -> None:
    console.print(f"  downloading {item.file_name} to {path.parent}")
    with downloading(item.file_name) as told:
        download(item.url, path, digest=item.hash, told=told)


def _what_to_do(name: str, dataset: Dataset, root: Path) -> str:
    found = survey(dataset)
    by_hand = [item.file_name for item in card_of(dataset).downloads if item.login]
    hint = f"; put {' and '.join(by_hand)} into {downloads_folder(root)}" if by_hand else ""
    note = found.note if found and found.note else f"no sample of {name} is under {root}"
    return f"{note}{hint}; expected {card_of(dataset).layout}"
