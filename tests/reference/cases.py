"""The settings of the released GEM that are recorded as golden tensors, in the release's own terms.

What its arguments mean:
- `gem_depth` counts layers + 1: 7, its default, wraps the last 6 blocks; the paper's d=4 is 5.
- `ss_attn_temp` is an INVERSE temperature (1/tau); None takes the paper's adaptive one.
- `ss_attn_iter` is the paper's K.

Read by `scripts/reference/inner.py` in the environment of the release; standard library only.
`manifest.json` is what our tests read: it repeats all of this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAMES = ("cat", "red bus", "potted plant")  # the classes asked for; for the small models mere keys
# b, 3, y, x of `fill.images`; a case takes the first images and their top left corner
IMAGES = {"small": (3, 3, 96, 112), "ViT-B-16": (1, 3, 224, 320)}
# every how many tokens, channels and pixels of a map are stored
STEPS = {
    "small": {"tokens": 1, "channels": 1, "pixels": 3},
    "ViT-B-16": {"tokens": 5, "channels": 16, "pixels": 15},
}
VISION = {
    "image_size": 64,
    "patch_size": 16,
    "layers": 8,
    "width": 80,
    "head_width": 16,
    "mlp_ratio": 2.0,
}
TEXT = {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1}
SMALL: dict[str, Any] = {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": TEXT}
MODELS: dict[str, dict[str, Any]] = {
    "small": SMALL,
    "small-quickgelu": {**SMALL, "quick_gelu": True},
    "small-layerscale": {**SMALL, "vision_cfg": {**VISION, "ls_init_value": 1.0}},
}
# golden tensor -> which call of a GEMWrapper gave it: b images, p patches, e embedding, w classes,
# m maps over all images, y x pixels
WHAT = {
    "patches": "model.visual(image)[0][:, 1:]: GEM patch features, not normalised [b p e]",
    "original": "model.visual(image)[1][:, 1:]: plain CLIP patch features, same pass [b p e]",
    "unit": "forward() with text = identity, at rearrange: unit patch features [b p e]",
    "logits": "forward(), at rearrange: cosines before upsampling [b p w]",
    "forward": "forward(normalize=False): upsampled cosines [b w y x]",
    "forward_minmax": "forward(): the same, min-max per image and class [b w y x]",
    "forward_original": "forward(normalize=False, return_ori=True): plain CLIP's [b w y x]",
    "batched": "batched_forward(normalize=False): 100 x cosine, the list concatenated [m y x]",
    "batched_minmax": "batched_forward(): the same after min-max [m y x]",
}


@dataclass(frozen=True)
class Case:
    """One setting of the release, and the images it sees."""

    name: str
    model: str
    image: tuple[int, int, int]  # batch, height, width
    gem_depth: int = 7
    ss_attn_iter: int = 1
    ss_attn_temp: float | None = None
    maps: bool = False  # store full heat maps too

    def family(self) -> str:
        """The key of this case in `IMAGES`, `STEPS` and the text embeddings."""
        return "small" if self.model.startswith("small") else self.model

    def asked(self) -> list[list[str]]:
        """The classes asked for each image by `batched_forward`: all three, then two, then one."""
        return [list(NAMES[: 3 - i]) for i in range(self.image[0])]


def cases() -> Iterator[Case]:
    """Every setting that is recorded; ss_attn_temp only takes values whose inverse is exact."""
    square, wide, tall = (1, 64, 64), (1, 64, 112), (3, 96, 48)
    for k in (0, 1, 2, 3):
        yield Case(f"iters{k}", "small", square, ss_attn_iter=k, maps=k == 1)
    for depth in (2, 5, 9):
        yield Case(f"depth{depth}", "small", square, gem_depth=depth)
    yield Case("temp4", "small", square, ss_attn_temp=4.0)
    yield Case("temp16-iters2", "small", wide, ss_attn_temp=16.0, ss_attn_iter=2)
    yield Case("batch3", "small", (3, 64, 64))
    yield Case("batch3-large", "small", (3, 96, 96))
    yield Case("batch3-wide", "small", (3, 64, 112), maps=True)
    yield Case("batch3-tall", "small", tall, gem_depth=5, ss_attn_iter=2)
    yield Case("quickgelu", "small-quickgelu", wide, gem_depth=5)
    yield Case("layerscale", "small-layerscale", tall, gem_depth=5)
    for size in ((224, 224), (224, 320)):
        for depth in (7, 5):
            for k in (1, 2):
                name = f"vit-b-16-{size[0]}x{size[1]}-depth{depth}-iters{k}"
                yield Case(name, "ViT-B-16", (1, *size), gem_depth=depth, ss_attn_iter=k, maps=True)
