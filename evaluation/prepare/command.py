"""The steps of ``scripts/prepare.py dataset=NAME``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Literal, cast

from evaluation.console import console, counting, downloading, progress, say
from evaluation.data.card import Archive, Card
from evaluation.data.on_disk import OnDisk, on_disk
from evaluation.data.sample import Dataset
from evaluation.prepare.archive import is_archive
from evaluation.prepare.download import digest_of, download
from evaluation.prepare.export import export_parquet
from evaluation.prepare.layout import (
    build,
    card_of,
    download_path,
    downloads_folder,
    is_started,
    is_writable,
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
from evaluation.prepare.unpack import unpack
from evaluation.prepare.verify import take_census

DownloadMode = Literal["auto", "yes", "no"]


def prepare(
    name: str, root: Path, *, download_mode: DownloadMode = "auto", changes: dict[str, Any]
) -> Dataset:
    """Bring a data set from its archives to verified pairs; returns it.

    download_mode: ``auto`` downloads if nothing is there or a download was begun, and leaves a
    partial set as it is; ``yes`` completes it; ``no`` downloads nothing.
    changes: further fields of the data set's reader.
    Raises FileNotFoundError if nothing is there in the end, saying what to do, and ValueError if
    the list of samples or a sample is broken.
    """
    dataset = build(name, root, changes)
    if not on_disk(dataset):
        say(f"{name}: needs no preparation")
        return dataset
    found = survey(dataset)
    say(found_line(name, found))
    if found.broken:
        raise ValueError(found.note)
    if not found.complete:
        go_on = not found.present or is_started(card_of(dataset), root)
        fetch = download_mode == "yes" or (download_mode == "auto" and go_on)
        obtain(card_of(dataset), root, fetch=fetch)
        # A new reader: the old one keeps its lists.
        dataset = cast("OnDisk", build(name, root, changes))
        found = survey(dataset)
    if not found.present:
        raise FileNotFoundError(_what_to_do(name, dataset, root, found.note))
    show_verified(dataset, root)
    return dataset


def obtain(card: Card, root: Path, *, fetch: bool) -> None:
    """Download what the publisher gives away, unpack what is there, convert.

    Raises what downloading and unpacking raise.
    """
    for item in card.downloads:
        say(f"  {line_of(item)}")
    if not is_writable(root):
        say(f"  {root} is read-only: nothing is downloaded, unpacked or converted")
        return
    for item in card.downloads:
        path = download_path(item, root)
        if fetch and not path.is_file() and not item.login and not item.alternative:
            _download(item, path)
        if path.is_file() and is_archive(path):
            _check_digest(item, path)
            with counting(f"unpacking {path.name}") as advance:
                written = unpack(path, root / item.into, members=item.members, advance=advance)
            say(f"  {path.name}: {written} files unpacked")
    if card.converter:
        with counting("converting") as advance:
            written = importlib.import_module(card.converter).convert(root, advance)
        say(f"  {written} masks converted")


def show_verified(dataset: OnDisk, root: Path) -> Manifest:
    """As `verify`; prints the histogram too."""
    manifest = verify(dataset, root)
    console.print(histogram(manifest))
    return manifest


def verify(dataset: OnDisk, root: Path) -> Manifest:
    """Read every sample unless that was done, write the manifest. ValueError for a broken one."""
    name = card_of(dataset).name
    manifest = _read(root, name)
    if manifest is not None and is_current(manifest, dataset):
        say(f"{name}: verified before, nothing has changed")
    else:
        dataset.check(dataset.ids)
        with progress(f"verifying {name}", total=len(dataset.ids)) as advance:
            manifest = make_manifest(dataset, take_census(dataset, advance))
        kept = write_manifest(manifest, root) if is_writable(root) else f"{root} is read-only"
        say(f"{name}: verified, {kept}")
    return manifest


def _read(root: Path, name: str) -> Manifest | None:
    """The manifest; None if there is none, or a broken one, which is said."""
    try:
        return read_manifest(root, name)
    except ValueError as error:
        say(f"{name}: {error}; it is made again")
        return None


def export(dataset: Dataset, path: Path) -> None:
    """Write a prepared data set as one parquet file."""
    say(f"{path}: {export_parquet(dataset, path)} samples")


def _download(item: Archive, path: Path) -> None:
    say(f"  downloading {item.file_name} to {path.parent}")
    with downloading(item.file_name) as on_progress:
        download(item.url, path, digest=item.hash, on_progress=on_progress, note=_say)


def _say(text: str) -> None:
    say(f"  {text}")


def _check_digest(item: Archive, path: Path) -> None:
    """Raise ValueError if an archive is not the publisher's: a person may have put it there."""
    kind, _, expected = item.hash.partition(":")
    if expected and (found := digest_of(path, kind)) != expected:
        raise ValueError(
            f"{path} has the {kind} {found}, expected {expected}; delete it, and the same command "
            "downloads it"
        )


def _what_to_do(name: str, dataset: OnDisk, root: Path, note: str) -> str:
    by_hand = [item.file_name for item in card_of(dataset).downloads if item.login]
    hint = f"; put {' and '.join(by_hand)} into {downloads_folder(root)}" if by_hand else ""
    found = note or f"no sample of {name} is under {root}"
    return f"{found}{hint}; expected {card_of(dataset).layout}"
