"""Time and memory: of methods, of plain open_clip and the released GEM, of whole evaluations.

    python scripts/speed.py
    python scripts/speed.py release=false only=methods model=ViT-B-32 size=224 repeats=2 rounds=1
    python scripts/speed.py only=pipeline repeats=2 rounds=2

Random weights: they cost the same. `plain open_clip` is open_clip's own `encode_image` of a model
made for that size. The release runs in the environment of scripts/reference/record.py, about 6 GB,
which is made if it is missing.

methods: each method beside plain open_clip. cells: the cells of the paper's Tables 1, 4 and 6 over
one shared trace, on a VOC-sized image. field: each method of the field alone, and ten of them
together. pipeline: a whole evaluation beside its model's passes. precision: how many pixels bf16
and others decide otherwise than fp32, and their time. systems: those of the paper's Table 3, one
image at a time. start: what a command costs before it computes. How each is measured:
scripts/timing.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from evaluation.launch.words import Key, command, read_keys

if TYPE_CHECKING:
    from rich.table import Table
    from timing.clock import Timing

TABLES = ("methods", "cells", "field", "pipeline", "precision", "systems", "start")
KEYS = {
    "model": Key("ViT-B-16", "a model of open_clip"),
    "size": Key(448, "height and width in pixels", least=1),
    "batch": Key(1, "images a forward pass", least=1),
    "repeats": Key(5, "timed passes a round", least=1),
    "rounds": Key(3, "rounds of all rows", least=1),
    "precision": Key("fp32", "fp32, bf16 or fp16", among=("fp32", "bf16", "fp16")),
    "release": Key(True, "false leaves the released GEM out"),
    "only": Key(None, "one of the tables", kind=str, among=TABLES),
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    own = read_keys(__doc__, KEYS, words)
    release, only = own.pop("release"), own.pop("only")
    from rich.console import Console
    from timing.clock import Timing

    timing = Timing(**own)
    for name in [only] if only else TABLES:
        Console().print(table(name, timing, release=release))


def table(name: str, timing: "Timing", *, release: bool) -> "Table":
    """The table of a name, measured now."""
    module = import_module(f"timing.{name}")
    options = {"release": release} if name == "methods" else {}
    found: Table = getattr(module, f"{name}_table")(timing, **options)
    return found


if __name__ == "__main__":
    command(main)
