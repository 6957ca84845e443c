"""Predictions that are already there, written by whatever program, as a segmenter.

Shapes: b images, y x pixels, w words, u v rows and columns of a map.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evaluation.data.card import Card, Stored, load_card
from evaluation.data.encoding import Encoding
from gem.options import options
from gem.provenance import Provenance

if TYPE_CHECKING:
    import torch
    from jaxtyping import Float
    from PIL import Image
    from torch import Tensor

    from evaluation.segmenters.files import LabelImage, ScoreImage
    from gem.resize import Resize
    from gem.segmenter import Segmenter
    from gem.vocabulary import Prompts, Vocabulary
    from gem.windows import Tiling

Kind = Literal["labels", "scores"]
SUFFIX: dict[Kind, str] = {"labels": ".png", "scores": ".npz"}


@options
class Predictions:
    """A folder with one file for each sample: ``ID.png`` of labels, or ``ID.npz`` of scores.

    A label map has the size of its image and decides by itself: neither threshold nor prompts of
    the protocol count. Scores are an array ``scores`` [w, u, v] of finite numbers of any
    resolution, one map for each word of the vocabulary in its order, more is better. ``words``, an
    array of text, is checked against the vocabulary and the other files. The protocol decides.
    ``save=predictions`` and ``save=scores`` of run.py write such folders.

    root: the folder. title: what tables call it. published: year and month, for their order.
    kind: which files are read; null finds out, if only one of the two is there.
    dataset: the name of the data set's card, which says what a label means.
    encoding: how label maps store labels: ``labels`` as 0, 1, ... in the order of the card,
        ``official`` and ``train_ids`` as the masks of the data set do. Void is no prediction.
    """

    root: str
    dataset: str
    title: str = "predictions"
    published: str = ""
    kind: Kind | None = None
    encoding: Stored = "labels"

    @property
    def variant(self) -> str:
        """How the files are read, where it is not the default."""
        return "" if self.encoding == "labels" else f"encoding={self.encoding}"

    @property
    def decides(self) -> bool:
        """Label maps do, scores do not."""
        return self.found_kind == "labels"

    @cached_property
    def found_kind(self) -> Kind:
        """Which files there are. Raises FileNotFoundError for none, ValueError for both."""
        folder = Path(self.root)
        if not folder.is_dir():
            raise FileNotFoundError(f"segmenter.root={self.root}: there is no such folder")
        kinds: list[Kind] = [self.kind] if self.kind else ["labels", "scores"]
        found = [kind for kind in kinds if next(folder.rglob(f"*{SUFFIX[kind]}"), None)]
        if not found:
            suffixes = " or ".join(f"*{SUFFIX[kind]}" for kind in kinds)
            raise FileNotFoundError(f"segmenter.root={self.root} has no file {suffixes}")
        if len(found) > 1:
            raise ValueError(
                f"segmenter.root={self.root} has label maps and scores: set segmenter.kind=labels "
                "or segmenter.kind=scores"
            )
        return found[0]

    @cached_property
    def provenance(self) -> Provenance:
        """The folder's name, and a hash over the content of all its files."""
        folder, digest = Path(self.root), hashlib.sha256()
        for path in sorted(folder.rglob(f"*{SUFFIX[self.found_kind]}")):
            digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
        return Provenance(model="files", source=folder.resolve().name, sha256=digest.hexdigest())

    @property
    def device(self) -> torch.device:
        """There is nothing to compute that a GPU would do faster."""
        import torch

        return torch.device("cpu")

    @property
    def pass_key(self) -> Hashable:
        """Only the same predictions share a pass."""
        return self

    @property
    def cache_group(self) -> tuple[Hashable, ...]:
        """Nothing is shared."""
        return ()

    @property
    def text_key(self) -> None:
        """There are no embeddings to keep."""

    def features_bytes(self, size: tuple[int, int], windows: Tiling | None) -> int:  # noqa: ARG002
        """A label of eight bytes a pixel; scores are taken for as many."""
        return 8 * size[0] * size[1]

    def check(self, ids: Sequence[str]) -> None:
        """Raise FileNotFoundError if files are missing: how many, and the first."""
        paths = [self.path(sample_id) for sample_id in ids]
        if missing := [path for path in paths if not path.is_file()]:
            raise FileNotFoundError(
                f"segmenter.root={self.root}: {len(missing)} of {len(paths)} predictions are "
                f"missing; the first is {missing[0].relative_to(self.root)}"
            )

    def path(self, sample_id: str) -> Path:
        """The file of a sample."""
        return Path(self.root) / f"{sample_id}{SUFFIX[self.found_kind]}"

    def prepare(self, image: Image.Image, *, resize: Resize, sample_id: str = "") -> Tensor:  # noqa: ARG002
        """Read a file: labels [y, x] of the image's own size, or scores [w, u, v].

        Raises ValueError, naming the file, if it is broken, of another size, or has other labels.
        """
        from evaluation.segmenters.files import read_labels, read_scores

        path = self.path(sample_id)
        if self.found_kind == "scores":
            return read_scores(path, self._said[1])
        return read_labels(path, (image.height, image.width), self._encoding)

    def embed(self, vocabulary: Vocabulary, prompts: Prompts) -> Float[Tensor, "w 3"]:  # noqa: ARG002
        """Not an embedding: the index of each word, their number, the label of its class.

        They lead from the words that are asked, which may be few of all, to maps and labels. Raises
        ValueError if the first file says that its maps are of other words.
        """
        import torch

        if self.found_kind == "scores":
            from evaluation.segmenters.files import check_words

            check_words(*self._said, [word for _, word in vocabulary.class_words])
        count = len(vocabulary.class_words)
        shift = 0 if vocabulary.background else int(self._card.background)
        rows = [[n, count, index + shift] for n, (index, _) in enumerate(vocabulary.class_words)]
        return torch.tensor(rows, dtype=torch.float32)

    def encode_together(
        self,
        segmenters: Sequence[Segmenter],
        images: Tensor,
        *,
        windows: Tiling | None,  # noqa: ARG002
    ) -> list[list[LabelImage | ScoreImage]]:
        """What was read, image by image; the same for each of ``segmenters``, which are equal."""
        from evaluation.segmenters.files import LabelImage, ScoreImage

        found: list[LabelImage | ScoreImage] = [
            ScoreImage(one, self.root) if self.found_kind == "scores" else LabelImage(one)
            for one in images
        ]
        return [found for _ in segmenters]

    def sharing(self, models: dict[object, Any]) -> Segmenter:  # noqa: ARG002
        """There is no model."""
        return self

    @property
    def models(self) -> tuple[object, ...]:
        """There is none."""
        return ()

    def unload(self, keep: Collection[object] = ()) -> None:
        """There is no model."""

    @cached_property
    def _said(self) -> tuple[Path, tuple[str, ...] | None]:
        """The first file, and its words: compared with the vocabulary and with all other files."""
        from evaluation.segmenters.files import read_words

        return (first := min(Path(self.root).rglob(f"*{SUFFIX['scores']}"))), read_words(first)

    @property
    def _card(self) -> Card:
        return load_card(self.dataset)

    @cached_property
    def _encoding(self) -> Encoding:
        return self._card.encoding(self.encoding)
