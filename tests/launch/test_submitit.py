"""Hydra's launcher for Slurm, by the executor that it has for one machine."""

import json
import subprocess
import sys

import pytest
from conftest import REPOSITORY

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")


def test_each_setting_is_a_job(tmp_path):
    words = [
        "-m", "hydra/launcher=submitit_local", f"hydra.sweep.dir={tmp_path}/jobs", "limit=2",
        "segmenter=stand_in", f"output={tmp_path}/records",
    ]  # fmt: skip
    subprocess.run(
        [sys.executable, str(REPOSITORY / "run.py"), *words], check=True, capture_output=True
    )
    (path,) = (tmp_path / "records").glob("*.json")
    assert json.loads(path.read_text())["images"] == 2
