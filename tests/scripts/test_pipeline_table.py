"""The table of whole evaluations: a row for each number of classes, with and without windows."""

import numpy as np
import pytest
from conftest import REPOSITORY


@pytest.fixture
def pipeline(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "scripts"))
    from timing import pipeline

    return pipeline


def test_every_row_is_measured(pipeline, folder):
    timing = pipeline.Timing(
        model=str(folder), size=64, batch=2, repeats=1, rounds=1, precision="fp32"
    )
    found = pipeline.measure(timing, (20, 59))
    assert list(found) == [(20, False), (59, False), (20, True), (59, True)]
    assert all(model > 0 and whole > 0 for model, whole in found.values())
    table = pipeline.pipeline_table(timing, (3,))
    assert list(table.columns[0].cells) == ["3 classes", "3 classes"]
    assert list(table.columns[1].cells) == ["", "windows"]


@pytest.mark.parametrize(("classes", "labels"), [(20, 21), (150, 150)])
def test_masks_show_all_labels_in_the_end(classes, labels, pipeline):
    noise = pipeline.Noise(classes, images=200)
    truths = [noise[sample_id].truth for sample_id in noise.ids]
    assert {truth.shape for truth in truths} == {(375, 500)}
    assert np.unique(truths).tolist() == [*range(labels), 255]
    assert noise["0"].image.size == (500, 375)
