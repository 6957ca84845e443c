"""A program for torchrun, or to be killed: ``ranks.py FOLDER ENGINE IMAGES [SAVE]``."""

import sys
from pathlib import Path

from standing_in import settings_of

from evaluation.engines import Ray, Torchrun
from evaluation.launch.words import command
from evaluation.run.save_images import ImageWriter
from evaluation.run.sweep import run_sweep

ENGINES = {"torchrun": Torchrun(), "ray": Ray(workers=2, threads=1)}


def main():
    folder, engine, images, *save = sys.argv[1:]
    settings, writer = settings_of(int(images)), None
    if save:  # not of thresholds, which nothing is compared by
        settings, writer = [settings[0], settings[3]], ImageWriter(Path(folder))
    found = run_sweep(
        settings, Path(folder), engine=ENGINES[engine], save_every=0.05, writer=writer
    )
    for one in found:
        if one.error:
            print(f"error: {one.error}")
    return any(one.error for one in found)


if __name__ == "__main__":
    command(main)
