"""Both systems compute where their models are; only what is chosen by values waits for the host."""

from types import SimpleNamespace

import pytest
import torch
from fake_gpu import CUDA, backbone_on, fake_gpu, moved
from small_sams import save_detector, save_sam, save_sam2
from test_gem_sam import packed, some_masks
from torch._subclasses.fake_tensor import unset_fake_temporarily

from gem import Gem, Patches
from gem.systems import GroundingDino, Sam
from gem.systems.automatic import grid, stability
from gem.systems.labelled import LabelledMasks, Segments, inside
from gem.vocabulary import Vocabulary

VOCABULARY = Vocabulary(names=("a", "b"), words=("dog", "cat"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    found = {"sam": save_sam(root / "sam"), "sam2": save_sam2(root / "sam2")}
    return found | {"detector": save_detector(root / "detector")}


def on_gpu(kind, folder, **options):
    """A model that was built here and then moved."""
    with unset_fake_temporarily(), torch.inference_mode(mode=False):
        module = kind(model=str(folder), device="cpu", **options).module
    found = kind(model=str(folder), device="cuda:0", **options)
    vars(found)["module"] = moved(module)
    return found


@pytest.mark.parametrize("kind", ["sam", "sam2"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_sam(kind, precision, folders):
    with fake_gpu():
        sam = on_gpu(Sam, folders[kind], precision=precision)
        seen = sam.see(torch.empty(3, 50, 60, dtype=torch.uint8))
        boxes = torch.empty(4, 4, device=CUDA)
        points = grid(3, (50, 60)).to(sam.torch_device)
        for low, quality in (sam.of_boxes(seen, boxes), sam.of_points(seen, points)):
            logits = seen.canvas.at_image(low)
            assert logits.shape[-2:] == (50, 60)
            assert logits.device == quality.device == CUDA
            assert stability(logits.flatten(0, 1), 1.0).device == CUDA


class Answers:
    """A detector whose inside is not asked for: it copies numbers of its own to the GPU."""

    dtype = torch.float32

    def __call__(self, **given):
        assert {one.device for one in given.values()} == {CUDA}
        boxes, logits = (torch.empty(1, 20, size, device=CUDA) for size in (4, 40))
        return SimpleNamespace(pred_boxes=boxes, logits=logits)


def test_the_detector(folders):
    with fake_gpu():
        model = GroundingDino(
            model=str(folders["detector"]), device="cuda:0", short_side=128, long_side=200
        )
        vars(model)["module"] = Answers()
        found = model.find(torch.empty(3, 50, 60, dtype=torch.uint8), ["dog", "a cat"])
        assert found.corners.device == found.scores.device == CUDA
        assert found.scores.shape == (20, 2)


def test_masks_are_labelled_where_the_maps_are(folder, monkeypatch):
    masks = packed(some_masks(7, (40, 48)))
    with fake_gpu():
        monkeypatch.setattr(type(masks), "unpacked", lambda self, part: torch.empty(
            len(self.bits[part]), *self.size, dtype=torch.bool
        ))  # fmt: skip
        backbone = backbone_on(folder)
        segmenter = Patches(backbone=backbone, method=Gem(blocks=2))
        (features,) = segmenter.encode(torch.empty(1, 3, 40, 48))
        queries = VOCABULARY.with_text(torch.empty(2, backbone.shape.embedding, device=CUDA))
        maps = torch.empty(2, 40, 48, device=CUDA)
        assert inside(maps, masks, "mean").device == CUDA
        monkeypatch.setattr(
            "gem.systems.labelled.owners", lambda *_: torch.zeros(40, 48, dtype=torch.int64)
        )
        segments = Segments(features.pixels, lambda _: masks)
        labelled = LabelledMasks(features, segments, "mean", "small")
        assert labelled.scores(queries).device == CUDA
