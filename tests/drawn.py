"""A data set of random images in memory, for tests of what is built on top of readers."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from evaluation.data import Card, Sample
from evaluation.setting import EvalProtocol, Setting
from gem.methods import Gem
from gem.resize import ShortSide
from gem.vocabulary import Prompts

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
    return Setting(
        **{
            "backbone": backbone,
            "method": Gem(),
            "dataset": Noise(),
            "protocol": EvalProtocol(name="test", resize=ShortSide(size=40), background=0.6),
            "prompts": Prompts(templates=("{}",)),
        }
        | options
    )
