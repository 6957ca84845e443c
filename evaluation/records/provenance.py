"""Under which circumstances a number was computed: cost, machine, and the code itself."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from evaluation.places import INSTALLED, ROOT
from evaluation.setting import Setting
from gem.hub import EXTRA
from gem.hub.model import HubModel

if TYPE_CHECKING:
    from evaluation.measure.work import Result

DECISIVE = ("gem/*.py", "evaluation/*.py", "datasets/*.yaml")  # of any depth
PACKAGES = (
    "torch", "torchvision", "open_clip_torch", "timm", "torchmetrics", "numpy", "pillow",
    "opencv-python-headless",
)  # fmt: skip


def cost(result: Result) -> dict[str, float | str | int]:
    """Time, memory and hardware of an evaluation, and how many settings shared its pass.

    Memory and threads are those of one process where several worked. ``reading_per_second`` is how
    many images the readers could have given, ``waited_seconds`` how long the model stood still.
    """
    machine, seconds = result.machine, result.seconds
    return {
        "seconds": round(seconds, 3),
        "images_per_second": round(result.images / seconds, 2),
        "peak_memory_mib": round(machine.peak.size / 2**20),
        "peak_memory_of": machine.peak.since,
        "settings_in_pass": result.settings,
        "device": machine.device,
        "threads": machine.threads,
        "processes": machine.processes,
        "waited_seconds": round(machine.waited, 3),
        **({"reading_per_second": round(machine.reading, 2)} if machine.reading else {}),
    }


@cache
def code() -> dict[str, Any]:
    """The version, the commit, whether the tree was dirty, and the versions of what computes.

    Dirty are changes of what is committed, and files that never were, where they decide numbers.

    An installed wheel has no commit, a clone that was never installed no version. As it was when
    first asked: a commit that is made during an evaluation did not compute it.
    """
    return {
        "version": _own_version(),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no") or _new_files()),
        "python": platform.python_version(),
        "packages": {package: version(package) for package in PACKAGES},
    }


def packages_beside(setting: Setting) -> dict[str, str]:
    """The versions of what computes only some settings: `transformers`, for models of the hub.

    Raises ValueError if a model of the setting needs a package that is not installed.
    """
    if not any(isinstance(model, HubModel) for model in setting.segmenter.models):
        return {}
    try:
        return {"transformers": version("transformers")}
    except PackageNotFoundError as error:
        raise ValueError(EXTRA) from error


def _new_files() -> str | None:
    """Files that git does not know where code and cards decide numbers: a new method, for one."""
    return _git("ls-files", "--others", "--exclude-standard", "--", *DECISIVE)


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
