"""The peak of memory is that of a pass, where the machine can tell it."""

import sys

import numpy as np
import pytest
import torch

from evaluation.measure import memory
from evaluation.measure.memory import PeakMeter

MEBIBYTE = 2**20


def touch(mebibytes):
    """Memory that is really used."""
    return np.ones(mebibytes * MEBIBYTE, dtype=np.uint8)


@pytest.mark.skipif(not memory.RESET.exists(), reason="only Linux forgets an earlier peak")
def test_an_earlier_peak_does_not_count():
    del (earlier := [touch(400)])[0]
    assert earlier == []
    meter = PeakMeter(torch.device("cpu"))
    before = meter.peak()
    if before.since == "process":
        pytest.skip("this machine does not allow it")
    held = touch(50)
    after = meter.peak()
    assert 40 * MEBIBYTE < after.size - before.size < 200 * MEBIBYTE
    assert after.since == "pass"
    assert held.size


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
