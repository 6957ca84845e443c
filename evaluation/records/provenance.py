"""Under which circumstances a number was computed: cost, machine, and the code itself."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.places import INSTALLED, ROOT

if TYPE_CHECKING:
    import torch

PACKAGES = (
    "torch", "torchvision", "open_clip_torch", "timm", "torchmetrics", "numpy", "pillow",
    "opencv-python-headless",
)  # fmt: skip


def cost(
    *,
    seconds: float,
    images: int,
    settings: int,
    peak: int,
    peak_since: str,
    device: torch.device,
) -> dict[str, float | str | int]:
    """Time, memory and hardware of an evaluation, and how many settings shared its pass.

    peak: bytes. peak_since: whether that is the peak of the pass or of the whole process.
    """
    import torch

    gpu = device.type == "cuda"
    return {
        "seconds": round(seconds, 3),
        "images_per_second": round(images / seconds, 2),
        "peak_memory_mib": round(peak / 2**20),
        "peak_memory_of": peak_since,
        "settings_in_pass": settings,
        "device": torch.cuda.get_device_name(device) if gpu else _processor(),
        "threads": torch.get_num_threads(),
    }


def _processor() -> str:
    """The model of the processor where Linux says it, else its architecture."""
    lines = Path("/proc/cpuinfo")
    text = lines.read_text(encoding="utf-8") if lines.is_file() else ""
    named = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return named[0] if named else platform.machine()


@cache
def code() -> dict[str, Any]:
    """The version, the commit, whether the tree was dirty, and the versions of what computes.

    An installed wheel has no commit, a clone that was never installed no version. As it was when
    first asked: a commit that is made during an evaluation did not compute it.
    """
    return {
        "version": _own_version(),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
    }


def _own_version() -> str | None:
    try:
        return version("gem-bench")
    except PackageNotFoundError:
        return None


def _git(*words: str) -> str | None:
    """What git says of the clone; None if there is none: one around site-packages is not ours."""
    if INSTALLED:
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
