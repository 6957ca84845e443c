"""The main job on nothing downloaded: GEM beside CLIP, MaskCLIP and CLIP Surgery.

    python scripts/demo.py
    python scripts/demo.py limit=20 shown=3 out=outputs/small

Evaluates the four methods with the embedded tiny model on drawn scenes that it was neither
trained nor tuned on, with the settings that `python run.py method=...` has; prints one table,
writes one record per method, a picture of a few scenes, and the first scene alone. A second time
the records are taken as they are.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evaluation.launch import compose_setting
from evaluation.launch.words import Key, command, read_keys

METHODS = ("clip", "maskclip", "clip_surgery", "gem")
KEYS = {
    "limit": Key(None, "take the first n scenes only", kind=int, least=1),
    "shown": Key(4, "scenes of the picture", least=1),
    "seed": Key(0, "of which scenes are shown", least=0),
    "force": Key(default=False, says="evaluate again what has a valid record"),
    "out": Key(Path("outputs/demo"), "folder of the records and pictures"),
}


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate, print, draw."""
    own = read_keys(__doc__, KEYS, words)
    limit = "null" if own["limit"] is None else own["limit"]
    settings = [compose_setting([f"method={name}", f"limit={limit}"]) for name in METHODS]
    from evaluation.console import say
    from evaluation.pictures.predictions import draw_panel, shown_ids
    from evaluation.run.job import find_or_run
    from evaluation.run.output import OutputOptions
    from evaluation.setting.sharing import share_parts
    from evaluation.terminal.record_table import show
    from evaluation.whole_files import write_whole

    settings = share_parts(settings)
    wanted = OutputOptions(output=str(own["out"] / "records"), labels="", force=own["force"])
    done = [find_or_run(setting, wanted) for setting in settings]
    show([one.record for one in done], [one.path for one in done])
    if known := sum(one.skipped for one in done):
        say(f"{known} of {len(done)} records were there (force=true evaluates again)")
    picture, scene = own["out"] / "scenes.png", own["out"] / "scene.png"
    by_title = {setting.segmenter.title: setting for setting in settings}
    draw_panel(by_title, picture, count=own["shown"], seed=own["seed"])
    first = settings[0].dataset[shown_ids(settings[0], count=own["shown"], seed=own["seed"])[0]]
    write_whole(scene, partial(first.image.save, format="PNG"))
    say("picture: ", picture)
    say("one scene: ", scene)


if __name__ == "__main__":
    command(main)
