"""What the tiny model can do, on scenes that it was not trained on and that nobody reports.

python scripts/tiny_scores.py gem/backbones/tiny
"""

import sys
from pathlib import Path

from evaluation.data import Toy
from evaluation.measure import ByTask
from evaluation.measure.evaluate import evaluate
from evaluation.setting import EvalProtocol, Setting
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip, Method
from gem.patches import Patches
from gem.resize import ShortSide
from gem.vocabulary import Prompts

SCENES = 500
"""How many scenes of TUNE; no scene of EVAL decides anything about the model."""


def print_scores(folder: Path) -> None:
    """One line a method and size: scores in percent, by the paper's protocol."""
    backbone = OpenClip(model=str(folder), weights="embedded", quick_gelu=False)
    for size in (64, 96):
        protocol = EvalProtocol(name="gem", resize=ShortSide(size=size))
        methods: tuple[Method, ...] = (Clip(), MaskClip(), ClipSurgery(), Gem())
        for method in methods:
            setting = Setting(
                segmenter=Patches(backbone=backbone, method=method),
                metric=ByTask(),
                dataset=Toy(scenes=SCENES, size=96, split="tune"),
                protocol=protocol,
                prompts=Prompts(templates=("a photo of a {}.",)),
                batch_size=32,
            )
            scores = evaluate(setting).outcome.scores
            said = ", ".join(f"{one.name} {100 * one.value:.1f}" for one in scores)
            print(f"{size:3d} px  {method.title:12s}  {said}", flush=True)


if __name__ == "__main__":
    print_scores(Path(sys.argv[1]))
