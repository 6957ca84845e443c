"""Files that nobody here made: the official layout, as it comes out of the archive."""

import numpy as np
import pytest
from conftest import REPOSITORY

from evaluation.data import Pairs
from evaluation.measure import ByTask
from evaluation.measure.evaluate import evaluate
from evaluation.setting import EvalProtocol, Setting
from gem.methods import Gem
from gem.patches import Patches
from gem.resize import ShortSide
from gem.vocabulary import Prompts

DATA = REPOSITORY.parent / "shared" / "data"
VOC = DATA / "VOCdevkit" / "VOC2012"
pytestmark = pytest.mark.skipif(not VOC.is_dir(), reason=f"there are no files in {VOC}")


@pytest.fixture(scope="module")
def voc():
    folder = "VOCdevkit/VOC2012"
    return Pairs(
        dataset="voc",
        root=str(DATA),
        listing=f"{folder}/ImageSets/Segmentation/val.txt",
        image=f"{folder}/JPEGImages/{{id}}.jpg",
        mask=f"{folder}/SegmentationClass/{{id}}.png",
    )


def test_every_pair_is_read(voc):
    ids = sorted(path.stem for path in (VOC / "SegmentationClass").glob("*.png"))
    assert set(ids) <= set(voc.ids)
    seen = set()
    for sample in (voc[sample_id] for sample_id in ids):
        assert sample.truth.shape == (sample.image.height, sample.image.width)
        seen |= set(np.unique(sample.truth).tolist())
    assert {0, 255} < seen <= {*range(21), 255}
    assert len(ids) >= 24


def test_the_first_pair_is_an_aeroplane(voc):
    truth = voc["2007_000033"].truth
    assert set(np.unique(truth)) == {0, 1, 255}
    assert truth.shape == (366, 500)


def test_a_whole_evaluation(voc, small):
    """Random weights: nothing is right, but every pixel that is not void is counted once."""
    setting = Setting(
        segmenter=Patches(backbone=small, method=Gem()),
        metric=ByTask(),
        dataset=voc,
        protocol=EvalProtocol(name="small", resize=ShortSide(size=40), background=0.05),
        prompts=Prompts(templates=("a photo of a {}",)),
        limit=3,
        batch_size=2,
    )
    matrix = np.array(evaluate(setting).outcome.counts["matrix"])
    truths = [voc[sample_id].truth for sample_id in setting.ids]
    expected = sum(np.bincount(t[t != 255], minlength=21) for t in truths)
    assert matrix.sum(axis=1).tolist() == expected.tolist()
    assert (matrix.sum(axis=0) > 0).sum() > 1
