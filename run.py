"""Evaluate one setting, or with ``-m`` several: compose the config, build, evaluate, record.

    python run.py                                   GEM, tiny model, drawn scenes
    python run.py dataset=voc gem.iters=3
    python run.py -m gem.iters=0,1,2,3

Hydra is used here and nowhere else: what it composes becomes typed objects at once.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from evaluation.data import Folder
from evaluation.run.job import OutputOptions
from evaluation.setting import Setting

MISTAKES = (HydraException, OmegaConfBaseException, ValueError, OSError)
PREPARE = "; scripts/prepare.py says what to get and where it goes"
MISSING = re.compile(r"Could not (?:find|load) '([^'/]+)/([^']+)'")
FIELDS = (
    "backbone",
    "method",
    "dataset",
    "protocol",
    "vocabulary",
    "prompts",
    "batch_size",
    "workers",
    "limit",
)


def construct(node: DictConfig) -> Any:
    """The objects that a part of a config says.

    The only place that calls ``instantiate``: from Hydra 1.4 on it wants an allow-list.
    """
    return instantiate(node, _convert_="all")


def build(config: DictConfig) -> Setting:
    """The setting that a composed config says; touches no weights and no files."""
    objects = construct(config)
    if missing := set(FIELDS) - set(objects):
        raise ValueError(f"the config has no {min(missing)}")
    return Setting(**{field: objects[field] for field in FIELDS})


def writing(config: DictConfig) -> OutputOptions:
    """Where the composed config wants its results."""
    return OutputOptions(
        **{name: config[name] for name in ("output", "labels", "force", "save_every")}
    )


def compose_setting(overrides: Sequence[str]) -> Setting:
    """The setting that words like those of the command line compose; for scripts."""
    with hydra.initialize_config_dir(str(Path(__file__).parent / "configs"), version_base="1.3"):
        return build(hydra.compose("config", overrides=list(overrides)))


@hydra.main(version_base="1.3", config_path="configs", config_name="config")
def main(config: DictConfig) -> float | None:
    """Evaluate the composed setting; returns its headline score, for sweepers that optimise it.

    One job alone ends here if the user made a mistake; a sweep goes on and tells it at its end.
    """
    try:
        return job(config)
    except MISTAKES as error:
        if HydraConfig.get().mode == RunMode.MULTIRUN or os.environ.get("GEM_TRACEBACK"):
            raise
        sys.exit(f"error: {sentence(error)}")


def job(config: DictConfig) -> float | None:
    """Build what the config says, then evaluate it, or label its images if they have no truth."""
    setting, wanted = build(config), writing(config)
    folder = Path(wanted.output)
    from evaluation.run.job import find, label, run

    if isinstance(setting.dataset, Folder):
        label(setting, Path(wanted.labels))
        return None
    held = None if wanted.force else find(setting, folder)
    record, path = held or run(setting, folder, save_every=wanted.save_every)
    from evaluation.console import console, show

    show([record], [path])
    if held:
        console.print("the record was there: nothing was evaluated (force=true does it again)")
    from evaluation.tracking.tracker import track

    hydra_config = HydraConfig.get()
    sweep = hydra_config.sweep.dir if hydra_config.mode == RunMode.MULTIRUN else ""
    track(construct(config.logger), [(setting, record, path)], group=sweep)
    return next(iter(record.scores.values()))


def sentence(error: Exception) -> str:
    """What a user did wrong, in one line: the key, what was found, what was expected."""
    cause = error.__cause__ if isinstance(error, InstantiationException) else None
    validation = error if isinstance(error, ValidationError) else cause
    if isinstance(validation, ValidationError):
        return _invalid(validation, str(error))
    text = str(error)
    if isinstance(error, MissingConfigException) and (wrong := MISSING.search(text)):
        group, name = wrong.groups()
        choices = ", ".join(re.findall(r"^\t(\w+)$", text, re.MULTILINE))
        return f"{group}={name}: no such choice; {group} is one of {choices}"
    if found := re.search(r"Could not override '([^']+)'", text):
        owner = "; gem.* are options of method=gem" if found[1].startswith("gem.") else ""
        return f"{found[1]}: this config has no such key{owner}{_swept(found[1])}"
    told = " ".join(re.split(r"\n\s*full_key: |See https://", text)[0].split())
    return told + PREPARE if told.startswith("dataset.root=") else told


def _swept(key: str) -> str:
    """Before a sweep Hydra sets fixed keys on the defaults, without the parts that are swept."""
    fixed = [word.partition("=")[2] for word in sys.argv if word.startswith(f"{key}=")]
    if not fixed or fixed[0].startswith("choice(") or not {"-m", "--multirun"} & set(sys.argv):
        return ""
    return f"; if only what is swept over has it, write {key}=choice({fixed[0]})"


def _invalid(error: ValidationError, context: str) -> str:
    """The first wrong value of an options object, with the key that sets it."""
    node = re.search(r"full_key: (\S+)", context)
    prefix = node[1] if node else ""
    prefix = "gem" if prefix == "method" and error.title == "Gem" else prefix
    wrong = error.errors()
    place, value = wrong[0]["loc"][:1], wrong[0]["input"]
    said = [item["msg"] for item in wrong if item["loc"][:1] == place and item["input"] == value]
    messages = [text.removeprefix("Value error, ") for text in said]
    messages = [text[:1].lower() + text[1:] for text in messages]
    key = ".".join(filter(None, (prefix, *map(str, place)))) or error.title
    shown = f"={value}" if place else ""  # a rule about several values has no place of its own
    return f"{key}{shown}: {', or '.join(messages)}"


if __name__ == "__main__":
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # so that errors reach us, not Hydra's printer
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except MISTAKES as error:
        if os.environ.get("GEM_TRACEBACK"):
            raise
        sys.exit(f"error: {sentence(error)}")
