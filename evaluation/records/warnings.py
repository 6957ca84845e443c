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
    said.extend(getattr(setting.dataset, "notes", ()))  # of readers that may leave rows out
    if setting.protocol.tuned:
        said += _tuned_on(Path(setting.protocol.tuned), setting)
    return said


def _tuned_on(path: Path, setting: Setting) -> list[str]:
    """How many of the evaluated samples the protocol's values were tuned on. Raises ValueError."""
    try:
        tuned = read_json(path)
        same = tuned["dataset"] == setting.dataset.card.name
        shared = set(map(str, tuned["ids"])) & set(setting.ids) if same else set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"protocol.tuned={path} is not a file of scripts/tune.py") from error
    return [f"TUNED ON {len(shared)} OF THESE SAMPLES: {path}"] if shared else []
