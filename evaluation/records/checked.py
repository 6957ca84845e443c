"""A setting whose parts were looked at, with all that is known of its record before the pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.data.on_disk import fingerprint_data
from evaluation.records.names import check_names, file_name, names_of
from evaluation.records.provenance import code, cost, packages_beside
from evaluation.records.record import SCHEMA, Record, read_record
from evaluation.records.warnings import warnings_of
from evaluation.setting import Setting
from evaluation.setting.code import changed_files, code_files, code_fingerprint
from evaluation.setting.identity import describe, fingerprint

if TYPE_CHECKING:
    from evaluation.measure.work import Result
    from gem.provenance import Provenance

UNKNOWN = "a file that it does not name"
Checks = set[tuple[int, tuple[str, ...]]]
"""Data sets, by their identity, and samples that were looked for."""


@dataclass(frozen=True)
class CheckedSetting:
    """A setting that can run, as far as that can be known without loading the model.

    files: those of the code that decides its numbers, each with its hash.
    key: of the setting and the hashes of weights, words, protocol and samples. The hashes of data,
    code and the config of a model are not in it: a record of others has the same place, is not
    valid, and is replaced. warnings: what a reader must know before believing the scores.
    """

    setting: Setting
    key: str
    names: dict[str, str]
    hashes: dict[str, str | None]
    warnings: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def file_name(self) -> str:
        """The record's."""
        return file_name(self.names, self.key)


def check_setting(setting: Setting, checks: Checks | None = None) -> CheckedSetting:
    """Look at data, model and words; reads the weights' file, but builds no model.

    ``checks`` remembers the data sets that were looked at, for many settings in a row. Raises
    ValueError or OSError for whatever would fail later.
    """
    checks = set() if checks is None else checks
    ids = setting.ids
    if (id(setting.dataset), ids) not in checks:
        setting.dataset.check(ids)
        checks.add((id(setting.dataset), ids))
    setting.segmenter.check(ids)
    model = setting.segmenter.provenance
    deciding: dict[str, str | None] = {
        "weights": model.sha256,
        "vocabulary": fingerprint([setting.class_vocabulary, setting.prompts]),
        "protocol": fingerprint(setting.protocol),
        "samples": fingerprint(list(ids)),
    }
    beside = model.companion
    if beside:  # a model that only some settings have: no key of the others knows of it
        deciding["companion"] = beside.sha256
    code()  # asked first here, before the evaluation
    description = describe(setting)
    files = code_files(description, setting.dataset.card.name)
    data = {
        "data": fingerprint_data(setting.dataset, ids),
        "code": code_fingerprint(files),
        "model": model.config,
        **({"companion_model": beside.config} if beside else {}),
    }
    return CheckedSetting(
        setting=setting,
        key=fingerprint([description, deciding]),
        names=check_names(names_of(setting)),
        hashes={**deciding, **data},
        warnings=tuple(warnings_of(setting)),
        files=files,
    )


def make_record(checked: CheckedSetting, result: Result) -> Record:
    """The record of an evaluation that has just ended."""
    setting, outcome = checked.setting, result.outcome
    model, now = setting.segmenter.provenance, code()
    return Record(
        schema=SCHEMA,
        key=checked.key,
        names=checked.names,
        setting=describe(setting),
        scores={one.name: None if math.isnan(one.value) else one.value for one in outcome.scores},
        titles={one.name: one.title for one in outcome.scores if one.column},
        per_class=outcome.per_class,
        counts=outcome.counts,
        images=result.images,
        limit=setting.limit,
        warnings=list(checked.warnings),
        model={
            "name": model.model,
            "weights": model.source,
            "sha256": model.sha256,
            "text": result.text,
            **_beside(model.companion),
        },
        hashes=checked.hashes,
        cost=cost(result),
        code=now
        | {"packages": now["packages"] | packages_beside(setting), "files": dict(checked.files)},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _beside(companion: Provenance | None) -> dict[str, str | None]:
    """What a record says of the second model of its setting, if there is one."""
    if companion is None:
        return {}
    return {
        "companion": companion.model,
        "companion_weights": companion.source,
        "companion_sha256": companion.sha256,
    }


def find_record(checked: CheckedSetting, folder: Path) -> tuple[Record, list[str]] | None:
    """The record of a setting, and the files of code in which it differs from this code; or None.

    Valid is a whole file with the same key and hashes (of weights, data, code and more), computed
    with the same versions of the packages. One of other code alone is no valid one, but it is
    found, for the caller to decide. Whatever else lies in its place is replaced; raises ValueError
    for a folder, which cannot be.
    """
    path = folder / checked.file_name
    if path.is_dir():
        raise ValueError(f"{path} is a folder, and the record would be written there")
    try:
        record = read_record(path)
    except (ValueError, OSError):
        return None
    packages = code()["packages"] | packages_beside(checked.setting)
    here = checked.hashes | {"code": record.hashes.get("code")}
    same = (record.key, record.hashes, record.code.get("packages")) == (checked.key, here, packages)
    return (record, _differences(record, checked.hashes["code"], checked.files)) if same else None


def other_code(record: Record) -> list[str]:
    """The files of code in which a record differs from this code; empty if in none.

    A record that does not know its files is of one that is not named.
    """
    files = code_files(record.setting, record.names.get("dataset", ""))
    return _differences(record, code_fingerprint(files), files)


def _differences(record: Record, here: str | None, files: Mapping[str, str]) -> list[str]:
    if record.hashes.get("code") == here:
        return []
    then = record.code.get("files")
    return [UNKNOWN] if then is None else changed_files(then, files)
