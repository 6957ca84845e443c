"""What an evaluation ran on."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from evaluation.measure.batches import Reading
from evaluation.measure.memory import Peak


@dataclass(frozen=True)
class Machine:
    """One process that computes, or several together.

    device: the name of the GPU or of the processor. threads: of each. processes: how many, and peak
    the memory of the one that took most. reading: images/s that its readers could give, None where
    nothing was read. waited: seconds that it stood still for them, in the mean of the processes.
    """

    device: str
    threads: int
    peak: Peak
    reading: float | None = None
    waited: float = 0.0
    processes: int = 1


def this_machine(device: torch.device, peak: Peak, reading: Reading | None = None) -> Machine:
    """What this process computes on."""
    read = Reading() if reading is None else reading
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return Machine(name, torch.get_num_threads(), peak, read.per_second, read.waited)


def together(machines: Sequence[Machine]) -> Machine:
    """Several processes as one: ``8 x NVIDIA H100``, different devices with a plus between."""
    names = Counter(one.device for one in machines)
    devices = [f"{count} x {name}" if count > 1 else name for name, count in sorted(names.items())]
    return Machine(
        device=" + ".join(devices) if len(names) > 1 else next(iter(names)),
        threads=max(one.threads for one in machines),
        peak=max((one.peak for one in machines), key=lambda peak: peak.size),
        reading=sum(one.reading or 0 for one in machines) or None,
        waited=sum(one.waited for one in machines) / len(machines),
        processes=sum(one.processes for one in machines),
    )


def _processor() -> str:
    """The model of the processor where Linux says it, else its architecture."""
    lines = Path("/proc/cpuinfo")
    text = lines.read_text(encoding="utf-8") if lines.is_file() else ""
    named = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return named[0] if named else platform.machine()
