"""Maps of windows, put together to the map of the image.

Shapes: w maps, y x pixels of the input, u v of a window's map.
"""

from collections.abc import Iterable

from jaxtyping import Float, Int64
from torch import Tensor

from gem.image import upsample
from gem.windows import Tiles


class Overlap:
    """The mean of windows' maps at every pixel of an input (mmseg's slide inference)."""

    def __init__(self, maps: int, size: tuple[int, int], tiles: Tiles, like: Tensor) -> None:
        self.tiles = tiles
        self.total = like.new_zeros(maps, *size)
        self.count = like.new_zeros(size)

    def add(
        self,
        corner: tuple[int, int],
        maps: Float[Tensor, "n u v"],
        which: Int64[Tensor, " n"] | None = None,
    ) -> None:
        """A window's maps at the size that the model saw, of the words ``which``; 0 of the others.

        What was padded is cut off.
        """
        (top, left), (height, width) = corner, self.tiles.shape
        place = (slice(top, top + height), slice(left, left + width))
        self.total[slice(None) if which is None else which, *place] += maps[:, *self.tiles.inside]
        self.count[place] += 1

    @property
    def mean(self) -> Float[Tensor, "w y x"]:
        """Every pixel is in one window at least."""
        return self.total / self.count


def mean_of_windows(
    windows: Iterable[Float[Tensor, "w u v"]], size: tuple[int, int], tiles: Tiles
) -> Float[Tensor, "w y x"]:
    """The maps of all windows, in the order of the tiles; stretched to what the model saw."""
    found: Overlap | None = None
    for corner, maps in zip(tiles.corners, windows, strict=True):
        found = found or Overlap(len(maps), size, tiles, maps)
        found.add(corner, stretched(maps, tiles.seen))
    assert found is not None  # noqa: S101 there is a window
    return found.mean


def stretched(maps: Float[Tensor, "w u v"], size: tuple[int, int]) -> Float[Tensor, "w y x"]:
    """Bilinear to (height, width); maps of that size as they are."""
    same = tuple(maps.shape[1:]) == tuple(size)
    return maps if same else upsample(maps, size)
