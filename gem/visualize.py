"""A picture of what prompts find in an image; it imports nothing before it is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

    from gem.given import Picture
    from gem.overlay import Scale


def visualize(
    image: Picture,
    text: str | Sequence[str],
    logits: Any,
    alpha: float = 0.85,
    save_path: str | Path | None = None,
    *,
    caption: str = "",
    scale: Scale | None = None,
) -> Image.Image:
    """A picture of an image and of what each prompt finds in it, with a colour bar.

    image: as for `gem.Grounder`, or a tensor that is normalised with CLIP's mean and deviation.
    logits: maps [w, y, x] (or [1, w, y, x]), numpy or a tensor, of any size: scores, as
        `gem.Grounder.scores` gives them, or heat maps that are scaled to [0, 1]. Over each is its
        highest value. All are drawn on one scale (`gem.overlay.common_scale` unless another is
        given), so that a prompt that is not in the image stays darker than one that is; heat maps
        that were scaled each on its own all glow.
    alpha: how much of the image the highest value covers.
    save_path: the file to write, in the format of its name.
    caption: a line below.

    Raises ValueError or TypeError if there are not as many maps as prompts, or they are no numbers.
    """
    from gem.given import as_prompts
    from gem.sheet import as_maps, draw

    prompts, maps = as_prompts(text), as_maps(logits)
    drawn = draw(image, prompts, maps, alpha=alpha, caption=caption, scale=scale)
    if save_path is not None:
        drawn.save(save_path)
    return drawn
