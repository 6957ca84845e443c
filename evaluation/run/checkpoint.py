"""The integer state of a long pass, on disk, so that whoever is killed goes on.

Every setting has a file of its own, hidden beside the records: which samples are counted, and the
counts. A pass goes on with the samples that are left, in their order. Batches are made of the
samples that wait, so they are those of a pass that was never stopped, and so is every number.
Processes that count parts of a pass have a file each; whoever goes on adds them up.

A state is a convenience: one that cannot be written or used costs a note and time, never a number.
"""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from evaluation.console import note, say
from evaluation.measure.counting import Counting
from evaluation.records.checked import CheckedSetting
from evaluation.records.provenance import code, packages_beside
from evaluation.run.saved_counts import SavedCounts, check, pack, unpack
from evaluation.run.state_files import part_paths, state_path
from evaluation.setting.sharing import bare
from evaluation.whole_files import write_bytes

EVERY = 120.0  # seconds


@dataclass
class States:
    """The state files of the settings of one pass, written at most every ``every`` seconds.

    Files are replaced whole, so that a process killed at any moment leaves the earlier ones, and
    two processes on the same settings do work twice at worst. ``saves`` says what else the pass
    writes for each image: a pass that writes nothing is not gone on from by one that does.
    ``part`` is the number of a process that counts beside the first.
    """

    settings: Sequence[CheckedSetting]
    folder: Path
    every: float = EVERY
    saves: str = ""
    part: int | None = None
    _saved: float = field(default_factory=time.monotonic)
    _start: float = field(default_factory=time.monotonic)
    _warned: bool = False

    def restore(self, counting: Sequence[Counting]) -> int:
        """Fill what is counted from the files that are there; how many samples all have done.

        Of two files with a sample in common the second is left: the first was made of it.
        """
        unused: dict[str, list[Path]] = {}
        parts: list[Path] = []
        for checked, one in zip(self.settings, counting, strict=True):
            found = part_paths(checked, self.folder)
            for path in (state_path(checked, self.folder), *found):
                try:
                    self._load(path, checked, one)
                except ValueError as error:
                    unused.setdefault(str(error), []).append(path)
            parts += found
        for reason, paths in unused.items():
            more = f" and {len(paths) - 1} more" if paths[1:] else ""
            note(f"{paths[0]}{more}: the saved counts {reason}: counted again from the beginning")
        self._start = self._saved = time.monotonic()
        if parts:
            self._put_together(parts, counting)
        done = len(set.intersection(*(one.done for one in counting)))
        if done:
            images = len(self.settings[0].setting.ids)
            say(f"going on after {done} of {images} images")
        return done

    def of_part(self, part: int) -> "States":
        """The files of another process that counts a part of the same pass; holds no model."""
        settings = [replace(one, setting=bare(one.setting)) for one in self.settings]
        return States(settings, self.folder, self.every, saves=self.saves, part=part)

    def _put_together(self, parts: Sequence[Path], counting: Sequence[Counting]) -> None:
        """Let one file of each setting have what the parts had, before others write new parts."""
        if self.save(counting):
            for path in parts:
                with suppress(OSError):
                    path.unlink()

    def save_if_due(self, counting: Sequence[Counting]) -> None:
        """Write all files if the last time is long ago. To be called between batches.

        A disk that takes none is told once, and tried again the next time.
        """
        if time.monotonic() - self._saved >= self.every:
            self.save(counting)

    def save(self, counting: Sequence[Counting]) -> bool:
        """Write all files; whether the disk has taken them."""
        try:
            for checked, one in zip(self.settings, counting, strict=True):
                path = state_path(checked, self.folder, self.part)
                write_bytes(path, pack(self._of(checked, one)))
        except OSError as error:
            self._warn(error)
            return False
        finally:
            self._saved = time.monotonic()
        return True

    def _warn(self, error: OSError) -> None:
        if self._warned:
            return
        self._warned = True
        with suppress(OSError):  # what is printed may go to a file on the same disk
            note(f"{error}; the pass goes on without saving its counts")

    def _of(self, checked: CheckedSetting, one: Counting) -> SavedCounts:
        seconds = one.seconds + time.monotonic() - self._start
        done = torch.tensor([name in one.done for name in checked.setting.ids], dtype=torch.bool)
        return SavedCounts(
            self._conditions(checked, one.device), seconds, done, one.accumulator.state()
        )

    def _load(self, path: Path, checked: CheckedSetting, one: Counting) -> None:
        """Nothing if there is no file, one from before the record, or one that is counted already.

        Raises ValueError, which says what is wrong with the counts, if they cannot be used.
        """
        record = self.folder / checked.file_name
        try:
            if record.exists() and record.stat().st_mtime >= path.stat().st_mtime:
                return
            saved = unpack(path.read_bytes())
        except FileNotFoundError:
            return
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from error
        if saved.conditions != self._conditions(checked, one.device):
            raise ValueError("are of other code, packages, data, device or batch size")
        ids = checked.setting.ids
        check(saved, samples=len(ids), fresh=one.accumulator.state())
        done = {name for name, is_done in zip(ids, saved.done.tolist(), strict=True) if is_done}
        if done & one.done:
            return
        one.accumulator.add(saved.counts)
        one.seconds = max(one.seconds, saved.seconds)
        one.done |= done

    def _conditions(self, checked: CheckedSetting, device: str) -> str:
        """What must be the same for the rest of a pass to give the bits of an undisturbed one."""
        batch, beside = checked.setting.batch_size, packages_beside(checked.setting)
        packages = code()["packages"] | beside
        return json.dumps([checked.hashes, packages, device, batch, self.saves])
