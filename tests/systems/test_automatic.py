"""SAM's automatic masks: rules against naive ones, the whole against the library's pipeline."""

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from small_sams import SIDE, save_sam, save_sam2

from gem.systems import Sam, automatic
from gem.systems.automatic import Automatic, boxes_of, grid, stability
from gem.systems.imagenet import as_tensor

DEFAULTS = {"points_per_side": 12, "stability_offset": 1.0, "nms": 0.9}


def noise(height, width):
    drawn = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height))


@pytest.fixture(scope="module")
def sam(tmp_path_factory):
    return Sam(model=str(save_sam(tmp_path_factory.mktemp("models") / "sam")), device="cpu")


@pytest.fixture(scope="module")
def sam2(tmp_path_factory):
    return Sam(model=str(save_sam2(tmp_path_factory.mktemp("models") / "sam2")), device="cpu")


def test_points_lie_in_the_middle_of_cells():
    points = grid(2, (10, 40))
    assert points.tolist() == [[10, 2.5], [30, 2.5], [10, 7.5], [30, 7.5]]
    from transformers.models.sam.image_processing_sam import _build_point_grid

    expected = _build_point_grid(32) * torch.tensor([500, 375])
    torch.testing.assert_close(grid(32, (375, 500)), expected, atol=1e-3, rtol=0)


def test_stability_is_an_iou():
    logits = torch.randn(5, 9, 7, generator=torch.Generator().manual_seed(0)) * 2
    for one, found in zip(logits, stability(logits, 0.7), strict=True):
        inner, outer = one > 0.7, one > -0.7
        expected = (inner & outer).sum() / (inner | outer).sum()
        assert found == expected
    assert stability(torch.full((1, 3, 3), -9.0), 1.0).isnan().all()


def test_boxes_hold_their_masks():
    masks = torch.rand(20, 13, 17, generator=torch.Generator().manual_seed(0)) > 0.97
    masks[0] = False
    masks[0, 5, 6] = True
    masks = masks[masks.any(dim=(1, 2))]
    for mask, found in zip(masks, boxes_of(masks).tolist(), strict=True):
        rows, columns = mask.nonzero(as_tuple=True)
        assert found == [columns.min(), rows.min(), columns.max(), rows.max()]


def by_the_library(sam, image, pred_iou, stability, **changes):
    given = DEFAULTS | changes
    if sam.second:
        processor = transformers.Sam2ImageProcessor(size={"height": SIDE, "width": SIDE})
    else:
        processor = transformers.SamImageProcessor(
            size={"longest_edge": SIDE}, pad_size={"height": SIDE, "width": SIDE}
        )
    pipe = transformers.pipeline(
        "mask-generation", model=sam.module, image_processor=processor, device="cpu"
    )
    return pipe(
        image, points_per_batch=64, points_per_crop=given["points_per_side"],
        pred_iou_thresh=pred_iou, stability_score_thresh=stability,
        stability_score_offset=given["stability_offset"], crops_nms_thresh=given["nms"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pred_iou", "stability", "changes"),
    [(0.2, 0.4, {}), (0.3, 0.6, {}), (0.2, 0.4, {"nms": 0.3}), (0.2, 0.4, {"nms": 0.97}),
     (0.2, 0.4, {"points_per_side": 5}), (0.2, 0.4, {"stability_offset": 3.0}), (0.95, 0.9, {})],
)  # fmt: skip
@pytest.mark.parametrize("size", [(100, 146), (90, 64)])
def test_masks_are_those_of_the_library(sam, size, pred_iou, stability, changes):
    image = noise(*size)
    expected = by_the_library(sam, image, pred_iou, stability, **changes)
    given = DEFAULTS | changes | {"pred_iou": pred_iou, "stability": stability}
    found = Automatic(sam=sam, **given).masks(as_tensor(image))
    assert found.size == size
    assert len(found) == len(expected["masks"])
    assert (len(found) == 0) == (pred_iou == 0.95)
    assert found.bits.shape == (len(found), -(-size[0] * size[1] // 8))
    for mask, same in zip(found.unpacked(), expected["masks"], strict=True):
        assert torch.equal(mask, same)
    np.testing.assert_allclose(found.quality, expected["scores"].numpy(), atol=1e-4)


def test_masks_of_sam2_are_those_of_the_library_on_a_square(sam2):
    """On others the library's pipeline puts the points where SAM, but not SAM 2, sees them."""
    image = noise(80, 80)
    expected = by_the_library(sam2, image, 0.5, 0.5)
    given = DEFAULTS | {"pred_iou": 0.5, "stability": 0.5}
    found = Automatic(sam=sam2, **given).masks(as_tensor(image))
    assert len(found) == len(expected["masks"]) > 0
    for mask, same in zip(found.unpacked(), expected["masks"], strict=True):
        assert torch.equal(mask, same)


def test_the_parts_that_it_works_in_change_nothing(sam, monkeypatch):
    given = DEFAULTS | {"pred_iou": 0.2, "stability": 0.4, "nms": 0.95}
    image = as_tensor(noise(50, 77))
    whole = Automatic(sam=sam, **given).masks(image)
    monkeypatch.setattr(automatic, "ROOM", 1)
    monkeypatch.setattr(automatic, "PROMPTS", 7)
    parts = Automatic(sam=sam, **given).masks(image)
    assert len(whole) > 1
    assert torch.equal(whole.unpacked(), parts.unpacked())
    assert torch.equal(whole.unpacked(slice(1, 3)), whole.unpacked()[1:3])
