"""``run.py`` until its first images are encoded: says when each phase ends, and stops.

For a process of `timing.start`, whose words are those of run.py. A line is what was done, the clock
(`time.monotonic`, which all processes share), and the seconds of CPU, with tabs between them.
"""

import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from evaluation.launch.command import command
from evaluation.run import job
from gem import Patches
from gem.backbones import known


def said(what: str) -> None:
    """Report that something is done."""
    print(what, time.monotonic(), time.process_time(), sep="\t", flush=True)


def reported(inner: Callable[..., Any], *, before: str = "", after: str = "") -> Any:
    """A function that reports what is done when it is called and when it returns."""

    @wraps(inner)
    def outer(*given: Any, **named: Any) -> Any:
        if before:
            said(before)
        found = inner(*given, **named)
        if after:
            said(after)
        return found

    return outer


def report() -> None:
    """Do what the words say until the first images are encoded."""
    said("the command line is imported")
    job.run_together = reported(job.run_together, before="composed, checked, no record found")
    known.load_open_clip = reported(
        known.load_open_clip, before="torch is imported", after="open_clip is imported"
    )
    encode_together = Patches.encode_together

    def encode(*given: Any, **named: Any) -> None:
        said("the model is loaded, words embedded, 8 scenes drawn")
        encode_together(*given, **named)
        said("the 8 images are encoded")
        os._exit(0)

    Patches.encode_together = encode  # type: ignore[method-assign, assignment]
    command()
