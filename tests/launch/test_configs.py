"""Every YAML of configs/ builds, without a weight or a file being touched."""

import os
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException, InstantiationException
from pydantic import ValidationError

from evaluation import launch
from evaluation.measure import ByTask
from evaluation.setting import EvalProtocol, Pamr, Setting
from evaluation.setting.identity import describe, public_name
from gem.backbones import OpenClip, TimmVit, TowerShape
from gem.methods import Clip, ClipSurgery, Gem, MaskClip, ProxyClip
from gem.patches import Patches
from gem.resize import ShortSide, Square
from gem.vocabulary import Prompts

CONFIGS = REPOSITORY / "configs"
CHOICES = sorted(
    (path.parent.name, path.stem)
    for path in CONFIGS.glob("*/*.yaml")
    if path.parent.name not in {"hydra", "logger"}
)
DATASETS = [name for group, name in CHOICES if group == "dataset"]
NEEDED = {  # what has no default
    "folder": ["dataset.root=/no/such"], "predictions": ["segmenter.root=/no/such"],
    **{name: ["method=proxyclip"] for group, name in CHOICES if group == "companion"},
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_read():
    """No data folder, and a weight file would have to be opened to be read."""
    os.environ["GEM_DATA"] = "/no/such/folder"
    yield
    del os.environ["GEM_DATA"]


def build(*overrides):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("config", overrides=list(overrides))
    return launch.build(config)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_builds(group, name):
    setting = build(f"{group}={name}", *NEEDED.get(name, []))
    assert isinstance(setting, Setting)
    assert "towers" not in vars(getattr(setting.segmenter, "backbone", setting.segmenter))
    assert "ids" not in vars(setting.dataset)


def targets(node):
    """Every name of a class in a config file."""
    if isinstance(node, dict):
        yield from ([node["_target_"]] if "_target_" in node else [])
    for part in node.values() if isinstance(node, dict) else node:
        if isinstance(part, dict | list):
            yield from targets(part)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_class_is_called_by_its_public_name(group, name):
    """A record names parts as configs do: a file can move inside of its package."""
    text = (CONFIGS / group / f"{name}.yaml").read_text(encoding="utf-8")
    for target in targets(yaml.safe_load(text)):
        module, _, cls = target.rpartition(".")
        assert public_name(getattr(import_module(module), cls)) == target


OF_PAPERS = (
    "clearclip", "clipseg", "gem", "gem_released", "groupvit", "naclip", "naclip_pamr", "pearl",
    "proxyclip", "resclip", "sc_clip", "sclip", "tcl",
)  # fmt: skip
"""Protocols whose rules are known here; one that a user adds is built with all others."""
PAIRS = [
    (protocol, dataset)
    for row, protocol in enumerate(OF_PAPERS)
    for column, dataset in enumerate(DATASETS)
    if (row + column) % 3 == 0 or (protocol in {"sclip", "sc_clip"} and dataset in {"voc", "hub"})
]


@pytest.mark.parametrize(("protocol", "dataset"), PAIRS)
def test_protocols_fit_data_sets(protocol, dataset):
    """And those of the mmseg family resize by OpenCV and pad windows, to what their code does."""
    rules = build(f"protocol={protocol}", f"dataset={dataset}", *NEEDED.get(dataset, [])).protocol
    ours, rounded = protocol in {"gem", "gem_released"}, {"gem", "gem_released", "clipseg"}
    resize, multiples = rules.resize, {"clearclip": None, "tcl": None, "proxyclip": 56}
    assert rules.name == protocol
    assert resize.filter == ("pillow_bicubic" if ours else "opencv_bilinear")
    assert (resize.rounding, resize.multiple) == (
        ("round", None) if protocol in rounded else ("pad", multiples.get(protocol, 1))
    )
    small = protocol in {"sclip", "sc_clip"} and dataset in {"voc", "hub"}
    assert rules.area_threshold == (0.1 if small else None)
    assert rules.pamr == (Pamr() if protocol == "naclip_pamr" else None)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_file_says_what_it_is(group, name):
    """A comment in the first lines, except where the class's docstring says all."""
    text = (CONFIGS / group / f"{name}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    assert text.startswith("#") or f"{group}/{name}" in {
        "method/clip", "method/clip_surgery", "method/maskclip"
    }  # fmt: skip


def test_the_default_is_the_paper():
    """Sec. 3 and 4.1, on the embedded model and scenes; its 64 pixels instead of 448."""
    setting = build()
    assert setting.segmenter.method == Gem()
    assert setting.segmenter.method == Gem(
        iters=1, temperature="adaptive", temperature_scale=1.0, normalize=True,
        projections=("q", "k", "v"), blocks=4, mlp=False,
    )  # fmt: skip
    assert setting.protocol == EvalProtocol(
        name="gem", resize=ShortSide(size=64), windows=None, min_max=False, logit_scale=100,
        reduce="max", background=0.85,
    )  # fmt: skip
    assert setting.prompts == Prompts(templates=("a photo of a {}",))
    assert setting.segmenter.backbone == OpenClip(
        model="tiny", weights="embedded", quick_gelu=False
    )
    assert setting.limit is None


def test_a_row_of_the_paper():
    setting = build("backbone=clip_vit_b16", "dataset=voc")
    assert setting.protocol.resize == ShortSide(size=448)
    assert setting.segmenter.backbone == OpenClip(
        model="ViT-B-16", weights="openai", quick_gelu=True
    )
    assert setting.dataset.root == "/no/such/folder"


def test_what_the_release_does():
    setting = build("experiment=released", "backbone=clip_vit_b16")
    assert setting.segmenter.method == Gem(blocks=6)
    assert setting.protocol.resize == Square(size=448)
    assert setting.prompts.templates == ("a photo of a {}.",)


@pytest.mark.parametrize(
    ("name", "method"),
    [("clip", Clip()), ("maskclip", MaskClip()), ("clip_surgery", ClipSurgery(blocks=6)),
     ("gem_released", Gem(blocks=6))],
)  # fmt: skip
def test_methods_by_name(name, method):
    assert build(f"method={name}").segmenter.method == method


@pytest.mark.parametrize(
    ("override", "field", "value"),
    [
        ("gem.iters=3", "iters", 3),
        ("gem.temperature=standard", "temperature", "standard"),
        ("gem.temperature=0.5", "temperature", 0.5),
        ("gem.temperature_scale=10", "temperature_scale", 10.0),
        ("gem.normalize=false", "normalize", False),
        ("gem.projections=[v,k]", "projections", ("v", "k")),
        ("gem.blocks=11", "blocks", 11),
        ("gem.mlp=true", "mlp", True),
    ],
)
def test_every_option_of_gem(override, field, value):
    assert getattr(build(override).segmenter.method, field) == value
    assert getattr(build("method=gem_released", override).segmenter.method, field) == value


def test_a_companion_is_chosen_for_a_method():
    own = build("method=proxyclip").segmenter.method
    other = build(
        "method=proxyclip", "companion=dino_vitb16", "companion.weights=/a/b.pth", "method.scale=2"
    )
    assert own == ProxyClip(companion=TimmVit(model="vit_base_patch8_224.dino", weights="dino"))
    assert other.segmenter.method == ProxyClip(
        companion=TimmVit(model="vit_base_patch16_224.dino", weights="/a/b.pth"), scale=2.0
    )


def test_tags_of_the_companions_exist():
    shapes = {
        "dino_vitb8": (12, 8, 768),
        "dino_vitb16": (12, 16, 768),
        "dinov2_vitb14": (12, 14, 768),
    }
    for name, shape in shapes.items():
        companion = build("method=proxyclip", f"companion={name}").segmenter.method.companion
        assert companion.shape == TowerShape(*shape)
        assert companion.mean == (0.485, 0.456, 0.406)
        assert companion.model.endswith(f".{companion.weights}")


def test_options_of_gem_under_another_method():
    with pytest.raises(ConfigCompositionException):
        build("method=maskclip", "gem.iters=3")


def test_resolution_is_one_number():
    for protocol in ("gem", "gem_released"):
        assert build(f"protocol={protocol}", "short_side=336").protocol.resize.size == 336


@pytest.mark.parametrize(
    "override",
    ["gem.iters=-1", "gem.iters=1.5", "gem.temperature=hot", "batch_size=0", "limit=0",
     "protocol.background=2", "backbone.precision=int8", "gem.projections=[]"],
)  # fmt: skip
def test_wrong_values_fail_when_the_config_is_built(override):
    with pytest.raises((ValidationError, InstantiationException)):
        build(override)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [  # short side, window, logit scale, background: the settings table of the field
        (["protocol=resclip", "dataset=voc"], (336, 4096, 40, 0.1)),
        (["protocol=resclip", "dataset=cityscapes"], (560, 224, 40, 0.1)),
        (["protocol=sc_clip", "dataset=voc"], (336, 224, 50, 0.15)),
        (["protocol=sc_clip", "dataset=coco_object"], (336, 224, 55, 0.35)),
        (["protocol=sc_clip", "dataset=context60"], (336, 224, 40, 0.15)),
        (["protocol=sc_clip", "dataset=cityscapes"], (560, 224, 40, 0.15)),
        (["protocol=sclip", "dataset=voc"], (336, 224, 65, 0.1)),
        (["protocol=sclip", "dataset=ade20k"], (336, 224, 40, 0.1)),
        (["protocol=sclip", "dataset=cityscapes"], (560, 224, 40, 0.1)),
        (["protocol=sclip", "dataset=coco_stuff"], (448, 224, 40, 0.1)),
        (["protocol=naclip", "dataset=voc20"], (336, 4096, 40, 0.1)),  # the whole image
        (["protocol=clearclip", "dataset=voc"], (448, 448, 50, 0.5)),
        (["protocol=clearclip", "dataset=coco_object"], (448, 448, 50, 0.4)),
        (["protocol=clearclip", "dataset=context60"], (448, 448, 50, 0.15)),
        (["protocol=clearclip", "dataset=cityscapes"], (448, 224, 50, 0.5)),
        (["protocol=proxyclip", "dataset=ade20k"], (448, 336, 40, 0.2)),
        (["protocol=tcl", "dataset=voc"], (448, 448, 100, 0.5)),
    ],
    ids=str,
)
def test_protocols_of_the_field(overrides, expected):
    rules = build(*overrides).protocol
    found = (rules.resize.size, rules.windows.size, rules.logit_scale, rules.background)
    assert found == expected


