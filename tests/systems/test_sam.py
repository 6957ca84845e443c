"""SAM and SAM 2: what they see and answer, beside the processors of `transformers`."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from small_sams import SIDE, save_detector, save_sam, save_sam2

from gem.systems import Sam
from gem.systems.canvas import Canvas
from gem.systems.imagenet import as_tensor

SIZES = [(100, 146), (146, 100), (64, 64), (2, 100), (33, 50), (300, 301)]
PROCESSORS = {
    "sam": transformers.SamImageProcessor(
        size={"longest_edge": SIDE}, pad_size={"height": SIDE, "width": SIDE}
    ),
    "sam2": transformers.Sam2ImageProcessor(size={"height": SIDE, "width": SIDE}),
}


def noise(height, width, seed=0):
    """A few large blocks, so that neighbours are alike."""
    drawn = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {"sam": save_sam(root / "sam"), "sam2": save_sam2(root / "sam2")}


@pytest.fixture(params=["sam", "sam2"])
def kind(request):
    return request.param


@pytest.fixture
def sam(folders, kind):
    return Sam(model=str(folders[kind]), device="cpu")


@pytest.mark.parametrize("size", SIZES)
def test_it_sees_what_the_processor_makes(size, kind):
    image = noise(*size)
    expected = PROCESSORS[kind](image, return_tensors="pt")
    canvas = Canvas(SIDE, size, stretched=kind == "sam2")
    drawn = canvas.draw(as_tensor(image))
    torch.testing.assert_close(drawn, expected["pixel_values"], atol=1e-5, rtol=0)
    if kind == "sam":
        assert canvas.seen == tuple(expected["reshaped_input_sizes"][0].tolist())


@pytest.mark.parametrize("size", SIZES)
def test_masks_come_back_as_the_processor_brings_them(size, kind):
    canvas = Canvas(SIDE, size, stretched=kind == "sam2")
    low = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    given = {"reshaped_input_sizes": [canvas.seen]} if kind == "sam" else {}
    (expected,) = PROCESSORS[kind].post_process_masks([low], [size], binarize=False, **given)
    torch.testing.assert_close(canvas.at_image(low), expected, atol=1e-5, rtol=0)


def processor(kind):
    whole = {"sam": transformers.SamProcessor, "sam2": transformers.Sam2Processor}[kind]
    return whole(PROCESSORS[kind])


@torch.inference_mode()
def test_boxes_are_answered_as_by_the_library(sam, kind):
    image, boxes = noise(100, 146), [[5.0, 7.0, 80.0, 60.0], [0.0, 0.0, 146.0, 100.0]]
    given = processor(kind)(image, input_boxes=[boxes], return_tensors="pt")
    sizes = [given.pop(name, None) for name in ("original_sizes", "reshaped_input_sizes")]
    assert sizes[0].tolist() == [[100, 146]]
    expected = sam.module(**given.to(torch.float32), multimask_output=False)
    low, quality = sam.of_boxes(sam.see(as_tensor(image)), torch.tensor(boxes))
    scale = expected.pred_masks.abs().max()
    torch.testing.assert_close(low / scale, expected.pred_masks[0] / scale, atol=1e-5, rtol=0)
    torch.testing.assert_close(quality, expected.iou_scores[0], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_points_are_answered_as_by_the_library(sam, kind):
    image, points = noise(100, 146), [[5.0, 7.0], [120.5, 60.0]]
    given = processor(kind)(
        image, input_points=[[[one] for one in points]], input_labels=[[[1], [1]]],
        return_tensors="pt",
    )  # fmt: skip
    for name in ("original_sizes", "reshaped_input_sizes"):
        given.pop(name, None)
    given["input_points"] = given["input_points"].float()
    expected = sam.module(**given)
    low, quality = sam.of_points(sam.see(as_tensor(image)), torch.tensor(points))
    scale = expected.pred_masks.abs().max()
    torch.testing.assert_close(low / scale, expected.pred_masks[0] / scale, atol=1e-5, rtol=0)
    torch.testing.assert_close(quality, expected.iou_scores[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("precision", "near"), [("bf16", 0.3), ("fp16", 0.05), ("tf32", 0)])
@torch.inference_mode()
def test_other_precisions_are_near(folders, kind, precision, near):
    image, boxes = as_tensor(noise(64, 80)), torch.tensor([[5.0, 7.0, 60.0, 60.0]])
    found = []
    for one in ("fp32", precision):
        sam = Sam(model=str(folders[kind]), device="cpu", precision=one)
        low, quality = sam.of_boxes(sam.see(image), boxes)
        assert low.dtype == quality.dtype == torch.float32
        found.append(quality)
    torch.testing.assert_close(*found, atol=near, rtol=0)


PARAMETERS = {
    "facebook/sam-vit-base": 93_735_472,
    "facebook/sam-vit-large": 312_342_832,
    "facebook/sam-vit-huge": 641_090_608,
}


@pytest.mark.parametrize("name", list(Sam.sizes))
def test_known_names_have_the_sizes_that_they_have(name):
    """Built without memory; SAM as its authors count, SAM 2.1 by its widest layer."""
    sam = Sam(model=name, weights=None)
    with torch.device("meta"):
        model = getattr(transformers, sam.builds)(sam.config)
    if name in PARAMETERS:
        learned = [one for key, one in model.named_parameters() if "shared" not in key]
        assert sum(one.numel() for one in learned) == PARAMETERS[name]
    else:
        width = {"tiny": 768, "small": 768, "base-plus": 896, "large": 1152}
        assert sam.builds == "Sam2Model"
        blocks = model.vision_encoder.backbone.blocks
        assert blocks[-1].mlp.proj_in.in_features == width[name.split("hiera-")[1]]
        assert (
            len(blocks)
            == {"tiny": 12, "small": 16, "base-plus": 24, "large": 48}[name.split("hiera-")[1]]
        )


def test_random_weights_are_those_of_the_seed(folders):
    given = {"model": str(folders["sam"]), "weights": None, "device": "cpu"}
    one, same, other = (Sam(**given, seed=seed).module.state_dict() for seed in (1, 1, 2))
    key = "mask_decoder.iou_prediction_head.proj_out.weight"
    assert torch.equal(one[key], same[key])
    assert not torch.equal(one[key], other[key])
    assert Sam(**given).provenance.random


def test_a_folder_of_the_tracker_is_read_too(folders, tmp_path):
    """What the hub has under facebook/sam2.1-hiera-large is called sam2_video."""
    folder = shutil.copytree(folders["sam2"], tmp_path / "tracker")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "sam2_video"}))
    image = as_tensor(noise(50, 40))
    found = [
        Sam(model=str(one), device="cpu").see(image).features for one in (folder, folders["sam2"])
    ]
    for one, same in zip(*found, strict=True):
        assert torch.equal(one, same)


def test_what_is_no_sam(folders, tmp_path, monkeypatch):
    detector = save_detector(tmp_path / "detector")
    with pytest.raises(
        ValueError, match=r"config.json is of a grounding-dino, expected sam or sam"
    ):
        _ = Sam(model=str(detector)).config
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"^segmenter\.sam\.model=.*empty: the folder has no"
    ):
        _ = Sam(model=str(empty)).config
    with pytest.raises(
        ValueError, match=r"^segmenter\.sam\.model=huge: neither a folder nor a name"
    ):
        _ = Sam(model="huge").config
    with pytest.raises(ConnectionError, match=r"^facebook/sam-vit-huge is not on this machine and"):
        _ = Sam().config
    half = shutil.copytree(folders["sam"], tmp_path / "half")
    (half / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"the folder has no model\.safetensors"):
        _ = Sam(model=str(half)).module
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"^segmenter\.sam: the package transformers is not inst"):
        _ = Sam(model=str(folders["sam"])).config
