"""Ground words in one image: an overlay per prompt and a panel of all.

    python scripts/ground.py results/demo/scene.png "a bird" "a fish" backbone=tiny
    python scripts/ground.py photo.jpg "a cat" "a remote control" gem.iters=2 out=cats
    python scripts/ground.py photo.jpg "a cat" backbone=clip_vit_l14 method=maskclip protocol=sclip

The image comes first, then the prompts, which are asked as they are typed. All other words are
those of run.py and choose segmenter, backbone, method and protocol; the backbone is CLIP ViT-B/16
with OpenAI's weights (backbone=clip_vit_b16) unless another is named, or the segmenter has none.
backbone=tiny, which is embedded, knows drawn scenes only.
"""

from collections.abc import Sequence
from pathlib import Path

import gem
from evaluation.launch import compose_setting
from evaluation.launch.words import Key, command, read_words, split_overrides
from evaluation.setting import Setting

KEYS = {"out": Key(Path("grounded"), "folder of the pictures")}
OF_RUN = ("segmenter", "backbone", "method", "gem", "protocol", "short_side", "experiment")


def main(words: Sequence[str] | None = None) -> None:
    """Ground the prompts and write the pictures."""
    own, others = read_words(__doc__, KEYS, words)
    overrides, given = split_overrides(others, KEYS, OF_RUN)
    if len(given) < 2:
        missing = "prompts after the image" if given else "an image and prompts"
        raise ValueError(f'{missing} are missing: photo.jpg "a cat" "a remote control"')
    setting = compose(overrides)
    image, prompts = gem.read_image(given[0]), given[1:]
    protocol = setting.protocol
    model = gem.Grounder(setting.segmenter, protocol.resize, protocol.windows)
    heats = model.heatmaps(image, prompts)
    from evaluation.console import say
    from evaluation.pictures.overlay import write_overlays

    for path in write_overlays(
        image, heats.cpu().numpy(), prompts,
        folder=own["out"], stem=Path(given[0]).stem, caption=caption(setting),
    ):  # fmt: skip
        say(path)


def compose(overrides: Sequence[str]) -> Setting:
    """What the words say, with CLIP as the backbone unless the segmenter has none."""
    if any(word.startswith("segmenter=") for word in overrides):
        setting = compose_setting(overrides)
        if not hasattr(setting.segmenter, "backbone"):
            return setting
    return compose_setting(["backbone=clip_vit_b16", *overrides])


def caption(setting: Setting) -> str:
    """What made the maps: method with its options, model, weights."""
    segmenter = setting.segmenter
    found = segmenter.provenance
    method = f"{segmenter.title} {segmenter.variant}".strip()
    return f"{method}, {found.model}, {found.source}"


if __name__ == "__main__":
    command(main)