EXPERIMENTS = (
    "clearclip", "naclip", "naclip_pamr", "pearl", "proxyclip", "resclip", "sc_clip", "sclip",
)  # fmt: skip
"""Those that are a method as it was published."""


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_a_method_as_published(name):
    method = name.removesuffix("_pamr")
    found = build(f"experiment={name}", "dataset=voc")
    assert type(found.segmenter.method) is type(build(f"method={method}").segmenter.method)
    assert found.protocol.name == name
    assert len(found.prompts.templates) == 80
    backbone = found.segmenter.backbone
    assert (backbone.model, backbone.weights) == ("ViT-B-16", "openai")
    assert backbone.positions == "bicubic"


def test_a_given_method_wins_over_that_of_the_experiment():
    """The rows of ClearCLIP's table."""
    for name, method in (
        ("clip", Clip()),
        ("maskclip", MaskClip()),
        ("gem_released", Gem(blocks=6)),
    ):
        for experiment in ("clearclip", "resclip"):
            found = build(f"experiment={experiment}", f"method={name}", "dataset=voc")
            assert (found.segmenter.method, found.protocol.name) == (method, experiment)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["experiment=resclip", "dataset=voc20"], {"share": 0.6, "factor": 2.0}),
        (["experiment=resclip", "dataset=cityscapes"], {"share": 0.2, "factor": 2.0}),
        (["experiment=resclip", "dataset=toy"], {"share": 0.3, "factor": 2.0}),
        (["method=resclip", "dataset=voc20"], {"share": 0.3, "factor": 2.0}),
        (["experiment=resclip", "dataset=voc20", "method.share=0.5"], {"share": 0.5}),
        (["experiment=pearl", "dataset=ade20k"], {"alpha": 0.3}),
        (["experiment=pearl", "dataset=voc"], {"alpha": 0.08}),
    ],
    ids=str,
)
def test_constants_of_methods_by_data_set(words, expected):
    method = build(*words).segmenter.method
    assert {name: getattr(method, name) for name in expected} == expected


