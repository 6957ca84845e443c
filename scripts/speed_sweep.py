"""What the paper's Tables 1, 4 and 6 cost when all their cells share one trace.

    python scripts/speed_sweep.py                   ViT-B/16, a VOC-sized image at 448
    python scripts/speed_sweep.py --repeats 3 --rounds 5

Random weights: they cost the same. One GEM run is one image through K=1 and 4 blocks. The cells of
the tables without MLP are 21 distinct settings for one data set; those with MLP are 11 more. Text,
upsampling and counting are left out: they are of each setting.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from rich.console import Console
from rich.table import Table

from gem import Gem, OpenClip
from gem.resize import ShortSide
from gem.segmenter import Segmenter
from gem.trace import Projection

VOC = (375, 500)  # height and width of a usual image


def cells() -> list[Gem]:
    """The distinct settings of GEM in Tables 1, 4 and 6 without MLP.

    CLIP is the ordinary pass itself, CLIP Surgery (6 blocks) reads as v-v does. Table 1 with norm
    and adaptive temperature has K=0, as its 45.1 is the K=0 of Table 4.
    """
    ways: list[tuple[Projection, ...]] = [("v",), ("k",), ("q",), ("q", "k", "v")]
    methods = [
        Gem(projections=way, iters=0, normalize=False, temperature="standard") for way in ways
    ]
    methods += [Gem(projections=way, iters=0) for way in ways]
    methods += [Gem(iters=iters) for iters in range(4)]
    methods += [Gem(blocks=blocks) for blocks in range(1, 12)]
    return list(dict.fromkeys(methods))


def with_mlp() -> list[Gem]:
    """The other half of Table 6."""
    return [Gem(blocks=blocks, mlp=True) for blocks in range(1, 12)]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--model", default="ViT-B-16", help="a model of open_clip, of 12 blocks")
    parser.add_argument("--size", type=int, default=448, help="short side in pixels")
    parser.add_argument("--batch", type=int, default=1, help="images a forward pass")
    parser.add_argument("--repeats", type=int, default=2, help="timed passes a round")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each repetition."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(time.perf_counter() - start)
    return found


def measure(args: argparse.Namespace, rows: Sequence[Sequence[Gem]]) -> list[float]:
    """Median seconds of each row's methods on one batch; the rows take turns."""
    backbone = OpenClip(model=args.model)
    segmenter = Segmenter(backbone)
    size = ShortSide(size=args.size).fit(*VOC, backbone.patch)
    images = torch.randn(args.batch, 3, *size)
    found: list[list[float]] = [[] for _ in rows]
    work = [partial(segmenter.see_with, methods, images) for methods in rows]
    for one in work:
        one()
    for _ in range(args.rounds):
        for one, taken in zip(work, found, strict=True):
            taken.extend(timed(one, args.repeats))
    return [statistics.median(taken) for taken in found]


def main() -> None:
    """Measure and print one table."""
    args = arguments()
    names = ["one GEM run, K=1, 4 blocks"]
    rows: list[list[Gem]] = [[Gem()], cells(), [*cells(), *with_mlp()]]
    names += [f"{len(rows[1])} cells without MLP", f"{len(rows[2])} cells with 11 with MLP"]
    seconds = measure(args, rows)
    title = f"{args.model}, short side {args.size}, batch {args.batch}, one shared trace"
    table = Table(title=title, title_justify="left")
    for heading in ("", "ms/image", "x one GEM run", "x one by one"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, methods, taken in zip(names, rows, seconds, strict=True):
        ratio = taken / seconds[0]
        shares = (f"{1000 * taken / args.batch:.0f}", f"{ratio:.2f}", f"{ratio / len(methods):.2f}")
        table.add_row(name, *shares)
    Console().print(table)


if __name__ == "__main__":
    main()
