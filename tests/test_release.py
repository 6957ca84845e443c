"""The release's names and signatures: what code that was written for it gets.

Numbers are compared with what the release itself returned, `tests/reference`.
"""

import numpy as np
import pytest
import torch
from PIL import Image
from test_parity import CASES, MANIFEST, TOLERANCE, build, family, goldens, images_of

import gem
from gem.methods import Gem
from gem.release import GemModel

MAPS = [name for name, case in CASES.items() if case["maps"] and case["model"] == "small"]


class GivenText(GemModel):
    """With the release's own embeddings of the names, which are not those of this text tower."""

    def encode_text(self, text):
        places = [MANIFEST["names"].index(name) for name in text]
        return torch.from_numpy(goldens()["texts/small"])[places][None]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The golden model by its folder, as `create_gem_model` makes it."""
    folder = tmp_path_factory.mktemp("small")
    build("small", folder)

    def make(case):
        made = gem.create_gem_model(
            model_name=str(folder),
            pretrained=str(folder / "weights.safetensors"),
            gem_depth=case["gem_depth"],
            ss_attn_iter=case["ss_attn_iter"],
            ss_attn_temp=case["ss_attn_temp"],
        )
        return GivenText(made.backbone, made.method)

    return make


def same(found, name):
    step = MANIFEST["steps"]["small"]["pixels"]
    golden = goldens()[name]
    ours = found.numpy()[..., ::step, ::step]
    assert ours.shape == golden.shape
    assert abs(ours - golden).max() <= TOLERANCE * abs(golden).max()


@pytest.mark.parametrize("name", MAPS)
def test_calling_it_returns_what_the_release_did(name, model):
    case = CASES[name]
    own, images, names = model(case), images_of(case), MANIFEST["names"]
    assert family(case) == "small"
    same(own(images, names, normalize=False), f"{name}/forward")
    same(own(images, names), f"{name}/forward_minmax")
    same(own.forward(images, names, False, True), f"{name}/forward_original")


@pytest.mark.parametrize("name", MAPS)
def test_batches_with_names_of_their_own(name, model):
    case = CASES[name]
    own, images = model(case), images_of(case)
    asked = [MANIFEST["names"][: 3 - number] for number in range(len(images))]
    same(torch.cat(own.batched_forward(images, asked, normalize=False)), f"{name}/batched")
    same(torch.cat(own.batched_forward(images, asked)), f"{name}/batched_minmax")


def test_the_readme_of_the_release(folder, tmp_path):
    """Its example, from an image on disk to the picture."""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (30, 50), np.uint8)).save(
        tmp_path / "image.png"
    )
    preprocess = gem.get_gem_img_transform(img_size=(40, 40))
    gem_model = gem.create_gem_model(
        model_name=str(folder), pretrained="embedded", device="cpu", gem_depth=5
    ).eval()
    with Image.open(tmp_path / "image.png") as opened:
        image = preprocess(opened).unsqueeze(0).to("cpu")
    text = ["cat", "remote control"]
    with torch.no_grad():
        logits = gem_model(image, text)
    assert logits.shape == (1, 2, 40, 40)
    assert (logits.amin(), logits.amax()) == (0, 1)
    picture = gem.visualize(image, text, logits, alpha=0.6, save_path=str(tmp_path / "cats.png"))
    with Image.open(tmp_path / "cats.png") as written:
        assert written.size == picture.size


def test_arguments_are_the_papers():
    model = gem.create_gem_model("ViT-B/16", "openai", gem_depth=5, ss_attn_iter=2, ss_attn_temp=4)
    assert model.method == Gem(blocks=4, iters=2, temperature=0.25)
    assert (model.backbone.model, model.backbone.weights) == ("ViT-B-16", "openai")
    assert gem.create_gem_model("ViT-B-16").method == Gem(blocks=6)
    assert model.to("cuda").backbone.device == "cuda"
    made, transform = gem.create_model_and_transforms("ViT-B-16", "openai", 5, device="cpu")
    assert (made.method, transform) == (Gem(blocks=4), gem.get_gem_img_transform())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"jit": True}, "create_gem_model(jit=True) is not supported"),
        ({"force_image_size": 336}, "create_gem_model(force_image_size=336) is not supported"),
        ({"mine": 1}, "create_gem_model(mine=1) is not supported"),
        ({"gem_depth": 1}, "gem_depth=1: expected 2 or more; it counts layers plus one"),
    ],
)
def test_what_is_not_supported(given, said):
    with pytest.raises(ValueError) as caught:
        gem.create_gem_model("ViT-B-16", "openai", **given)
    assert str(caught.value) == said
    gem.create_gem_model("ViT-B-16", "openai", jit=False, output_dict=None)


@pytest.mark.parametrize("size", [(40, 48), 40])
def test_the_transform_is_that_of_torchvision(size):
    from torchvision import transforms

    pixels = np.random.default_rng(0).integers(0, 256, (61, 83, 3), dtype=np.uint8)
    image, own = Image.fromarray(pixels), gem.get_gem_img_transform(size)
    reference = transforms.Compose([
        transforms.Resize(size, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.ToTensor(),
        transforms.Normalize(own.mean, own.std),
    ])  # fmt: skip
    torch.testing.assert_close(own(image), reference(image))
    assert own(image.convert("P")).shape == own(image).shape  # the release fails


def test_constant_maps_are_zero(model, monkeypatch):
    """The release divides 0 by 0."""
    own = model(CASES[MAPS[0]])
    monkeypatch.setattr(GivenText, "encode_text", lambda *_: torch.zeros(1, 1, 24))
    assert own(torch.zeros(1, 3, 64, 64), ["cat"]).abs().sum() == 0


def test_names():
    assert gem.available_models().splitlines()[0] == "ViT-B/32            : openai"
    assert gem.get_tokenizer("ViT-B-16")(["a cat"]).shape == (1, 77)
