"""The peak of memory is that of a pass, where the machine can tell it."""

import subprocess
import sys

import pytest
import torch

from evaluation.measure import memory
from evaluation.measure.memory import PeakMeter

MEBIBYTE = 2**20


EARLIER = """
import numpy as np, torch
from evaluation.measure.memory import PeakMeter

np.ones(400 * 2**20, dtype=np.uint8)  # memory that is really used, and given back
meter = PeakMeter(torch.device("cpu"))
before = meter.peak()
held = np.ones(50 * 2**20, dtype=np.uint8)
after = meter.peak()
print(before.since, after.since, after.size - before.size)
"""


@pytest.mark.skipif(not memory.RESET.exists(), reason="only Linux forgets an earlier peak")
def test_an_earlier_peak_does_not_count():
    """In a process of its own: what the tests before have left may be given back in between."""
    run = subprocess.run(
        [sys.executable, "-c", EARLIER], capture_output=True, text=True, check=True
    )
    before, after, grown = run.stdout.split()
    if before == "process":
        pytest.skip("this machine does not allow it")
    assert after == "pass"
    assert 40 * MEBIBYTE < int(grown) < 200 * MEBIBYTE


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("linux", 1024)])
def test_units_and_what_is_told_elsewhere(platform, unit, monkeypatch, tmp_path):
    """MacOS counts bytes; without Linux's files the peak is that of the whole process."""
    import resource

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(memory, "RESET", tmp_path / "none" / "clear_refs")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = PeakMeter(torch.device("cpu")).peak()
    assert peak.since == "process"
    assert 0.9 < peak.size / (size * unit) < 1.1
