"""Records: one JSON file per evaluated setting, with all that a number needs to be believed."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.data.on_disk import fingerprint_data
from evaluation.records.provenance import code, cost
from evaluation.setting import Setting
from evaluation.setting.code import code_fingerprint
from evaluation.setting.identity import describe, fingerprint
from evaluation.whole_files import write_json

if TYPE_CHECKING:
    from evaluation.measure.evaluate import Result

SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """What one evaluation found and under which circumstances. See `make_record`.

    Scores are shares in [0, 1], the headline first; None where nothing of the kind occurred.
    ``hashes`` tell which weights, vocabulary, protocol, samples and files were used; two records
    with the same ``key`` are of the same setting and, of the same data, have the same scores.
    """

    schema: int
    key: str
    names: dict[str, str]
    setting: dict[str, Any]
    scores: dict[str, float | None]
    per_class: dict[str, float | None]
    counts: dict[str, list[Any]]
    images: int
    limit: int | None
    warnings: list[str]
    backbone: dict[str, str | None]
    hashes: dict[str, str | None]
    cost: dict[str, float | str | int]
    code: dict[str, Any]
    created: str

    @property
    def file_name(self) -> str:
        """A name that a reader of the folder understands, unique by the key."""
        return Identity(self.key, self.names, self.hashes).file_name

    @property
    def images_per_second(self) -> float | None:
        """The speed of the setting; None if it shared its pass with others."""
        alone = self.cost.get("settings_in_pass", 1) == 1
        return float(self.cost["images_per_second"]) if alone else None


@dataclass(frozen=True)
class Identity:
    """What is known of a record before the evaluation.

    The hashes of data and code are not in the key: a record of other data or code has the same
    place, is not valid, and is replaced.
    """

    key: str
    names: dict[str, str]
    hashes: dict[str, str | None]

    @property
    def file_name(self) -> str:
        """The record's."""
        parts = (self.names["dataset"], self.names["method"], self.names["backbone"], self.key)
        return "-".join(parts) + ".json"


def identify(setting: Setting) -> Identity:
    """The key, names and hashes of a setting; reads the weights' file, but builds no model.

    Raises what finding the weights and listing the samples raise.
    """
    model = setting.backbone.provenance
    hashes = {
        "weights": model.sha256,
        "vocabulary": fingerprint([setting.asked, setting.prompts]),
        "protocol": fingerprint(setting.protocol),
        "samples": fingerprint(list(setting.ids)),
    }
    names = {
        "dataset": setting.dataset.card.name,
        "method": method_name(setting),
        "options": changed_options(setting),
        "backbone": model.model,
        "protocol": setting.protocol.name,
    }
    key = fingerprint([describe(setting), hashes])
    code()  # asked first here, before the evaluation
    data = fingerprint_data(setting.dataset, setting.ids)
    return Identity(key, names, {**hashes, "data": data, "code": code_fingerprint()})


def find_record(identity: Identity, folder: Path) -> Record | None:
    """The valid record of a setting, or None: a whole file, the same key, hashes and code."""
    path = folder / identity.file_name
    try:
        record = read_record(path)
    except (ValueError, OSError):
        return None
    return record if (record.key, record.hashes) == (identity.key, identity.hashes) else None


def make_record(setting: Setting, result: Result) -> Record:
    """The record of an evaluation that has just ended."""
    found, model = identify(setting), setting.backbone.provenance
    return Record(
        schema=SCHEMA,
        key=found.key,
        names=found.names,
        setting=describe(setting),
        scores={
            name: None if math.isnan(value) else value
            for name, value in result.outcome.scores.items()
        },
        per_class=result.outcome.per_class,
        counts=result.outcome.counts,
        images=result.images,
        limit=setting.limit,
        warnings=warnings_of(setting),
        backbone={"model": model.model, "weights": model.source, "sha256": model.sha256},
        hashes=found.hashes,
        cost=cost(result, setting.backbone.torch_device),
        code=code(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def method_name(setting: Setting) -> str:
    """The method as configs call it: the name of its module."""
    return type(setting.method).__module__.rsplit(".", 1)[-1]


def changed_options(setting: Setting) -> str:
    """The options of the method that are not its defaults, ``iters=3 blocks=6``."""
    method: Any = setting.method
    found = ((field, getattr(method, field.name)) for field in fields(method))
    return " ".join(
        f"{field.name}={_short(value)}" for field, value in found if value != field.default
    )


def _short(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, tuple) else str(value)


def warnings_of(setting: Setting) -> list[str]:
    """What a reader must know before believing the scores."""
    said = []
    if setting.backbone.provenance.random:
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
        tuned = json.loads(path.read_text(encoding="utf-8"))
        same = tuned["dataset"] == setting.dataset.card.name
        shared = set(tuned["ids"]) & set(setting.ids) if same else set()
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"protocol.tuned={path} is not a file of scripts/tune.py") from error
    return [f"TUNED ON {len(shared)} OF THESE SAMPLES: {path}"] if shared else []


def prepare_folder(folder: Path) -> None:
    """Make the folder of the records. Raises PermissionError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PermissionError(f"output={folder}: cannot write there: {error.strerror}") from error


def write_record(record: Record, folder: Path) -> Path:
    """Write atomically: the file is there whole or not at all."""
    path = folder / record.file_name
    write_json(path, asdict(record))
    return path


def read_record(path: Path) -> Record:
    """A record from its file. Raises ValueError if it is none or of another schema."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"{path} has schema {content['schema']}, expected {SCHEMA}")
        return Record(**content)
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a record: {error}") from error
