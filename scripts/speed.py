"""Time and memory of each method, of plain open_clip, of the released GEM, and of an evaluation.

    python scripts/speed.py
    python scripts/speed.py release=false
    python scripts/speed.py release=false only=methods model=ViT-B-32 size=224 repeats=2 rounds=1
    python scripts/speed.py only=cells
    python scripts/speed.py only=field
    python scripts/speed.py only=pipeline repeats=2 rounds=2

Random weights: they cost the same. `plain open_clip` is open_clip's own `encode_image` of a model
made for that size. The release runs in the environment of scripts/reference/record.py, about 6 GB,
which is made if it is missing.

The second table is what the cells of the paper's Tables 1, 4 and 6 cost over one shared trace, on
a VOC-sized image whose shorter side is the size. The third is what each method of the field costs
alone, and ten of them together. The fourth is what an evaluation costs, beside its model's passes.
How each is measured: scripts/timing.
"""

from collections.abc import Sequence

from evaluation.launch.words import Key, command, read_keys

KEYS = {
    "model": Key("ViT-B-16", "a model of open_clip"),
    "size": Key(448, "height and width in pixels", least=1),
    "batch": Key(1, "images a forward pass", least=1),
    "repeats": Key(5, "timed passes a round", least=1),
    "rounds": Key(3, "rounds of all rows", least=1),
    "precision": Key("fp32", "fp32, bf16 or fp16", among=("fp32", "bf16", "fp16")),
    "release": Key(True, "false leaves the released GEM out"),
    "only": Key(
        None,
        "methods, cells, field or pipeline: one of the four tables",
        kind=str,
        among=("methods", "cells", "field", "pipeline"),
    ),
}


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    own = read_keys(__doc__, KEYS, words)
    release, only = own.pop("release"), own.pop("only")
    from rich.console import Console
    from timing.clock import Timing

    timing = Timing(**own)
    if only in {None, "methods"}:
        from timing.methods import methods_table

        Console().print(methods_table(timing, release=release))
    if only in {None, "cells"}:
        from timing.cells import cells_table

        Console().print(cells_table(timing))
    if only in {None, "field"}:
        from timing.field import field_table

        Console().print(field_table(timing))
    if only in {None, "pipeline"}:
        from timing.pipeline import pipeline_table

        Console().print(pipeline_table(timing))


if __name__ == "__main__":
    command(main)
