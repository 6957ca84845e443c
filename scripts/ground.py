"""Ground words in one image: an overlay per prompt and a panel of all.

    python scripts/ground.py results/demo/scene.png "a bird" "a boat" backbone=tiny
    python scripts/ground.py photo.jpg "a cat" "a remote control" gem.iters=2 out=cats
    python scripts/ground.py photo.jpg "a cat" backbone=clip_vit_l14 method=maskclip protocol=sclip
    python scripts/ground.py photo.jpg "a cat" "against=a dog;a wall;grass"

The image comes first, then the prompts, which are asked as they are typed. All other words are
those of run.py and choose segmenter, backbone, method and protocol; the backbone is CLIP ViT-B/16
with OpenAI's weights (backbone=clip_vit_b16) unless another is named, or the segmenter has none.
backbone=tiny, which is embedded, knows drawn scenes only.

Printed is each prompt's highest score, the cosine unless the segmenter has another. Pictures have
one scale for all prompts, from the median of all scores to the highest: what is not in the image
stays darker than what is. Alone, a prompt has nothing to be compared with and is bright somewhere:
against= names others that the scale knows and no picture shows.
"""

from collections.abc import Sequence
from pathlib import Path

import gem
from evaluation.launch import compose_setting
from evaluation.launch.words import Key, command, read_words, split_overrides
from evaluation.setting import Setting

KEYS = {
    "out": Key(Path("grounded"), "folder of the pictures"),
    "against": Key("", "prompts between ; that only the scale knows"),
}
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
    others = [word for one in own["against"].split(";") if (word := one.strip())]
    model = gem.Grounder(setting.segmenter, protocol.resize, protocol.windows)
    maps = model.scores(image, [*prompts, *others]).cpu().numpy()
    from evaluation.console import say
    from evaluation.pictures.overlay import write_overlays
    from gem.overlay import common_scale

    scale = common_scale(maps)
    for prompt, one in zip([*prompts, *others], maps, strict=True):
        say(f"{one.max():7.3f}  {prompt}")
    for path in write_overlays(
        image, maps[: len(prompts)], prompts, scale=scale,
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
