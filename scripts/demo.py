"""The main job on nothing downloaded: GEM beside CLIP, MaskCLIP and CLIP Surgery.

Evaluates the four methods with the embedded tiny model on drawn scenes that it was neither
trained nor tuned on, with the settings that `python run.py method=...` has; prints one table,
writes one record per method, a picture of a few scenes, and the first scene alone.
"""

import argparse
import sys
from pathlib import Path

from evaluation.data import Toy
from evaluation.setting import EvalProtocol, Setting
from gem import Clip, ClipSurgery, Gem, MaskClip, Method, OpenClip
from gem.resize import ShortSide
from gem.vocabulary import Prompts

METHODS: dict[str, Method] = {
    "CLIP": Clip(), "MaskCLIP": MaskClip(), "CLIP Surgery": ClipSurgery(), "GEM": Gem(),
}  # fmt: skip


def settings(limit: int | None) -> dict[str, Setting]:
    """The default config of run.py, once per method; the methods share model and scenes."""
    backbone = OpenClip(model="tiny", weights="embedded", quick_gelu=False)
    dataset = Toy()
    protocol = EvalProtocol(name="gem", resize=ShortSide(size=64))
    prompts = Prompts(templates=("a photo of a {}",))
    return {
        name: Setting(
            backbone=backbone,
            method=method,
            dataset=dataset,
            protocol=protocol,
            prompts=prompts,
            limit=limit,
        )
        for name, method in METHODS.items()
    }


def main() -> None:
    """Evaluate, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="take the first n scenes only")
    parser.add_argument("--shown", type=int, default=5, help="scenes of the picture")
    parser.add_argument("--out", type=Path, default=Path("outputs/demo"), help="folder")
    args = parser.parse_args()
    chosen = settings(args.limit)
    from evaluation.run.job import run

    done = [run(setting, args.out / "records") for setting in chosen.values()]
    from evaluation.console import console, show
    from evaluation.pictures.panel import panel
    from evaluation.pictures.predictions import predictions

    show([record for record, _ in done], [path for _, path in done])
    picture, scene = args.out / "scenes.png", args.out / "scene.png"
    rows = predictions(chosen, count=args.shown)
    panel(rows, Toy().card, picture)
    rows[0].sample.image.save(scene)
    console.print(f"picture: {picture}\none scene: {scene}", highlight=False)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
