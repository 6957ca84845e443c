"""The main job on nothing downloaded: GEM beside CLIP, MaskCLIP and CLIP Surgery.

    python scripts/demo.py
    python scripts/demo.py limit=20 shown=3 out=DIR

Evaluates the four methods with the embedded tiny model on drawn scenes that it was neither
trained nor tuned on, with the settings that `python run.py method=...` has; prints one table,
writes one record per method, a picture of a few scenes, and the first scene alone.

limit: take the first n scenes only. shown: scenes of the picture (5). out: folder (outputs/demo).
"""

import sys
from pathlib import Path

from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.launch.words import read_words

METHODS = ("clip", "maskclip", "clip_surgery", "gem")


def main() -> None:
    """Evaluate, print, draw."""
    own, rest = read_words(__doc__, {"limit": None, "shown": 5, "out": "outputs/demo"})
    if rest:
        raise ValueError(f"{rest[0]}: expected limit=, shown= or out=")
    limit, out = own["limit"], Path(own["out"])
    settings = [
        compose_setting([f"method={name}", f"limit={'null' if limit is None else limit}"])
        for name in METHODS
    ]
    from evaluation.console import console
    from evaluation.pictures.panel import panel
    from evaluation.pictures.predictions import predictions
    from evaluation.run.job import run
    from evaluation.run.passes import share_parts
    from evaluation.terminal.record_table import show

    settings = share_parts(settings)
    done = [run(setting, out / "records") for setting in settings]
    show([one.record for one in done], [one.path for one in done])
    picture, scene = out / "scenes.png", out / "scene.png"
    by_title = {setting.segmenter.title: setting for setting in settings}
    rows = predictions(by_title, count=own["shown"])
    panel(rows, settings[0].dataset.card, picture)
    rows[0].sample.image.save(scene)
    console.print(f"picture: {picture}\none scene: {scene}", highlight=False)


if __name__ == "__main__":
    try:
        main()
    except MISTAKES as error:
        sys.exit(f"error: {sentence(error)}")
