"""Archives of arrays of unknown origin: arrays of the expected shapes, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import ZipFile

import numpy as np

LARGEST = 2 * 2**30  # bytes of an array: a mask of 5,000 images and 847 labels has 100 million
LONGEST = 4096  # letters of a text
# numpy parses the header of an array with `ast`, which some versions of Python do not let two
# threads do at once ("AST constructor recursion depth mismatch").
HEADERS = Lock()
HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0,
}  # fmt: skip
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Arrays:
    """The arrays of an ``.npz``, none of which is read before it is asked for."""

    path: Path

    def counts(self, name: str, shape: Shape) -> np.ndarray[Any, Any]:
        """Whole numbers of 0 or more, int64, of a shape, in which None is any length.

        Raises ValueError, which does not name the file, if the archive has no such array.
        """
        found = self._read(name, shape, "i")
        if found.dtype != np.int64 or (found < 0).any():
            raise ValueError(f"its {name} are no whole numbers of 0 or more")
        return found

    def text(self, name: str, shape: Shape) -> np.ndarray[Any, Any]:
        """Texts of a shape. Raises ValueError, as `counts`."""
        return self._read(name, shape, "U")

    def _read(self, name: str, shape: Shape, kind: str) -> np.ndarray[Any, Any]:
        try:
            with ZipFile(self.path) as archive, HEADERS:
                if f"{name}.npy" not in archive.namelist():
                    raise ValueError(f"it has no array {name}")
                _check_header(archive, name, shape, kind)
                with archive.open(f"{name}.npy") as stream:
                    return np.lib.format.read_array(stream, allow_pickle=False)
        except (FileNotFoundError, ValueError):
            raise
        except Exception as error:  # zipfile, zlib and numpy raise anything for damaged bytes
            said = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"it cannot be read: {said}") from error


def read_arrays(path: Path) -> Arrays:
    """The arrays of a file. Raises FileNotFoundError if there is none."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    return Arrays(path)


def _check_header(archive: ZipFile, name: str, shape: Shape, kind: str) -> None:
    """Raise ValueError for an array that is not as expected, before room is made for it."""
    with archive.open(f"{name}.npy") as stream:
        read = HEADER.get(np.lib.format.read_magic(stream))
        found, _, dtype = read(stream) if read else ((), False, np.dtype(object))
    fits = len(found) == len(shape) and all(
        wanted in (None, side) for side, wanted in zip(found, shape, strict=True)
    )
    if not fits or dtype.kind != kind:
        sides = ", ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(
            f"its {name} have the shape {found} and type {dtype}, expected ({sides}) of type {kind}"
        )
    size = int(np.prod([dtype.itemsize, *found], dtype=object))
    if size > min(archive.getinfo(f"{name}.npy").file_size, LARGEST):
        raise ValueError(f"its {name} say to have {size} bytes, and have fewer")
    if kind == "U" and name == "ids" and dtype.itemsize > 4 * LONGEST:
        raise ValueError(f"an id of it is longer than {LONGEST} letters")
