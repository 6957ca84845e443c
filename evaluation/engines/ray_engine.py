"""Ray's workers count: every GPU of the machine or of a cluster, or processes on its CPUs."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

from gem.options import Flag, PositiveInt, options

if TYPE_CHECKING:
    from evaluation.engines.ray_session import RaySession

THREADS = 4  # of a CPU, for each worker unless told
MISSING = "engine=ray: the package ray is not installed; pip install 'gem-bench[ray]' gets it"


@options
class Ray:
    """Workers of Ray, each with a GPU, or with some threads of a CPU where there is no GPU.

    The cluster is the one that ``RAY_ADDRESS`` in the environment names, else this machine.

    workers: how many; null: one for each GPU, or for each four threads of CPUs.
    threads: of a worker on a CPU; null: its share of all.
    gpus: whether workers have GPUs; null: if there are any.
    """

    workers: PositiveInt | None = None
    threads: PositiveInt | None = None
    gpus: Flag | None = None

    @contextmanager
    def open(self) -> Iterator[RaySession]:
        """Join or start the cluster. Raises ValueError, in a sentence, for what is not there."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise ValueError(MISSING) from None
        from evaluation.engines.ray_session import RaySession

        ours = not ray.is_initialized()
        if ours:
            _connect(ray)
        try:
            there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
            with RaySession(*self._sizes(there)) as session:
                yield session
        finally:
            if ours:
                ray.shutdown()

    def _sizes(self, there: dict[str, float]) -> tuple[int, int, int]:
        """Workers, threads of each, and GPUs of each (0 or 1)."""
        gpus, cpus = int(there.get("GPU", 0)), int(there.get("CPU", 1))
        if self.gpus and not gpus:
            raise ValueError("engine.gpus=true: the machines of Ray have no GPU")
        if (self.gpus is None and gpus) or self.gpus:
            if self.workers and self.workers > gpus:
                raise ValueError(
                    f"engine.workers={self.workers}: the machines of Ray have {gpus} GPUs, and "
                    "each worker needs one; expected no more, or engine.gpus=false"
                )
            workers = self.workers or gpus
            return workers, self.threads or max(1, cpus // gpus), 1
        workers = self.workers or ceil(cpus / (self.threads or THREADS))
        return workers, self.threads or max(1, cpus // workers), 0


def _connect(ray: Any) -> None:
    """Raises ValueError if the cluster that the environment names cannot be joined."""
    address = os.environ.get("RAY_ADDRESS")
    if address and address not in {"auto", "local"}:
        _check_answers(address)
    loud = bool(os.environ.get("GEM_TRACEBACK"))
    try:
        ray.init(
            address=address or "local",
            include_dashboard=False if not address else None,
            logging_level="INFO" if loud else "ERROR",
            log_to_driver=loud,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"RAY_ADDRESS={address}" if address else "engine=ray"
        hint = "; a cluster with tokens needs RAY_AUTH_MODE=token here too" if address else ""
        raise ValueError(f"{where}: Ray cannot be used there: {error}{hint}") from error


def _check_answers(address: str) -> None:
    """Raise ValueError if nothing answers where a cluster should: Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise ValueError(f"RAY_ADDRESS={address}: expected HOST:PORT of the cluster's head")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise ValueError(f"RAY_ADDRESS={address}: nothing answers there ({error})") from error
