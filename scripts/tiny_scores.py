"""What the tiny model can do, on scenes that it was not trained on and that nobody reports.

python scripts/tiny_scores.py gem/backbones/tiny
"""

import sys
from pathlib import Path

from evaluation.data import Toy
from evaluation.measure.evaluate import evaluate
from evaluation.setting import EvalProtocol, Setting
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip
from gem.resize import ShortSide
from gem.vocabulary import Prompts

SCENES = 500
"""How many scenes of TUNE; no scene of EVAL decides anything about the model."""


def print_scores(folder: Path) -> None:
    """One line a method and size: scores in percent, by the paper's protocol."""
    backbone = OpenClip(model=str(folder), weights="embedded", quick_gelu=False)
    for size in (64, 96):
        protocol = EvalProtocol(name="gem", resize=ShortSide(size=size))
        for method in (Clip(), MaskClip(), ClipSurgery(), Gem()):
            setting = Setting(
                backbone=backbone,
                method=method,
                dataset=Toy(scenes=SCENES, size=96, split="tune"),
                protocol=protocol,
                prompts=Prompts(templates=("a photo of a {}.",)),
                batch_size=32,
            )
            scores = evaluate(setting).outcome.scores
            told = ", ".join(f"{name} {100 * value:.1f}" for name, value in scores.items())
            print(f"{size:3d} px  {type(method).__name__:11s}  {told}", flush=True)


if __name__ == "__main__":
    print_scores(Path(sys.argv[1]))
