"""The official files of OpenImages' points, read once into plain arrays and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.data.on_disk import Missing

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Bool, Float64, Int64

COLUMNS = ("ImageId", "X", "Y", "Label", "EstimatedYesNo")
TEXTS = tuple(name for name in COLUMNS if name not in {"X", "Y"})
NAME_COLUMNS = ("LabelName", "DisplayName")
ANSWERS = ("no", "yes", "unsure")


@dataclass(frozen=True)
class PointRows:
    """The points of all images, n of them, sorted by image; those that are unsure are left out.

    ids: of the images, sorted, those with unsure points alone included. starts: where the points
    of each image begin, and the end. first: the row of the file that names each image first.
    names: of the classes that have points, in the order of the file of names. notes: a sentence for
    each kind of bad rows that was skipped, and for rows that are there twice, which count twice.
    """

    ids: tuple[str, ...]
    starts: Int64[np.ndarray, " i+1"]
    first: Int64[np.ndarray, " i"]
    x: Float64[np.ndarray, " n"]
    y: Float64[np.ndarray, " n"]
    label: Int64[np.ndarray, " n"]
    positive: Bool[np.ndarray, " n"]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def read_points(path: Path, names_path: Path, *, bad_rows: Missing) -> PointRows:
    """Read the points, and the names of their classes; bad rows are an error or left out.

    Rows are numbered as a spreadsheet does: the header is row 1. Raises ValueError if a file is
    no csv, lacks a column, has bad rows that are not to be skipped, or no good one.
    """
    names, frame = read_names(names_path), _read(path, COLUMNS, texts=TEXTS)
    frame = frame.astype(dict.fromkeys(TEXTS, "category"))
    label = _codes(frame["Label"], tuple(names))
    answer = _codes(frame["EstimatedYesNo"], ANSWERS)
    faults = {
        f"a label that {names_path.name} lacks": label < 0,
        "a coordinate outside [0, 1]": ~(frame["X"].between(0, 1) & frame["Y"].between(0, 1)),
        "an EstimatedYesNo other than yes, no, unsure": answer < 0,
    }
    found = [_sentence(kind, bad, frame) for kind, bad in faults.items() if bad.any()]
    good = ~np.logical_or.reduce(list(faults.values()))
    _refuse(path, found, bad_rows=bad_rows, some=bool(good.any()))
    shown = np.bincount(label[good], minlength=len(names)) > 0
    label = np.cumsum(shown)[label] - 1
    ids, rank, first = _images(frame["ImageId"], good)
    sure = np.flatnonzero(good & (answer < ANSWERS.index("unsure")))
    order = sure[np.argsort(rank[sure], kind="stable")]
    return PointRows(
        ids=ids,
        starts=np.searchsorted(rank[order], np.arange(len(ids) + 1)),
        first=first,
        x=frame["X"].to_numpy()[order],
        y=frame["Y"].to_numpy()[order],
        label=label[order],
        positive=answer[order] == ANSWERS.index("yes"),
        names=tuple(name for name, here in zip(names.values(), shown, strict=True) if here),
        notes=tuple(
            f"{path.name}: {sentence}"
            for sentence in (*(f"{one}; left out" for one in found), *_repeated(frame, sure))
        ),
    )


def _repeated(frame: pd.DataFrame, sure: Int64[np.ndarray, " n"]) -> list[str]:
    """A sentence for points that rows answer again, if there are any."""
    again = np.zeros(len(frame), dtype=bool)
    again[sure] = frame.iloc[sure].duplicated(["ImageId", "X", "Y", "Label"]).to_numpy()
    kind = "image, point and label of an earlier row"
    return [f"{_sentence(kind, again, frame)}; each counts"] if again.any() else []


def _refuse(path: Path, found: list[str], *, bad_rows: Missing, some: bool) -> None:
    """Raise ValueError for bad rows that are not to be skipped, and if there are no others."""
    if found and bad_rows == "refuse":
        raise ValueError(f"{path}: {'; '.join(found)}; dataset.bad_rows=skip leaves them out")
    if not some:
        bad = f" but bad ones: {'; '.join(found)}" if found else ""
        raise ValueError(f"{path} has no points{bad}")


def read_names(path: Path) -> dict[str, str]:
    """Official class names by label, in the order of the file. Raises if one comes twice."""
    frame = _read(path, NAME_COLUMNS, texts=NAME_COLUMNS)
    for column in NAME_COLUMNS:
        twice = frame[column][frame[column].duplicated()]
        if len(twice):
            raise ValueError(
                f"{path}: {len(twice)} of {column} come twice, first {twice.iloc[0]!r}"
            )
    return dict(zip(*(frame[column] for column in NAME_COLUMNS), strict=True))


def _read(path: Path, columns: tuple[str, ...], *, texts: tuple[str, ...]) -> pd.DataFrame:
    """Some columns of a csv: texts, and numbers, which are nan where there is none."""
    import pandas as pd

    # Texts not as "category" at once: pandas would read ids of digits as numbers, 0012 as 12.
    kinds = dict.fromkeys(texts, str)
    try:
        _check_header(path, columns)
        frame = pd.read_csv(
            path, usecols=list(columns), dtype=kinds, keep_default_na=False,
            index_col=False,  # else a header that is too short moves every column
            low_memory=False,  # else each part of a file has types of its own
        )  # fmt: skip
    except Exception as error:  # pandas' parser raises more than its ParserError
        raise ValueError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    for name in set(columns) - set(texts):  # one word among them makes the column text
        if frame[name].dtype == bool:  # nothing but True and False is no number either
            frame[name] = float("nan")
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("float64")
    return frame


def _check_header(path: Path, columns: tuple[str, ...]) -> None:
    """Raise ValueError if a column is not there, or there twice: pandas would take the first."""
    import pandas as pd

    first = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    here = first.iloc[0].tolist()
    for name in columns:
        if here.count(name) != 1:
            said = f"no column {name}" if name not in here else f"several columns {name}"
            raise ValueError(f"it has {said}, expected {', '.join(columns)}")


def _codes(column: pd.Series, known: tuple[str, ...]) -> Int64[np.ndarray, " n"]:
    """The place of each text of a column among the known ones, or -1."""
    place = {text: index for index, text in enumerate(known)}
    places = np.array([place.get(text, -1) for text in column.cat.categories], dtype=np.int64)
    found: np.ndarray = places[column.cat.codes.to_numpy()]
    return found


def _images(
    column: pd.Series, good: Bool[np.ndarray, " n"]
) -> tuple[tuple[str, ...], Int64[np.ndarray, " n"], Int64[np.ndarray, " i"]]:
    """Sorted ids of the images that good rows name, the place of each row's, their first rows."""
    texts, codes = column.cat.categories, column.cat.codes.to_numpy()
    here = np.bincount(codes[good], minlength=len(texts)) > 0
    ids = tuple(sorted(texts[here]))
    rank = _codes(column, ids)
    first = np.zeros(len(ids), dtype=np.int64)
    rows = np.flatnonzero(good)[::-1]
    first[rank[rows]] = rows + 2  # backwards: of the rows of an image the first is written last
    return ids, rank, first


def _sentence(kind: str, bad: Bool[np.ndarray, " n"], frame: pd.DataFrame) -> str:
    count, row = int(bad.sum()), int(bad.argmax())
    values = ", ".join(_shown(str(frame[name].iloc[row])) for name in COLUMNS)
    return f"{count} row{'s' * (count > 1)} with {kind}, first row {row + 2}: {values}"


def _shown(cell: str) -> str:
    """A cell in a sentence: no line of its own, no signs that a terminal obeys."""
    short = cell if len(cell) <= 40 else f"{cell[:40]}..."
    return short if short.isprintable() else repr(short)
