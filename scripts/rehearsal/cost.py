"""What the suite of the field costs on GPUs: computed, not measured. Every assumption has a name.

The floating-point operations are those of matrix products: two for each multiplication, of a tower
of L blocks of width d on N tokens ``L * (24 N d^2 + 4 N^2 d)``, and of one block of GEM with K=1
``24 N^2 d + 2 N d^2``.
"""

from dataclasses import dataclass

from rich.table import Table

from evaluation.data.card import load_card
from gem.resize import ShortSide

PEAK = {"TF32": 495e12, "fp32": 67e12}  # operations a second of an H100 or H200, dense
REACHED = 0.4  # share of the peak
BANDWIDTH = 4.8e12  # bytes a second of an H200's memory
TOUCHED = 10  # times that the scores of all words at all pixels are read or written
METHODS = 10  # from one trace
TOGETHER = 1.5  # runs of GEM that they cost together: measured on a CPU, docs/speed.md
WEIGHTS = 3  # of each tower: CLIP's, OpenCLIP's, MetaCLIP's
CORES = 16  # that read for one GPU
START = 7 + 2 * 9  # seconds of a worker: imports and CUDA, and nine models
GPUS = (1, 8, 64)
TOWERS = {"B/32": (32, 768, 12), "B/16": (16, 768, 12), "L/14": (14, 1024, 24)}
"""Patch, width and blocks."""
GEM_BLOCKS = 4


@dataclass(frozen=True)
class Set:
    """Data sets of one kind: the usual height and width, words, and CPU seconds to read an image.

    reading: measured (docs/scale.md, two threads); of Cityscapes that of COCO for each pixel.
    """

    names: tuple[str, ...]
    height: int
    width: int
    words: int
    reading: float

    @property
    def images(self) -> int:
        """Of all passes with one backbone."""
        return sum(load_card(name).images or 0 for name in self.names)


SUITE = (
    Set(("voc", "voc20"), 375, 500, 21, 0.0063),
    Set(("context", "context60"), 375, 500, 60, 0.0073),
    Set(("coco_object",), 480, 640, 81, 0.0101),
    Set(("coco_stuff",), 480, 640, 171, 0.0101),
    Set(("ade20k",), 512, 683, 150, 0.0116),
    Set(("cityscapes",), 1024, 2048, 19, 0.069),
)
OPENIMAGES = (Set(("openimages",), 768, 1024, 0, 0.0161),)


def operations(height: int, width: int, tower: str) -> float:
    """Of one tower and one run of GEM on an image of that size, its shorter side 448."""
    patch, d, blocks = TOWERS[tower]
    rows, columns = ShortSide(size=448).fit(height, width, patch)
    n = 1 + (rows // patch) * (columns // patch)
    return blocks * (24 * n * d**2 + 4 * n**2 * d) + GEM_BLOCKS * (24 * n**2 * d + 2 * n * d**2)


def seconds(sets: tuple[Set, ...], precision: str = "TF32") -> dict[str, float]:
    """Of one GPU and its cores, all methods and backbones: towers, decisions, reading."""
    passes = WEIGHTS * len(TOWERS)
    towers = sum(
        one.images * WEIGHTS * TOGETHER * operations(one.height, one.width, tower)
        for one in sets
        for tower in TOWERS
    )
    scores = sum(4 * one.images * one.words * one.height * one.width for one in sets)
    return {
        "towers and methods": towers / (REACHED * PEAK[precision]),
        "decisions": scores * TOUCHED * METHODS * passes / BANDWIDTH,
        "reading": sum(one.images * one.reading for one in sets) * passes / CORES,
    }


def whole(parts: dict[str, float], gpus: int) -> float:
    """Seconds on so many GPUs: reading goes on beside the GPU, starting does not."""
    computing = parts["towers and methods"] + parts["decisions"]
    return START + max(computing, parts["reading"]) / gpus


def cost_table() -> Table:
    """Both suites: their parts on one GPU, and the whole on more of them."""
    table = Table(title="computed, not measured", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("eight benchmarks", "OpenImages V7"):
        table.add_column(heading, justify="right")
    suites = (SUITE, OPENIMAGES)
    images = [sum(one.images for one in sets) for sets in suites]
    table.add_row("images of a backbone", *map(str, images))
    for name in seconds(SUITE):
        table.add_row(f"{name}, 1 GPU", *(f"{seconds(sets)[name]:.0f} s" for sets in suites))
    for precision in PEAK:
        for gpus in GPUS:
            found = [whole(seconds(sets, precision), gpus) for sets in suites]
            name = f"whole, {precision}, {gpus} GPU{'s' * (gpus > 1)}"
            table.add_row(name, *(f"{one:.0f} s" for one in found))
    return table
