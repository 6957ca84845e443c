"""Masks of images on disk: made once, for any number of settings and processes.

A file is whole or not there, and what is read is believed only if it is what was written, by its
key and its hash. It is a line of JSON, then the masks, compressed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gem.systems.automatic import Automatic, Masks

MOST = 10_000  # masks of an image
HEAD = 1000  # bytes of the first line
MAKERS = ("automatic.py", "canvas.py", "imagenet.py", "sam.py")  # code that decides masks
LOG = logging.getLogger("gem")


def folder_of(root: str | None) -> Path:
    """Where masks are kept: ``root``, else ``masks`` in ``GEM_CACHE`` or the user's cache."""
    if root is not None:
        return Path(root)
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GEM_CACHE") or Path(user) / "gem-bench") / "masks"


def key_of(maker: Automatic) -> str:
    """What all masks of a maker depend on: weights by their hash, options, code and packages."""
    from importlib.metadata import version

    sam, origin = maker.sam, maker.sam.provenance
    weights = [origin.sha256 or origin.source, sam.config.to_json_string(use_diff=False)]
    place = [sam.precision, sam.torch_device.type, version("torch"), version("transformers")]
    numbers = [
        maker.points_per_side, maker.pred_iou, maker.stability, maker.stability_offset, maker.nms,
    ]  # fmt: skip
    return _digest(json.dumps([weights, place, numbers, _code()]).encode())[:16]


def kept_or_made(
    folder: Path, key: str, pixels: bytes, size: tuple[int, int], make: Callable[[], Masks]
) -> Masks:
    """The masks of an image of (height, width), from the folder if they are there, else made.

    key: of what makes them. pixels: the image. A file that is broken or of something else is made
    again, and a line is logged. Where nothing can be written nothing is kept.
    """
    image = _digest(f"{size} ".encode() + pixels)[:24]
    path = folder / key / f"{image}.masks"
    found = _read(path, f"{key} {image}", size)
    if found is None:
        found = make()
        with suppress(OSError):  # nowhere to keep it: it is made again next time
            _write_whole(path, encode(found, f"{key} {image}"))
    return found


def encode(masks: Masks, key: str) -> bytes:
    """Masks as the content of a file."""
    content = masks.quality.astype("<f4").tobytes() + masks.bits.tobytes()
    said = {"key": key, "masks": len(masks), "size": masks.size, "sha256": _digest(content)}
    return json.dumps(said).encode() + b"\n" + zlib.compress(content)


def decode(stored: bytes, key: str, size: tuple[int, int]) -> Masks:
    """The masks of a file's content. Raises ValueError if it is not what was written there."""
    head, _, rest = stored.partition(b"\n")
    try:
        said = json.loads(head) if len(head) <= HEAD else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ValueError("cannot be read")  # noqa: TRY004 what is in a file is no type
    count: Any = said.get("masks")
    if type(count) is not int or not 0 <= count <= MOST:
        raise ValueError("cannot be read")
    row = -(-size[0] * size[1] // 8)
    content = _decompressed(rest, count * (4 + row))
    if said != {"key": key, "masks": count, "size": [*size], "sha256": _digest(content)}:
        raise ValueError("are not what was written")
    quality = np.frombuffer(content, "<f4", count).astype(np.float32)
    bits = np.frombuffer(content, np.uint8, count * row, offset=4 * count)
    return Masks(bits.reshape(count, row), quality, size)


def _decompressed(packed: bytes, length: int) -> bytes:
    """Exactly so many bytes: no more than that is ever made of a file."""
    reader = zlib.decompressobj()
    try:
        found = reader.decompress(packed, length + 1)
    except zlib.error:
        raise ValueError("cannot be read") from None
    if len(found) != length or not reader.eof or reader.unused_data:
        raise ValueError("are not what was written")
    return found


def _read(path: Path, key: str, size: tuple[int, int]) -> Masks | None:
    """What is kept; None if nothing is, or with a logged line if it cannot be believed."""
    try:
        if not path.is_file():
            return None
        return decode(path.read_bytes(), key, size)
    except (ValueError, OSError) as error:
        said = f"cannot be read ({error})" if isinstance(error, OSError) else error
        LOG.warning("the masks in %s %s: they are made again", path, said)
        return None


def _write_whole(path: Path, content: bytes) -> None:
    """A hidden file beside it that is renamed: two processes may write the same one at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".gem-{os.getpid()}-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


@cache
def _code() -> str:
    """Twelve hexadecimal digits for the source files that decide masks."""
    return _digest(b"".join((Path(__file__).parent / one).read_bytes() for one in MAKERS))[:12]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
