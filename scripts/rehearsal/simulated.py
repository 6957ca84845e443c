"""The table of the simulation: passes over the data sets of the field, alone and together."""

import random
from collections.abc import Sequence
from statistics import median

from rehearsal.simulate import Cluster, Outcome, Simulation
from rich.console import JustifyMethod
from rich.table import Table

from evaluation.console import literal
from evaluation.data.card import load_card

SUITE = (
    "voc", "voc20", "context", "context60", "coco_object", "coco_stuff", "cityscapes", "ade20k",
)  # fmt: skip
ALONE = ("voc", "context", "ade20k", "coco_stuff", "openimages")
BACKBONES = 9
IMAGE = 0.05  # seconds of a worker for an image: an assumption
BATCH = 8
RUNS = 9  # of a row, with other dice


def chunks_of(images: int, cluster: Cluster, dice: random.Random) -> list[float]:
    """Seconds of the chunks of a pass at full speed: log-normal, with the assumed mean."""
    from evaluation.measure.batches import CHUNK_BATCHES

    size, low = CHUNK_BATCHES * BATCH, -(cluster.spread**2) / 2
    parts = [min(size, images - first) for first in range(0, images, size)]
    return [IMAGE * part * dice.lognormvariate(low, cluster.spread) for part in parts]


def passes_of(
    names: Sequence[str], times: int, cluster: Cluster, seed: int
) -> dict[str, list[float]]:
    """So many passes over each data set."""
    found = {}
    for name in (f"{name} {time}" for time in range(times) for name in names):
        dice = random.Random(f"{seed} {name}")  # noqa: S311 no secret
        images = load_card(name.split()[0]).images or 0
        found[name] = chunks_of(images, cluster, dice)
    return found


def simulation_table(seed: int) -> Table:
    """A pass over each data set alone, then the passes of all backbones together."""
    cluster = Cluster()
    title = (
        f"simulated {RUNS} times, medians: {cluster.workers} workers, {IMAGE} s an image, every "
        f"{cluster.slow_every}th {cluster.slowdown:g} times slower, one lost every "
        f"{cluster.lost_every:g} s"
    )
    table = Table(title=literal(title), title_justify="left")
    for heading in ("passes", "chunks", "ideal", "took", "ratio", "idle", "lost", "again", "wrong"):
        justify: JustifyMethod = "left" if heading == "passes" else "right"
        table.add_column(heading, justify=justify, no_wrap=True)
    rows = {name: ([name], 1) for name in ALONE}
    rows[f"8 sets x {BACKBONES}"] = (list(SUITE), BACKBONES)
    rows[f"9 sets x {BACKBONES}"] = ([*SUITE, "openimages"], BACKBONES)
    for row, (names, times) in rows.items():
        runs = [
            Simulation(passes_of(names, times, cluster, one), cluster, one).run()
            for one in range(seed, seed + RUNS)
        ]
        table.add_row(literal(row), *_cells(runs))
    return table


def _cells(runs: Sequence[Outcome]) -> list[str]:
    """Medians; of chunks that were counted twice, or never, all."""
    ratio = median(one.makespan / one.ideal for one in runs)
    return [
        str(runs[0].chunks),
        f"{median(one.ideal for one in runs):.1f} s",
        f"{median(one.makespan for one in runs):.1f} s",
        f"{ratio:.2f}",
        f"{100 * median(one.idle for one in runs):.0f} %",
        str(median(one.lost for one in runs)),
        str(median(one.again for one in runs)),
        str(sum(one.twice + one.never for one in runs)),
    ]
