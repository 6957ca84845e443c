"""Data sets in the Hugging Face ``datasets`` format: from the hub, or local files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import StrictInt

from evaluation.data.card import Card, Stored, load_card
from evaluation.data.encoding import Encoding
from evaluation.data.mask_files import check_mask_size, read_mask
from evaluation.data.on_disk import check_ids
from evaluation.data.sample import Sample
from gem.options import options

REACH_SECONDS = 4.0
BUILDERS = {".parquet": "parquet", ".arrow": "arrow"}


@options
class Hub:
    """Rows with an image and a mask column, of a hub repository or of local files.

    dataset: the name of the card.
    repository: ``owner/name`` on the hub, or a local ``.parquet`` or ``.arrow`` file, a folder of
        them, an image folder (``metadata.jsonl`` with ``image_file_name``, ``mask_file_name``), or
        what ``save_to_disk`` wrote.
    revision, split: of the hub repository; a local file has the split ``train``.
    image, mask: the columns. identifier: the column of the ids; the row numbers if null.
    encoding: how the masks store labels, as in `Pairs`; shift: is added to every stored id but
        255, which is void then: 1 for masks of ADE20K that count from 0.

    Masks are read as stored ids whatever the column's feature says: ``Image(mode="L")`` on a
    palette PNG would silently give luma. They belong to the stored pixels of their images: EXIF
    orientation is ignored.
    """

    dataset: str
    repository: str
    split: str = "train"
    revision: str | None = None
    image: str = "image"
    mask: str = "mask"
    identifier: str | None = None
    encoding: Stored = "official"
    shift: StrictInt = 0

    @property
    def card(self) -> Card:
        """The data set's card."""
        return load_card(self.dataset)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The values of the identifier column, or the row numbers. Raises if there is no row."""
        if not len(self._rows):
            raise ValueError(f"dataset.repository={self.repository} has no rows")
        if self.identifier is None:
            return tuple(f"{row:08d}" for row in range(len(self._rows)))
        found, source = list(self._rows[self.identifier]), f"dataset.identifier={self.identifier}"
        for row, value in enumerate(found):
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError(  # noqa: TRY004 a user's data, not our call
                    f"{source}: row {row} has {value!r}, expected text or a whole number"
                )
        ids = tuple(map(str, found))
        check_ids(ids, source)
        return ids

    def files(self, ids: Sequence[str]) -> Iterator[Path]:
        """The tables that these samples are read from, as the library keeps them."""
        if ids:
            yield from (Path(part["filename"]) for part in self._rows.cache_files)

    def check(self, ids: Sequence[str]) -> None:
        """Load the table and see that it has these ids. Raises ValueError if it has not."""
        if foreign := sorted(set(ids) - set(self._row_of)):
            raise ValueError(f"dataset.repository={self.repository} has no sample {foreign[0]}")

    def __getitem__(self, sample_id: str) -> Sample:
        """Read one row. Raises ValueError if its mask does not match or is mislabelled."""
        row, name = self._row(sample_id), f"{self.mask} of {sample_id}"
        from gem.pixels import read_image

        picture = f"{self.image} of {sample_id}"
        image = read_image(_bytes(row[self.image], picture), picture)
        stored = read_mask(_bytes(row[self.mask], name), name)
        check_mask_size(stored, image, what=name)
        return Sample(id=sample_id, image=image, truth=self._encoding.decode(stored, name=name))

    def _row(self, sample_id: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._rows[self._row_of[sample_id]]
        except Exception as error:  # pyarrow's, for damaged bytes
            raise ValueError(
                f"dataset.repository={self.repository}: the row of {sample_id} cannot be read: "
                f"{error}"
            ) from error
        return found

    @cached_property
    def _encoding(self) -> Encoding:
        return self.card.encoding(self.encoding).shifted(self.shift)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def _rows(self) -> Any:
        import datasets

        rows = _load(self.repository, split=self.split, revision=self.revision)
        for key in ("image", "mask", "identifier"):
            column = getattr(self, key)
            if column is not None and column not in rows.column_names:
                known = ", ".join(rows.column_names)
                raise ValueError(f"dataset.{key}={column}: no such column, there are {known}")
        for key in ("image", "mask"):
            column = getattr(self, key)
            kind = rows.features[column]
            try:
                rows = rows.cast_column(column, datasets.Image(decode=False))
            except Exception as error:  # pyarrow's, of many kinds
                raise ValueError(
                    f"dataset.{key}={column}: the column holds {kind}, expected images"
                ) from error
        return rows


def _bytes(cell: dict[str, Any] | None, name: str) -> BytesIO | Path:
    """What an undecoded image cell holds: the bytes, or where they are."""
    if cell and cell["bytes"] is not None:
        return BytesIO(cell["bytes"])
    if cell and cell["path"]:
        return Path(cell["path"])
    raise ValueError(f"{name} is empty, expected an image")


def _load(repository: str, *, split: str, revision: str | None) -> Any:
    """The table. Raises ConnectionError at once if it is on the hub and the hub is not there."""
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)  # it tells what it raises as well
    path = Path(repository)
    if path.suffix not in BUILDERS and not path.is_dir():
        _reach(repository)
    try:
        rows = _open(path, repository, split=split, revision=revision)
        rows.data.table.validate(full=True)  # else damaged offsets end the process, not the call
    except Exception as error:  # the library's and pyarrow's, of any kind for damaged files
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ValueError(f"dataset.repository={repository} cannot be loaded: {reason}") from error
    return rows


def _open(path: Path, repository: str, *, split: str, revision: str | None) -> Any:
    import datasets

    if path.suffix in BUILDERS:
        if not path.is_file():
            raise FileNotFoundError("there is no such file")
        files = {split: str(path)}
        return datasets.load_dataset(BUILDERS[path.suffix], data_files=files, split=split)
    if (path / "dataset_dict.json").is_file():
        return datasets.load_from_disk(f"{repository}/{split}")
    if (path / "state.json").is_file():
        return datasets.load_from_disk(repository)
    return datasets.load_dataset(repository, revision=revision, split=split)


def _reach(repository: str) -> None:
    """See that the hub answers; the client itself would try for most of a minute."""
    import httpx
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:  # then only its cache is read, at once
        return
    try:
        httpx.head(constants.ENDPOINT, timeout=REACH_SECONDS)
    except httpx.HTTPError as error:
        raise ConnectionError(
            f"dataset.repository={repository} is no local path and {constants.ENDPOINT} cannot be "
            f"reached ({error}); with HF_HUB_OFFLINE=1 it is read from the cache, if it is there"
        ) from error
