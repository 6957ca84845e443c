"""Get data sets ready: download, unpack, convert, verify, and print what they hold.

    python scripts/prepare.py                        one table of all data sets
    python scripts/prepare.py dataset=voc            what is missing, then all steps
    python scripts/prepare.py dataset=voc download=no root=DIR
    python scripts/prepare.py dataset=voc export=voc.parquet

download: auto downloads if nothing is there, or to go on; yes also completes a partial set; no
only tells. Any other KEY=VALUE is a field of the data set's reader, as after dataset. in run.py:
encoding=train_ids, listing=..., mask=...
"""

import os
from collections.abc import Sequence
from pathlib import Path

from evaluation.launch.words import Key, command, key_values, read_words

DATA = Path(os.environ.get("GEM_DATA", "data"))
KEYS = {
    "dataset": Key(None, "which one", kind=str),
    "root": Key(DATA, "the data root: GEM_DATA of the environment, else data/"),
    "download": Key("auto", "auto, yes or no", among=("auto", "yes", "no")),
    "export": Key(None, "a parquet file to write", kind=Path),
}


def main(words: Sequence[str] | None = None) -> None:
    """Read the words and do what they say."""
    own, others = read_words(__doc__, KEYS, words)
    fields = key_values([word.removeprefix("dataset.") for word in others], "dataset=voc")
    if own["dataset"] is None and (lost := [*fields, *(["export"] if own["export"] else [])]):
        raise ValueError(f"{lost[0]}: of which data set? Say dataset=NAME")
    from evaluation.console import console, say
    from evaluation.prepare import command as steps
    from evaluation.prepare import tables

    if own["dataset"] is None:
        console.print(tables.overview(own["root"]))
        for line in "\n".join(tables.addresses(own["root"])).splitlines():
            say(line)
        return
    dataset = steps.prepare(
        own["dataset"], own["root"], download_mode=own["download"], changes=fields
    )
    if own["export"]:
        steps.export(dataset, own["export"])


if __name__ == "__main__":
    command(main)
