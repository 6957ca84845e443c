"""Train the tiny CLIP model on drawn scenes, and measure it.

    python scripts/tiny/train.py out=outputs/tiny steps=20 scenes=200 batch=16
    python scripts/tiny/train.py start=outputs/tiny out=outputs/more minutes=30 steps=1000000

How the embedded model was made: its card, gem/backbones/tiny/README.md. The run writes the model as
a folder of open_clip, every half minute and at its end, and ends with the scores of
scripts/tiny/scores.py. `backbone.model=outputs/tiny` uses it in run.py.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from plan import Plan

from evaluation.launch.words import Key, command, read_keys

KEYS = {
    "out": Key(None, "folder of the model; must be given", kind=Path),
    "steps": Key(5000, "steps of the schedule", least=1),
    "minutes": Key(math.inf, "end the run early, its schedule shortened", least=0.01),
    "scenes": Key(72_000, "training scenes drawn", least=1),
    "batch": Key(64, "scenes a step and process", least=1),
    "rate": Key(1.5e-3, "highest learning rate", least=0),
    "seed": Key(0, "of everything random", least=0),
    "processes": Key(None, "null: one a core, or one on a GPU", kind=int, least=1),
    "cache": Key(None, "keep the drawn scenes in this folder", kind=Path),
    "precision": Key(
        "float32", "bfloat16 where processor or GPU computes it", among=("float32", "bfloat16")
    ),
    "start": Key(None, "folder of a model to train further; null: random weights", kind=Path),
}
WEIGHTS = "model.safetensors"


def main(words: Sequence[str] | None = None) -> None:
    """Read the plan, then train."""
    own = read_keys(__doc__, KEYS, words)
    if own["out"] is None:
        raise ValueError("out: say which folder, such as out=outputs/tiny")
    if own["start"] and not (own["start"] / WEIGHTS).is_file():
        raise ValueError(f"start={own['start']}: there is no {WEIGHTS} in it")
    from learn import run, usual_processes

    own["processes"] = own["processes"] or usual_processes()
    run(Plan(**own))


if __name__ == "__main__":
    command(main)
