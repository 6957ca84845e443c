"""Get data sets ready: download, unpack, convert, verify, and print what they hold.

    python scripts/prepare.py                        one table of all data sets
    python scripts/prepare.py dataset=voc            what is missing, then all steps
    python scripts/prepare.py dataset=voc download=no root=DIR
    python scripts/prepare.py dataset=voc export=voc.parquet

Words: dataset; root, the data root (the environment's GEM_DATA, else data/); download, one of
auto (if nothing is there, or to go on), yes (also to complete a partial set), no; export, a parquet
file to write. Any other KEY=VALUE is a field of the data set's reader, as after dataset. in
run.py: encoding=train_ids, listing=..., mask=...
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Literal

import yaml

WISHES: dict[object, Literal["auto", "yes", "no"]] = {
    "auto": "auto",
    True: "yes",
    False: "no",
}  # yes and no are booleans in YAML


def words_of(arguments: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` words by key. Raises ValueError for anything else."""
    for word in arguments:
        if not word.partition("=")[2]:
            raise ValueError(f"{word}: expected KEY=VALUE, such as dataset=voc")
    pairs = (word.removeprefix("dataset.").split("=", 1) for word in arguments)
    return {key: yaml.safe_load(value) for key, value in pairs}


def main() -> None:
    """Read the words and do what they say."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE")
    words = words_of(parser.parse_args().words)
    root = Path(words.pop("root", os.environ.get("GEM_DATA", "data")))
    name, wish = words.pop("dataset", None), words.pop("download", "auto")
    target = words.pop("export", None)
    if wish not in WISHES:
        raise ValueError(f"download={wish}: expected one of {', '.join(WISHES.values())}")
    from evaluation.console import console
    from evaluation.prepare import command, tables

    if name is None:
        console.print(tables.overview(root))
        console.print("\n".join(tables.addresses(root)))
        return
    dataset = command.prepare(name, root, wish=WISHES[wish], changes=words)
    if target is not None:
        command.export(dataset, Path(target))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
