"""JSON files of unknown origin: plain data within bounds, or one sentence that says why not."""

from __future__ import annotations

import json
import math
import stat
from collections import Counter
from pathlib import Path
from typing import Any

LARGEST = 32 * 2**20  # bytes; a record of 847 classes has about twelve million
DEEPEST = 32  # levels of lists and objects; a setting has six
WHOLE = 2**63  # beyond it a whole number fits into no column and no float


def read_json(path: Path) -> Any:
    """The content of a JSON file: finite numbers, each name once, text that can be written.

    Raises OSError if the file cannot be read, ValueError for all else; neither names the file.
    """
    try:
        content = json.loads(
            read_bytes(path).decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
        _check_plain(content, DEEPEST)
    except RecursionError:
        raise ValueError(_too_deep()) from None
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"its text is no UTF-8: {error.reason}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    return content


def read_bytes(path: Path) -> bytes:
    """A regular file of at most `LARGEST` bytes. Raises ValueError for another; a pipe would wait.

    Neither that nor OSError names the file.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no regular file")
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1) if found.st_size <= LARGEST else None
    if content is None or len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST // 2**20} MiB")
    return content


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"it has {twice[:40]!r} twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no finite number")


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(f"{text[:40]} is no finite number")
    return found


def _whole(text: str) -> int:
    found = int(text) if len(text) <= 20 else WHOLE  # Python refuses thousands of digits
    if not -WHOLE <= found < WHOLE:
        raise ValueError(f"a whole number of {len(text)} digits is too large")
    return found


def _check_plain(value: Any, levels: int) -> None:
    """Raise what would be raised when it is shown: of text without encoding, of a deep tree."""
    if isinstance(value, str):
        value.encode()  # half of a pair of surrogates, \ud800, has no encoding
    elif isinstance(value, dict | list):
        if not levels:
            raise ValueError(_too_deep())
        for item in value:
            _check_plain(item, levels - 1)
        for item in value.values() if isinstance(value, dict) else ():
            _check_plain(item, levels - 1)


def _too_deep() -> str:
    return f"it is nested deeper than {DEEPEST} levels"
