"""Get data sets ready: download, unpack, convert, verify, and print what they hold.

    python scripts/prepare.py                        one table of all data sets
    python scripts/prepare.py dataset=voc            what is missing, then all steps
    python scripts/prepare.py dataset=voc download=no root=DIR
    python scripts/prepare.py dataset=voc export=voc.parquet

Keys: dataset; root, the data root (the environment's GEM_DATA, else data/); download, one of
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

# By the text of the value: yes and no are booleans in YAML.
DOWNLOAD_MODES: dict[str, Literal["auto", "yes", "no"]] = {
    "auto": "auto",
    "True": "yes",
    "False": "no",
}


def read_overrides(arguments: list[str]) -> dict[str, Any]:
    """The values of ``KEY=VALUE`` arguments by key. Raises ValueError for any other argument."""
    for argument in arguments:
        if not argument.partition("=")[2]:
            raise ValueError(f"{argument}: expected KEY=VALUE, such as dataset=voc")
    pairs = (argument.removeprefix("dataset.").split("=", 1) for argument in arguments)
    try:
        return {key: yaml.safe_load(value) for key, value in pairs}
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{' '.join(arguments)}: a value is no YAML: {reason}") from error


def main() -> None:
    """Read the arguments, then print the table of all data sets or prepare one."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    overrides = read_overrides(parser.parse_args().overrides)
    root = Path(str(overrides.pop("root", os.environ.get("GEM_DATA", "data"))))
    name, mode = overrides.pop("dataset", None), str(overrides.pop("download", "auto"))
    target = overrides.pop("export", None)
    if mode not in DOWNLOAD_MODES:
        raise ValueError(f"download={mode}: expected one of {', '.join(DOWNLOAD_MODES.values())}")
    from evaluation.console import console
    from evaluation.prepare import command, tables

    if name is None:
        console.print(tables.overview(root))
        console.print("\n".join(tables.addresses(root)))
        return
    dataset = command.prepare(name, root, download_mode=DOWNLOAD_MODES[mode], changes=overrides)
    if target is not None:
        command.export(dataset, Path(str(target)))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
