"""What a segmenter predicts for each image, written as `evaluation.segmenters.Predictions` reads.

Shapes: w words, u v rows and columns of a map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
from PIL import Image

from evaluation.console import say
from evaluation.data import VOID
from evaluation.data.sample import truth_size
from evaluation.measure.batches import Prepared
from evaluation.measure.counting import Watch
from evaluation.measure.decision import label_map
from evaluation.measure.finite import CheckedImage
from evaluation.pictures.palette import palette_bytes
from evaluation.records.checked import CheckedSetting
from evaluation.records.record import Record
from evaluation.setting import Setting
from evaluation.setting.sharing import bare
from evaluation.whole_files import write_json, write_whole

if TYPE_CHECKING:
    from gem.vocabulary import Queries

SUFFIX = {"predictions": ".png", "scores": ".npz"}
MANIFEST = "manifest.json"


class PredictionWriter:
    """Writes a file for each image into a folder of each setting, named like its record.

    kind: ``predictions`` writes label maps at the size of the truth, as PNG of labels (0, 1, ... in
    the order of the data set) with a palette; ``scores`` the maps of scores at the segmenter's own
    resolution (float32 [w, u, v], with the words), from which every decision can be taken again.
    """

    def __init__(self, root: Path, kind: Literal["predictions", "scores"]) -> None:
        self.root, self.kind = root, kind

    def folder(self, checked: CheckedSetting) -> Path:
        """Where the predictions of a setting go; scores have a folder of their own."""
        kind = "-scores" if self.kind == "scores" else ""
        return self.root / f"{Path(checked.file_name).stem}{kind}"

    def path(self, checked: CheckedSetting, sample_id: str) -> Path:
        """The file of one sample."""
        return self.folder(checked) / f"{sample_id}{SUFFIX[self.kind]}"

    def watcher(self, settings: Sequence[CheckedSetting]) -> Callable[[], Watch]:
        """What makes `watch` in the process that counts, wherever that is.

        Raises ValueError where a PNG cannot hold the labels of a data set, or where the id of a
        sample would lead out of the folder.
        """
        for one in settings:
            self._check_ids(one)
        for card in (one.setting.dataset.card for one in settings):
            if self.kind == "predictions" and len(card.labels) > VOID:
                raise ValueError(
                    f"save=predictions: {card.name} has {len(card.labels)} labels, but a label map "
                    f"holds {VOID}; save=scores writes maps of scores"
                )
        return partial(self.watch, [replace(one, setting=bare(one.setting)) for one in settings])

    def watch(self, settings: Sequence[CheckedSetting]) -> Watch:
        """What each image of a pass is shown to."""
        by_setting = {one.setting: one for one in settings}

        def write(setting: Setting, queries: Queries, image: CheckedImage, item: Prepared) -> None:
            path = self.path(by_setting[setting], item.id)
            if self.kind == "scores":
                write_whole(path, partial(_write_scores, image=image, queries=queries))
            else:
                labels = _labels(setting, queries, image, item)
                background = setting.dataset.card.background
                write_whole(path, partial(_write_png, labels=labels, background=background))

        return write

    def _check_ids(self, checked: CheckedSetting) -> None:
        """Ids may come from a file of somebody else."""
        for sample_id in checked.setting.ids:
            if ".." in Path(sample_id).parts or Path(sample_id).is_absolute():
                raise ValueError(
                    f"save={self.kind}: the id {sample_id} leads out of {self.folder(checked)}"
                )

    def has(self, checked: CheckedSetting, record: Record) -> bool:  # noqa: ARG002 as `Writer`
        """False: no record knows of what is predicted, so it is made again."""
        return False

    def finish(self, settings: Sequence[CheckedSetting], records: Sequence[Record]) -> None:  # noqa: ARG002 as `Writer`
        """See that no file is missing, and say in a manifest what the files are.

        Raises FileNotFoundError if a file was removed since it was written.
        """
        for one in settings:
            for sample_id in one.setting.ids:
                if not (path := self.path(one, sample_id)).is_file():
                    raise FileNotFoundError(f"{path} is gone: evaluate again with force=true")
            write_json(self.folder(one) / MANIFEST, self._manifest(one))
            say(f"{self.kind}: ", self.folder(one))

    def _manifest(self, checked: CheckedSetting) -> dict[str, Any]:
        card = checked.setting.dataset.card
        labels = {"encoding": "labels", "labels": list(card.labels)}
        words = {"words": [word for _, word in checked.setting.class_vocabulary.class_words]}
        return {
            "kind": self.kind,
            "record": checked.key,
            "names": checked.names,
            "images": len(checked.setting.ids),
            **(words if self.kind == "scores" else labels),
        }


def _labels(
    setting: Setting, queries: Queries, image: CheckedImage, item: Prepared
) -> np.ndarray[Any, Any]:
    size, background = truth_size(item.truth), setting.dataset.card.background
    found = label_map(image, queries, setting.protocol, size, background=background)
    labels = found.cpu().numpy().astype("uint8")
    image.check()
    return labels


def _write_png(stream: BinaryIO, *, labels: np.ndarray[Any, Any], background: bool) -> None:
    picture = Image.fromarray(labels)
    picture.putpalette(palette_bytes(background=background))
    picture.save(stream, format="PNG")


def _write_scores(stream: BinaryIO, *, image: CheckedImage, queries: Queries) -> None:
    maps = image.scores(queries).cpu().numpy()
    image.check()
    np.savez_compressed(stream, scores=maps, words=np.array(queries.words))
