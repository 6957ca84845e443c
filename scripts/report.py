"""Build the report: one HTML page of all records, which opens without server or network.

    python scripts/report.py
    python scripts/report.py records=results/toy/records tables=results/toy/tables images=0
    python scripts/report.py records=outputs/demo/records out=outputs/demo/report

Tables and figures of results/tables are included where they are there. The models of one data set
whose images are here run again on some of them, to show their best and worst predictions;
images=0 leaves predictions out: so do it with records of a stranger, which may name any of your
files as their images. The page is index.html in the folder out, and obeys no script but its own.
"""

from collections.abc import Sequence
from pathlib import Path

from evaluation.launch.words import Key, command, read_keys

KEYS = {
    "records": Key(Path("results/records"), "folder of the records"),
    "tables": Key(Path("results/tables"), "folder of the tables and figures"),
    "figures": Key(None, "another folder of PNG and SVG files", kind=Path),
    "out": Key(Path("results/report"), "folder of the page"),
    "images": Key(12, "predictions chosen by the seed; 0 shows none", least=0),
    "seed": Key(0, "which predictions are shown", least=0),
}


def main(words: Sequence[str] | None = None) -> None:
    """Build it and say where it is."""
    own = read_keys(__doc__, KEYS, words)
    from evaluation.console import say
    from evaluation.report.build import build

    for line in build(
        own["records"], own["tables"], own["out"],
        more=own["figures"], images=own["images"], seed=own["seed"],
    ):  # fmt: skip
        say(line)


if __name__ == "__main__":
    command(main)
