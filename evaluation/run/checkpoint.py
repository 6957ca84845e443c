"""The integer state of a long pass, on disk, so that whoever is killed goes on.

Every setting has a file of its own, hidden beside the records: which samples are counted, and the
counts. A pass goes on with the samples that are left, in their order. Batches are made of the
samples that wait, so they are those of a pass that was never stopped, and so is every number.
"""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evaluation.console import console
from evaluation.measure.mask_accumulator import Accumulator
from evaluation.records.provenance import code
from evaluation.records.record import Identity
from evaluation.setting import Setting
from evaluation.whole_files import write_whole

EVERY = 120.0  # seconds
STALE = 3600.0  # seconds after which what a killed process left half written is removed


@dataclass
class Counting:
    """A tally on its way: the samples that are in it, and the seconds that it took before."""

    tally: Accumulator
    done: set[str] = field(default_factory=set)
    seconds: float = 0.0


@dataclass
class States:
    """The state files of the settings of one pass, written at most every ``every`` seconds.

    Files are replaced whole, so that a process killed at any moment leaves the earlier ones, and
    two processes on the same settings do work twice at worst.
    """

    settings: Sequence[Setting]
    identities: Sequence[Identity]
    folder: Path
    every: float = EVERY
    _saved: float = field(default_factory=time.monotonic)
    _start: float = field(default_factory=time.monotonic)

    def restore(self, counting: Sequence[Counting]) -> int:
        """Fill what is counted from the files that are there; how many samples all have done."""
        for setting, identity, one in zip(self.settings, self.identities, counting, strict=True):
            self._load(setting, identity, one)
        self._start = self._saved = time.monotonic()
        done = len(set.intersection(*(one.done for one in counting)))
        if done:
            images = len(self.settings[0].ids)
            console.print(f"going on after {done} of {images} images", highlight=False)
        return done

    def save_if_due(self, counting: Sequence[Counting]) -> None:
        """Write all files if the last time is long ago. To be called between batches."""
        if time.monotonic() - self._saved < self.every:
            return
        for setting, identity, one in zip(self.settings, self.identities, counting, strict=True):
            content = self._content(setting, identity, one)
            path = state_path(identity, self.folder)
            write_whole(path, partial(_write, content))
        self._saved = time.monotonic()

    def _content(self, setting: Setting, identity: Identity, one: Counting) -> bytes:
        seconds = one.seconds + time.monotonic() - self._start
        about = {"conditions": _conditions(setting, identity), "seconds": str(seconds)}
        done = torch.tensor([sample_id in one.done for sample_id in setting.ids])
        counts = {name: part.cpu().contiguous() for name, part in one.tally.state().items()}
        return save({"done": done, **counts}, about)

    def _load(self, setting: Setting, identity: Identity, one: Counting) -> None:
        """Nothing if there is no file, or one of other conditions, or from before the record."""
        path, record = state_path(identity, self.folder), self.folder / identity.file_name
        try:
            if record.exists() and record.stat().st_mtime >= path.stat().st_mtime:
                return
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                parts: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            return
        done = parts.pop("done")
        if about.get("conditions") != _conditions(setting, identity):
            return
        one.tally.restore(parts)
        one.seconds = float(about["seconds"])
        given = zip(setting.ids, done.tolist(), strict=True)
        one.done = {name for name, is_done in given if is_done}


def _conditions(setting: Setting, identity: Identity) -> str:
    """What must be the same for the rest of a pass to give the bits of an undisturbed one."""
    device = setting.backbone.torch_device.type
    return json.dumps([identity.hashes, code()["packages"], device, setting.batch_size])


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def state_path(identity: Identity, folder: Path) -> Path:
    """The state file of one setting."""
    return folder / f".{identity.key}.state"


def clear(identity: Identity, folder: Path) -> None:
    """Remove the state of a setting whose record is written, unless somebody went on since."""
    state, record = state_path(identity, folder), folder / identity.file_name
    with suppress(FileNotFoundError):
        if state.stat().st_mtime <= record.stat().st_mtime:
            state.unlink()
    for part in folder.glob(f".{state.name}.*.part"):
        _remove_if_stale(part)


def _remove_if_stale(part: Path) -> None:
    with suppress(FileNotFoundError):  # its process may just have renamed it
        if time.time() - part.stat().st_mtime > STALE:
            part.unlink()
