"""A program for torchrun, or to be killed: ``ranks.py FOLDER ENGINE IMAGES``."""

import sys
from pathlib import Path

from standing_in import settings_of

from evaluation.engines import Ray, Torchrun
from evaluation.launch.words import command
from evaluation.run.sweep import run_sweep

ENGINES = {"torchrun": Torchrun(), "ray": Ray(workers=2, threads=1)}


def main():
    folder, engine, images = sys.argv[1:]
    found = run_sweep(
        settings_of(int(images)), Path(folder), engine=ENGINES[engine], save_every=0.05
    )
    for one in found:
        if one.error:
            print(f"error: {one.error}")
    return any(one.error for one in found)


if __name__ == "__main__":
    command(main)
