"""What a tiny model can do, on scenes that it was not trained on and that nobody reports.

    python scripts/tiny/scores.py
    python scripts/tiny/scores.py model=outputs/tiny scenes=50

Scenes of the split tune: no scene of eval decides anything about the model. One line a size and
method, by the paper's protocol.
"""

from collections.abc import Sequence
from pathlib import Path

from evaluation.data import Toy
from evaluation.launch.words import Key, command, read_keys
from evaluation.measure import ByTask
from evaluation.setting import EvalProtocol, Setting
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem, MaskClip, Method
from gem.patches import Patches
from gem.resize import ShortSide
from gem.vocabulary import Prompts

SCENES = 500
KEYS = {
    "model": Key(Path("gem/backbones/tiny"), "folder of the model"),
    "scenes": Key(SCENES, "how many scenes", least=1),
}
METHODS: tuple[Method, ...] = (Clip(), MaskClip(), ClipSurgery(), Gem())


def print_scores(folder: Path, scenes: int) -> None:
    """One line a method and size: scores in percent, by the paper's protocol."""
    from evaluation.measure.evaluate import evaluate

    backbone = OpenClip(model=str(folder), weights="embedded", quick_gelu=False)
    for size in (64, 96):
        for method in METHODS:
            setting = Setting(
                segmenter=Patches(backbone=backbone, method=method),
                metric=ByTask(),
                dataset=Toy(scenes=scenes, size=96, split="tune"),
                protocol=EvalProtocol(name="gem", resize=ShortSide(size=size)),
                prompts=Prompts(templates=("a photo of a {}.",)),
                batch_size=32,
            )
            scores = evaluate(setting).outcome.scores
            said = ", ".join(f"{one.name} {100 * one.value:.1f}" for one in scores)
            print(f"{size:3d} px  {method.title:12s}  {said}", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    """Score the model that the words name."""
    own = read_keys(__doc__, KEYS, words)
    print_scores(own["model"], own["scenes"])


if __name__ == "__main__":
    command(main)
