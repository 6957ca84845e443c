"""The peak of memory during a pass, as exactly as the machine tells it."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FORGET_PEAK = "5"  # proc(5): resets the peak resident set size to the current one


@dataclass(frozen=True)
class Peak:
    """Bytes at the peak, and since when: of this ``pass``, or of the whole ``process`` so far."""

    size: int
    since: Literal["pass", "process"]


class PeakMeter:
    """Measures from the moment it is built.

    On a GPU torch's own allocations. On a CPU the resident memory of the process: Linux forgets
    the earlier peak when it is asked to; elsewhere the peak is that of the whole process.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._was_reset = False
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            return
        with suppress(OSError):  # no such file, or a container that does not allow it
            RESET.write_text(FORGET_PEAK)
            self._was_reset = True

    def peak(self) -> Peak:
        """The peak until now."""
        if self.device.type == "cuda":
            return Peak(torch.cuda.max_memory_allocated(self.device), "pass")
        if self._was_reset and (size := _high_water()):
            return Peak(size, "pass")
        return Peak(_lifetime_peak(), "process")


def _high_water() -> int | None:
    """Linux's VmHWM in bytes; None where there is none."""
    with suppress(OSError):
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def _lifetime_peak() -> int:
    """The largest resident size of the process so far: macOS counts bytes, others KiB."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024
