"""What a timing is asked for, and how milliseconds and memory are taken."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from evaluation.console import literal

if TYPE_CHECKING:
    from torch import Tensor

Run = Callable[[Any], Any]
"""Images of one batch in, features out."""


@dataclass(frozen=True)
class Timing:
    """Of which model, on which images, how often.

    size: height and width in pixels. batch: images a forward pass. repeats: timed passes a round.
    """

    model: str
    size: int
    batch: int
    repeats: int
    rounds: int
    precision: str


def noise(timing: Timing, size: tuple[int, int]) -> "Tensor":
    """A batch of random images of (height, width), where and as the model computes."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    return torch.randn((timing.batch, 3, *size), device=device, dtype=types[timing.precision])


def timed(run: Run, images: "Tensor", repeats: int) -> list[float]:
    """Milliseconds an image of each repetition."""
    import torch

    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(images)
        if images.is_cuda:
            torch.cuda.synchronize()
        taken.append(1000 * (time.perf_counter() - start) / len(images))
    return taken


def forget_peak(device: str) -> None:
    """Let the peak memory of this process begin here."""
    import torch

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def peak(device: str) -> float:
    """Peak of the forward passes in MiB: resident on a CPU (Linux), allocated on a GPU."""
    import torch

    if device == "cuda":
        return float(torch.cuda.max_memory_allocated() / 2**20)
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def empty_table(title: str, ratio: str, *more: str) -> Table:
    """The columns that both tables have, and `more`."""
    table = Table(title=literal(title), title_justify="left")
    for heading in ("", "what", "ms/image", ratio, *more):
        table.add_column(heading, justify="left" if heading in {"", "what"} else "right")
    return table
