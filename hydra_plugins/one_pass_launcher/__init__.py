"""The launcher of ``-m``: the jobs of a sweep share passes over the data.

Hydra takes a launcher only from the namespace package ``hydra_plugins``, which therefore has no
``__init__.py``. It imports this at every start, so nothing heavy may be imported here.
"""

from __future__ import annotations

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn, filter_overrides, setup_globals
from omegaconf import DictConfig, open_dict


class OnePassLauncher(BasicLauncher):
    """Composes all jobs, evaluates them with `run_sweep`, then runs Hydra's job for each.

    Each job has its own output folder, return value and exit status, as with the basic launcher.
    """

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Evaluate together, answer one by one."""
        from hydra_plugins.one_pass_launcher._jobs import Job, evaluate, report

        setup_globals()
        assert self.config is not None  # noqa: S101 as in the parent
        jobs = [
            Job(tuple(filter_overrides(overrides)), self._compose(overrides))
            for overrides in job_overrides
        ]
        evaluate(jobs)
        report(jobs, str(self.config.hydra.sweep.dir))
        own, turn = self.task_function, iter(jobs)
        self.task_function = lambda _: next(turn).answer()
        try:
            found: Sequence[JobReturn] = super().launch(job_overrides, initial_job_idx)
        finally:
            self.task_function = own
        return found

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        """The config of one job, as its task will see it."""
        assert self.hydra_context is not None  # noqa: S101 as in the parent
        assert self.config is not None  # noqa: S101
        loader = self.hydra_context.config_loader
        config: DictConfig = loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            del config["hydra"]
        return config
