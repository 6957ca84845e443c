"""The third table: each method of the field alone, and all of them from one trace.

On a square image: features without text, upsampling and counting. The rows take turns in one
process.
"""

from rich.table import Table
from timing.cells import medians
from timing.clock import Timing, empty_table

import gem

TEN: list[gem.Method] = [
    gem.Clip(), gem.MaskClip(), gem.ClipSurgery(), gem.Gem(), gem.Sclip(), gem.ClearClip(),
    gem.Naclip(), gem.ResClip(), gem.ScClip(), gem.Pearl(),
]  # fmt: skip
TOGETHER = "all ten together"


def field_table(timing: Timing) -> Table:
    """Measure and show."""
    of = {one.title: [one] for one in [*TEN, gem.Sfp(), gem.ItaclipAttention()]}
    found = medians(timing, {**of, TOGETHER: TEN}, (timing.size, timing.size))
    title = f"{timing.model} at {timing.size} x {timing.size}, methods of the field"
    table = empty_table(title, "x GEM")
    for row, taken in found.items():
        what = "one trace" if row == TOGETHER else ""
        table.add_row(row, what, f"{taken:.0f}", f"{taken / found['GEM']:.2f}")
    return table
