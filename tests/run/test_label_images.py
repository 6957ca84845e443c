"""Labels for a folder of images without truth."""

import json
from dataclasses import replace

import numpy as np
import pytest
from drawn import save_turned, setting_of
from PIL import Image
from pycocotools import mask as shapes

from evaluation.data import Folder, Words
from evaluation.launch.command import label_name
from evaluation.measure.evaluate import evaluate
from evaluation.run.job import label
from evaluation.run.label_images import output_names
from evaluation.run.output import OutputOptions


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("b.jpg", (30, 45)), ("sub/a.PNG", (40, 40)), ("note.txt", None)):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size is None:
            path.write_text("no image", encoding="utf-8")
            continue
        rough = rng.integers(0, 256, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
        Image.fromarray(rough).resize(size[::-1]).save(path)
    return tmp_path / "images"


def labels_of(setting, folder):
    label(setting, OutputOptions(output="none", labels=str(folder)))
    return {
        path.relative_to(folder / "masks").as_posix(): np.array(Image.open(path))
        for path in (folder / "masks").rglob("*.png")
    }


@pytest.fixture
def setting(small, root):
    found = setting_of(small, dataset=Folder(root=str(root)))
    return replace(found, vocabulary=Words(words=("dog; puppy", "a photo of a house")))


def test_masks_have_the_size_of_their_images_and_a_label_for_every_pixel(setting, tmp_path):
    everywhere = replace(setting, protocol=replace(setting.protocol, background=None))
    masks = labels_of(everywhere, tmp_path / "out")
    assert {name: mask.shape for name, mask in masks.items()} == {
        "b.png": (30, 45), "sub/a.png": (40, 40),
    }  # fmt: skip
    assert all(set(np.unique(mask)) <= {1, 2} for mask in masks.values())
    assert (tmp_path / "out" / "overlays" / "sub" / "a.jpg").is_file()


def test_pixels_under_the_threshold_have_no_class(setting, tmp_path):
    """Of two words whose logits differ by 2 at the most, none has a probability of 0.9."""
    protocol = replace(setting.protocol, logit_scale=1.0, background=0.9)
    masks = labels_of(replace(setting, protocol=protocol), tmp_path / "out")
    assert not any(mask.any() for mask in masks.values())


def test_shapes_are_the_masks(setting, tmp_path):
    masks = labels_of(setting, tmp_path / "out")
    content = json.loads((tmp_path / "out" / "shapes.json").read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in content["images"]}
    assert sorted(names.values()) == ["b.jpg", "sub/a.PNG"]
    assert [entry["name"] for entry in content["categories"]] == ["dog", "a photo of a house"]
    drawn = {name: np.zeros_like(mask) for name, mask in masks.items()}
    for entry in content["annotations"]:
        name = names[entry["image_id"]].rsplit(".", 1)[0] + ".png"
        pixels = shapes.decode(entry["segmentation"]).astype(bool)
        assert entry["area"] == pixels.sum()
        drawn[name][pixels] = entry["category_id"]
    for name, mask in masks.items():
        assert (drawn[name] == mask).all()


def test_a_folder_has_no_classes_of_its_own(small, root, tmp_path):
    setting = setting_of(small, dataset=Folder(root=str(root)))
    with pytest.raises(ValueError, match=r"say vocabulary.words=\[cat,dog\]"):
        labels_of(setting, tmp_path / "out")


def test_a_folder_without_images(small, tmp_path):
    (tmp_path / "empty").mkdir()
    setting = setting_of(small, dataset=Folder(root=str(tmp_path / "empty")))
    with pytest.raises(ValueError, match="holds no image"):
        labels_of(setting, tmp_path / "out")


def test_a_folder_is_not_evaluated(setting):
    with pytest.raises(ValueError, match="no truth"):
        evaluate(setting)


def test_two_images_of_one_stem_have_a_mask_each(setting, root, tmp_path):
    Image.new("RGB", (20, 20), "white").save(root / "b.png")
    masks = labels_of(setting, tmp_path / "out")
    assert {name: mask.shape for name, mask in masks.items()} == {
        "b.jpg.png": (30, 45), "b.png.png": (20, 20), "sub/a.png": (40, 40),
    }  # fmt: skip
    overlays = sorted(path.name for path in (tmp_path / "out" / "overlays").glob("*.jpg"))
    assert overlays == ["b.jpg.jpg", "b.png.jpg"]


@pytest.mark.parametrize(
    "ids",
    [
        ("a.jpg", "b/a.jpg"),
        ("a.jpg", "a.png", "a.jpg.png"),
        ("a.jpg", "A.PNG", "a.jpg.png", "a.jpg.png.png"),
        ("a.png", "a.png.png", "a.webp"),
    ],
)
def test_every_image_has_a_name_of_its_own(ids):
    """a.jpg, which has a.png beside it, and a.jpg.png had one mask."""
    names = output_names(ids)
    assert len({name.casefold() for name in names.values()}) == len(ids)


def test_masks_lie_on_the_images_as_they_are_shown(setting, root, tmp_path):
    image = Image.open(root / "b.jpg")
    image.load()
    save_turned(image, root / "b.jpg")
    out = tmp_path / "out"
    assert labels_of(setting, out)["b.png"].shape == (45, 30)
    for path in (out / "masks" / "b.png", out / "overlays" / "b.jpg"):
        with Image.open(path) as written:
            assert (written.size, written.getexif().get(0x0112)) == ((30, 45), None)
    content = json.loads((out / "shapes.json").read_text(encoding="utf-8"))
    sizes = {one["file_name"]: (one["height"], one["width"]) for one in content["images"]}
    assert sizes["b.jpg"] == (45, 30)
    assert not list(out.rglob("*.part"))


def test_images_that_cannot_be_read_are_told_and_left_out(setting, root, tmp_path, capsys):
    (root / "a.jpg").write_bytes(b"no image")
    (root / "c.png").write_bytes((root / "sub" / "a.PNG").read_bytes()[:-20])
    masks = labels_of(setting, tmp_path / "out")
    assert sorted(masks) == ["b.png", "sub/a.png"]
    said = " ".join(capsys.readouterr().out.split())
    for name in ("a.jpg", "c.png"):
        assert f"note: left out: {root / name} cannot be read as an image: " in said
    content = json.loads((tmp_path / "out" / "shapes.json").read_text(encoding="utf-8"))
    assert [one["file_name"] for one in content["images"]] == ["b.jpg", "sub/a.PNG"]


def test_many_of_them_are_counted(setting, root, tmp_path, capsys):
    for number in range(5):
        (root / f"x{number}.jpg").write_bytes(b"no image")
    labels_of(setting, tmp_path / "out")
    assert "left out: 2 more images that cannot be read" in capsys.readouterr().out


def test_they_can_be_refused(setting, root, tmp_path):
    (root / "a.jpg").write_bytes(b"no image")
    refusing = replace(setting, dataset=Folder(root=str(root), broken="refuse"))
    with pytest.raises(ValueError, match=r"a\.jpg cannot be read as an image"):
        labels_of(refusing, tmp_path / "out")
    assert not (tmp_path / "out" / "masks").exists()


def test_none_that_can_be_read(setting, root, tmp_path):
    for path in (root / "b.jpg", root / "sub" / "a.PNG"):
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"^dataset\.root=\S+: no image of 2 can be read; \S+b"):
        labels_of(setting, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["dataset=folder", "dataset.root=/a/b", "gem.iters=0"], "gem.iters=0"),
        (["labels=x", "vocabulary.words=[cat,a dog]", "gem.mlp=true"],
         "gem.mlp=true,vocabulary.words=_cat,a_dog_"),
        (["dataset=folder", "root=/a"], "default"),
        (["backbone.weights=/a/../b.pt"], "backbone.weights=_a_.._b.pt"),
    ],
)  # fmt: skip
def test_a_setting_of_a_sweep_has_a_folder_of_its_own(words, name):
    assert label_name(words) == name
