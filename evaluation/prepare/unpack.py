"""Unpacking archives: no member leaves the folder, none is a link or a device.

The checks are the same for zip and tar. tarfile's own ``filter="data"`` refuses less: it writes
members of absolute paths into the folder and accepts links inside of it, and it can be said of no
zip.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from evaluation.prepare.archive import Member, opened
from evaluation.prepare.bounded import MOST_TIMES, limit_of
from evaluation.whole_files import write_whole


def unpack(
    path: Path,
    folder: Path,
    *,
    members: Sequence[str] = (),
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Unpack the files whose names begin with one of ``members``, all if there are none.

    Files that are there in the right size are left alone. Returns how many were written.
    Raises ValueError, before anything is written, if a member is not safe, if a tar is broken or
    if it is an archive bomb; in the middle, after whole files, if a member of a zip is broken; and
    OSError if the disk is too small or a file cannot be written.
    """
    with opened(path) as entries:
        for entry in entries:
            _check_name(entry)
        chosen = [e for e in entries if not e.folder and e.name.startswith(tuple(members) or "")]
        _check_chosen(chosen, path)
        missing = [member for member in chosen if not _is_there(member, folder)]
        _check_space(missing, folder, path.name)
        for member in missing:
            _write(member, folder / member.name)
            advance(1)
        return len(missing)


def _check_name(member: Member) -> None:
    """Raise ValueError for a member that no archive of a data set has, wherever it would go."""
    name = member.name
    outside = name.startswith("/") or ".." in PurePosixPath(name).parts
    if outside or any(sign in name for sign in "\\:"):
        raise _refusal(member, f"its member {name!r} would leave the folder")
    if any(unicodedata.category(sign) == "Cc" for sign in name):
        raise _refusal(member, f"its member {name!r} has a control character in its name")
    if not member.folder and not PurePosixPath(name).parts:
        raise _refusal(member, f"its member {name!r} has no name")
    if member.trouble:
        raise _refusal(member, f"its member {name!r} {member.trouble}")


def _check_chosen(chosen: Sequence[Member], path: Path) -> None:
    """Raise ValueError if two members would be one file, or all are far too much."""
    size, limit = sum(member.size for member in chosen), limit_of(path)
    if size > limit:
        raise ValueError(
            f"{path.name} is not unpacked: it would become {size >> 20} MiB, more than "
            f"{MOST_TIMES} times its size ({limit >> 20} MiB are allowed)"
        )
    known: dict[PurePosixPath, Member] = {}
    for member in chosen:
        other = known.setdefault(_place(member), member)
        if other is not member:
            raise _refusal(
                member, f"its members {other.name!r} and {member.name!r} would be one file"
            )
    for place, member in known.items():
        if inside := next((known[p] for p in place.parents if p in known), None):
            raise _refusal(member, f"its member {inside.name!r} is a file and a folder")


def _place(member: Member) -> PurePosixPath:
    """Where it goes on a file system that distinguishes neither case nor forms of one letter."""
    return PurePosixPath(unicodedata.normalize("NFC", member.name).casefold())


def _refusal(member: Member, why: str) -> ValueError:
    return ValueError(f"{member.archive} is not unpacked: {why}")


def _is_there(member: Member, folder: Path) -> bool:
    path = folder / member.name
    return path.is_file() and path.stat().st_size == member.size


def _check_space(missing: Sequence[Member], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    needed, free = sum(member.size for member in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"{name} needs {needed >> 20} MiB in {folder}, which has {free >> 20} MiB")


def _write(member: Member, path: Path) -> None:
    """Whole, or not at all: an older file of that name stays as it is."""
    write_whole(path, lambda target: target.writelines(member.content()))