def test_python_and_hydra_describe_alike():
    built = build("backbone=clip_vit_b16", "method=clip", "batch_size=4")
    by_hand = Setting(
        segmenter=Patches(
            backbone=OpenClip(model="ViT-B-16", weights="openai", quick_gelu=True), method=Clip()
        ),
        metric=ByTask(),
        dataset=built.dataset,
        protocol=EvalProtocol(name="gem", resize=ShortSide()),
        prompts=Prompts(templates=("a photo of a {}",)),
        batch_size=4,
    )
    assert describe(built) == describe(by_hand)


def test_backbones_are_the_rows_of_table_5():
    rows = {
        name: build(f"backbone={name}").segmenter.backbone
        for group, name in CHOICES
        if group == "backbone"
    }
    for size in ("b16", "b32", "l14"):
        assert rows[f"clip_vit_{size}"].weights == "openai"
        assert rows[f"openclip_vit_{size}"].weights == "laion400m_e32"
        assert rows[f"metaclip_vit_{size}"].weights == "metaclip_400m"


def test_tags_of_the_backbones_exist_and_agree_with_their_activation():
    from open_clip.pretrained import get_pretrained_cfg

    for path in sorted(Path(CONFIGS / "backbone").glob("*clip_*.yaml")):
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        tag = get_pretrained_cfg(config["model"], config["weights"])
        assert tag, path.name
        assert tag.get("quick_gelu", False) == config["quick_gelu"], path.name
