"""From a setting to a record, or to none."""

import numpy as np
import pytest
from drawn import Noise, setting_of

from evaluation.data import Sample
from evaluation.records.record import read_record
from evaluation.run.job import run


def test_an_evaluation_leaves_one_record(small, tmp_path):
    done = run(setting_of(small, limit=2), tmp_path / "records")
    record, path = done.record, done.path
    assert read_record(path) == record
    assert list((tmp_path / "records").iterdir()) == [path]


def test_the_same_setting_has_the_same_record(small, tmp_path):
    """But for when and how fast."""
    first, second = (run(setting_of(small, limit=2), tmp_path) for _ in range(2))
    assert first.path == second.path
    one, other = first.record, second.record
    for field in ("key", "setting", "scores", "per_class", "counts", "hashes", "warnings"):
        assert getattr(one, field) == getattr(other, field)


def test_a_broken_sample_leaves_no_record(small, tmp_path):
    with pytest.raises(ValueError, match=r"^4\.jpg cannot be read"):
        run(setting_of(small, dataset=Noise(broken="4")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_files_are_found_before_the_model_is_built(tmp_path):
    class Gone(Noise):
        def check(self, _):
            raise FileNotFoundError("1 of 7 images are missing")

    with pytest.raises(FileNotFoundError, match=r"^1 of 7 images are missing$"):
        run(setting_of(None, dataset=Gone()), tmp_path)


def test_nothing_but_void(small, tmp_path):
    class Void(Noise):
        def __getitem__(self, sample_id):
            sample = super().__getitem__(sample_id)
            return Sample(sample_id, sample.image, np.full_like(sample.truth, 255))

    with pytest.raises(ValueError, match=r"^noise: nothing of the truth counts, all is void$"):
        run(setting_of(small, dataset=Void()), tmp_path)
    assert list(tmp_path.iterdir()) == []
