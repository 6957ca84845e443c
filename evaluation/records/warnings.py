"""What a reader must know before believing the scores of a setting."""

from __future__ import annotations

from pathlib import Path

from evaluation.records.json_file import read_json
from evaluation.setting import Setting


def warnings_of(setting: Setting) -> list[str]:
    """What a reader must know before believing the scores."""
    said = []
    if setting.segmenter.provenance.random:
        said.append("RANDOM WEIGHTS: these scores mean nothing")
    whole = setting.dataset.card.images or len(setting.dataset.ids)
    if len(setting.ids) != whole:
        said.append(f"{len(setting.ids)} of the {whole} images of the split")
    said.extend(_not_told_apart(setting))
    said.extend(getattr(setting.dataset, "notes", ()))  # of readers that may leave rows out
    if setting.protocol.tuned:
        said += _tuned_on(Path(setting.protocol.tuned), setting)
    return said


def _not_told_apart(setting: Setting) -> list[str]:
    """Classes that compete with one word; of points, where none competes, those of one name."""
    found = setting.class_vocabulary
    if setting.dataset.card.task != "points":
        return [f"{clash}: the first counts" for clash in found.clashes]
    alike = len(found.names) - len(set(found.names))
    return [f"{alike} classes have the name of another: per_class has the last"] if alike else []


def _tuned_on(path: Path, setting: Setting) -> list[str]:
    """How many of the evaluated samples the protocol's values were tuned on. Raises ValueError."""
    try:
        tuned = read_json(path)
        same = tuned["dataset"] == setting.dataset.card.name
        shared = set(map(str, tuned["ids"])) & set(setting.ids) if same else set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"protocol.tuned={path} is not a file of scripts/tune.py") from error
    return [f"TUNED ON {len(shared)} OF THESE SAMPLES: {path}"] if shared else []
