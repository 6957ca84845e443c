"""A data set of random images in memory, for tests of what is built on top of readers."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from evaluation.data import Card, Sample
from evaluation.measure import ByTask
from evaluation.setting import EvalProtocol, Setting
from gem import Gem, Patches, Prompts, ShortSide

SIZES = [(40, 40), (40, 60), (50, 40), (40, 40), (30, 45), (64, 40), (40, 60)]
CLASSES = ("dog", "tree", "a photo of a house", "sheep grazing")  # for which noise differs
CARD = {
    "title": "Noise", "source": "none", "licence": "none", "citation": "none", "layout": "none",
    "split": "none", "images": len(SIZES), "classes": CLASSES,
}  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """Seven images of five sizes; ``broken`` names one that cannot be read."""

    background: bool = True
    root: str = "nowhere"
    order: tuple[int, ...] = tuple(range(len(SIZES)))
    broken: str = ""

    @property
    def card(self):
        return Card(name="noise", background=self.background, **CARD)

    @property
    def ids(self):
        return tuple(map(str, self.order))

    def check(self, ids):
        """Nothing can be missing."""

    def __getitem__(self, sample_id):
        if sample_id == self.broken:
            raise ValueError(f"{sample_id}.jpg cannot be read as an image: it is broken")
        size = SIZES[int(sample_id)]
        rng = np.random.default_rng(int(sample_id))
        rough = rng.integers(0, 256, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
        image = Image.fromarray(rough).resize(size[::-1])
        labels = [*range(len(CLASSES) + self.background), 255]
        return Sample(id=sample_id, image=image, truth=rng.choice(labels, size).astype(np.uint8))


def setting_of(backbone, **options):
    """GEM over the noise, a quarter of the pixels background."""
    method = options.pop("method", Gem())
    return Setting(
        **{
            "segmenter": Patches(backbone=backbone, method=method),
            "dataset": Noise(),
            "protocol": EvalProtocol(name="test", resize=ShortSide(size=40), background=0.6),
            "prompts": Prompts(templates=("{}",)),
            "metric": ByTask(),
        }
        | options
    )


def with_method(setting, method, **changes):
    """The setting with another method on the same backbone."""
    return replace(setting, segmenter=replace(setting.segmenter, method=method), **changes)


def with_backbone(setting, backbone, **changes):
    """The setting with the same method on another backbone."""
    return replace(setting, segmenter=replace(setting.segmenter, backbone=backbone), **changes)


def scores_of(outcome):
    """The values of an outcome's scores by name."""
    return {score.name: score.value for score in outcome.scores}


def save_turned(image, path, orientation=6):
    """Write an image whose EXIF turns it, by a quarter unless told, when it is shown."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, exif=exif)
