"""The ranks of torchrun count: the first one is the program, the others follow what it says."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gem.options import options

if TYPE_CHECKING:
    from evaluation.engines.torchrun_session import TorchrunSession

PR_SET_PDEATHSIG = 1  # prctl(2)
NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@options
class Torchrun:
    """Processes that ``torchrun --nproc-per-node=N run.py ...`` has started, one for each GPU.

    Found by their environment: the word ``engine=torchrun`` is for other launchers that set RANK,
    WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT.
    """

    @contextmanager
    def open(self) -> Iterator[TorchrunSession]:
        """Meet the other ranks. Raises ValueError if nobody has started any."""
        if missing := [name for name in NEEDED if name not in os.environ]:
            raise ValueError(
                f"engine=torchrun: the environment has no {missing[0]}; start it as torchrun "
                "--nproc-per-node=N run.py ..., which needs no such word"
            )
        from evaluation.engines.torchrun_session import TorchrunSession, meet

        meet()
        yield TorchrunSession()


def launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun has started this process beside others."""
    return "TORCHELASTIC_RUN_ID" in environment and int(environment.get("WORLD_SIZE", "1")) > 1


def end_with_launcher() -> None:
    """Let this rank end if torchrun itself is killed, where the system can do that (Linux)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        first = Path("/proc/1/cmdline").read_bytes()
        if os.getppid() == 1 and b"python" not in first:  # torchrun was killed before that
            sys.exit(1)  # in a container it can be process 1 itself: then it lives


def follows() -> bool:
    """Whether this process only does what the first rank says."""
    return launched() and os.environ.get("RANK") != "0"


def follow() -> None:
    """Do what the first rank says until it has ended."""
    from evaluation.engines.torchrun_session import follow as do

    do()


def dismiss() -> None:
    """Let the others end, if this is the first rank of several."""
    if launched() and not follows():
        from evaluation.engines.torchrun_session import dismiss as do

        do()
