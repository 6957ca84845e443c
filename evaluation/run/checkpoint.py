"""The integer state of a long pass, on disk, so that whoever is killed goes on.

Every setting has a file of its own, hidden beside the records: which samples are counted, and the
counts. A pass goes on with the samples that are left, in their order. Batches are made of the
samples that wait, so they are those of a pass that was never stopped, and so is every number.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evaluation.console import console
from evaluation.measure.evaluate import Counting
from evaluation.records.checked import CheckedSetting
from evaluation.records.provenance import code
from evaluation.run.state_files import state_path
from evaluation.whole_files import write_whole

EVERY = 120.0  # seconds


@dataclass
class States:
    """The state files of the settings of one pass, written at most every ``every`` seconds.

    Files are replaced whole, so that a process killed at any moment leaves the earlier ones, and
    two processes on the same settings do work twice at worst. ``saves`` says what else the pass
    writes for each image: a pass that writes nothing is not gone on from by one that does.
    """

    settings: Sequence[CheckedSetting]
    folder: Path
    every: float = EVERY
    saves: str = ""
    _saved: float = field(default_factory=time.monotonic)
    _start: float = field(default_factory=time.monotonic)

    def restore(self, counting: Sequence[Counting]) -> int:
        """Fill what is counted from the files that are there; how many samples all have done."""
        for checked, one in zip(self.settings, counting, strict=True):
            self._load(checked, one)
        self._start = self._saved = time.monotonic()
        done = len(set.intersection(*(one.done for one in counting)))
        if done:
            images = len(self.settings[0].setting.ids)
            console.print(f"going on after {done} of {images} images", highlight=False)
        return done

    def save_if_due(self, counting: Sequence[Counting]) -> None:
        """Write all files if the last time is long ago. To be called between batches."""
        if time.monotonic() - self._saved < self.every:
            return
        for checked, one in zip(self.settings, counting, strict=True):
            content = self._content(checked, one)
            write_whole(state_path(checked, self.folder), partial(_write, content))
        self._saved = time.monotonic()

    def _content(self, checked: CheckedSetting, one: Counting) -> bytes:
        seconds = one.seconds + time.monotonic() - self._start
        about = {"conditions": self._conditions(checked), "seconds": str(seconds)}
        done = torch.tensor([sample_id in one.done for sample_id in checked.setting.ids])
        state = one.accumulator.state()
        counts = {name: part.cpu().contiguous() for name, part in state.items()}
        return save({"done": done, **counts}, about)

    def _load(self, checked: CheckedSetting, one: Counting) -> None:
        """Nothing if there is no file, or one of other conditions, or from before the record."""
        path, record = state_path(checked, self.folder), self.folder / checked.file_name
        try:
            if record.exists() and record.stat().st_mtime >= path.stat().st_mtime:
                return
            with safe_open(path, "pt") as file:
                about = file.metadata() or {}
                parts: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            return
        done = parts.pop("done")
        if about.get("conditions") != self._conditions(checked):
            return
        one.accumulator.restore(parts)
        one.seconds = float(about["seconds"])
        given = zip(checked.setting.ids, done.tolist(), strict=True)
        one.done = {name for name, is_done in given if is_done}

    def _conditions(self, checked: CheckedSetting) -> str:
        """What must be the same for the rest of a pass to give the bits of an undisturbed one."""
        setting = checked.setting
        device = setting.segmenter.device.type
        parts = [checked.hashes, code()["packages"], device, setting.batch_size, self.saves]
        return json.dumps(parts)


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)
