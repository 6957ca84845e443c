"""GroupViT and CLIPSeg from words of the command line to records."""

from dataclasses import replace

import pytest
import small
import torch
import transformers

from evaluation.launch import compose_config, compose_setting, output_options
from evaluation.measure.evaluate import evaluate_all
from evaluation.measure.text_cache import embed_text
from evaluation.pictures.predictions import draw_panels
from evaluation.records import provenance
from evaluation.records.checked import check_setting, find_record
from evaluation.records.rebuild import rebuild
from evaluation.report.build import build
from evaluation.run.job import find_or_run, run
from evaluation.run.passes import plan_passes
from evaluation.run.sweep import run_sweep
from evaluation.setting.identity import describe
from evaluation.setting.sharing import share_parts, unload_all
from evaluation.tables.obstacles import find_obstacles
from gem.systems import ClipSeg, GroupVit

NAMES = ("groupvit", "clipseg")
SMALLER = {  # what one CPU does in a second
    "groupvit": [
        "protocol.resize.size=64", "protocol.windows.size=64", "protocol.windows.stride=32",
    ],
    "clipseg": ["protocol.resize.size=64"],
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("systems")
    return {
        "groupvit": small.groupvit_folder(folder / "groupvit"),
        "clipseg": small.clipseg_folder(folder / "clipseg"),
    }


@pytest.fixture
def compose(folders):
    def composed(name, *words):
        given = [f"segmenter={name}", f"segmenter.model={folders[name]}", "segmenter.place=cpu"]
        return compose_setting([*given, *SMALLER[name], "dataset=toy", "limit=3", *words])

    return composed


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_run(name, compose, tmp_path, folders):
    done = run(compose(name), tmp_path)
    record, model = done.record, folders[name]
    assert record.names["method"] == name
    assert (record.names["protocol"], record.names["options"]) == ("its own", "")
    assert record.model["name"] == record.model["weights"] == model.name
    assert record.model["sha256"] == compose(name).segmenter.provenance.sha256
    assert not record.random
    assert set(record.scores) == {"miou", "pixel_accuracy"}
    assert 0 < record.scores["pixel_accuracy"] < 1
    assert record.warnings == ["3 of the 200 images of the split"]
    assert rebuild(record.setting) == done.setting


def test_another_version_of_the_library_makes_a_record_invalid(compose, tmp_path, monkeypatch):
    """Records of models of the hub say which it was; those of others do not."""
    setting = compose("clipseg", "limit=1")
    record = run(setting, tmp_path).record
    packages = record.code["packages"]
    assert packages["transformers"] == transformers.__version__
    checked = check_setting(setting)
    assert find_record(checked, tmp_path) == (record, [])
    monkeypatch.setattr(provenance, "version", lambda _: "4.0")
    assert find_record(checked, tmp_path) is None
    assert provenance.packages_beside(compose_setting(["dataset=toy"])) == {}


@pytest.mark.parametrize("name", NAMES)
def test_points(name, compose, tmp_path):
    """The protocol decides: no background is asked for."""
    setting = compose(name, "dataset=toy_points")
    assert not setting.segmenter.decides
    record = run(setting, tmp_path).record
    assert 0 < record.scores["pmiou"] < 1
    assert record.names["protocol"] == name


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_are_said(name, compose, tmp_path):
    """In the record; no picture is drawn of them, and the report sets them apart."""
    setting = compose(name, "segmenter.weights=null")
    records = tmp_path / "records"
    record = run(setting, records).record
    assert record.random
    assert record.model["weights"] == "random, seed 0"
    assert record.warnings[0] == "RANDOM WEIGHTS: these scores mean nothing"
    assert draw_panels([setting], tmp_path)[0] == []
    build(records, tmp_path, tmp_path / "report", images=1)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "random weights" in page
    assert 'class="plain best"' not in page


@pytest.mark.parametrize("name", NAMES)
def test_the_batch_size_changes_nothing(name, compose):
    settings = [compose(name, f"batch_size={size}", "limit=4") for size in (1, 4)]
    first, second = (evaluate_all([one])[0].outcome for one in settings)
    counts = [torch.tensor(one.counts["matrix"]) for one in (first, second)]
    moved = (counts[0] - counts[1]).abs().sum() / 2
    assert moved <= 0.001 * counts[0].sum()  # near-ties
    assert counts[0].sum() == counts[1].sum()


@pytest.mark.parametrize(("name", "option"), [("groupvit", "background"), ("clipseg", "threshold")])
def test_thresholds_share_a_pass(name, option, compose, tmp_path):
    settings = [compose(name, f"segmenter.{option}={value}") for value in (0.2, 0.5, 0.95)]
    assert len(plan_passes(settings).passes) == 1
    shared = share_parts(settings)
    assert len({id(one.segmenter.network) for one in shared}) == 1
    found = run_sweep(settings, tmp_path)
    assert [one.error for one in found] == [None] * 3
    empty = [sum(row[0] for row in one.record.counts["matrix"]) for one in found]
    assert empty[0] < empty[1] <= empty[2]
    for setting, one in zip(settings, found, strict=True):
        assert evaluate_all([setting])[0].outcome.counts == one.record.counts


def test_models_are_unloaded_when_nobody_needs_them(compose):
    first, second, other = share_parts(
        [compose("groupvit"), compose("groupvit", "segmenter.background=0.2"), compose("clipseg")]
    )
    _ = first.segmenter.network.module
    unload_all([first], keep=[second])
    assert "module" in vars(second.segmenter.network)
    unload_all([first], keep=[other])
    assert "module" not in vars(second.segmenter.network)


def test_texts_are_kept_where_they_can_be(compose, monkeypatch, tmp_path):
    """GroupViT's are of unit length; CLIPSeg's are embedded each time."""
    monkeypatch.setenv("GEM_CACHE", str(tmp_path))
    for name, files in (("groupvit", 1), ("clipseg", 1)):
        first, second = (embed_text(compose(name)) for _ in range(2))
        assert torch.equal(first.text, second.text)
        assert len(list((tmp_path / "text").iterdir())) == files


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["groupvit", "dataset=voc"], ("groupvit", 448, 0.95)),
        (["groupvit", "dataset=context60"], ("groupvit", 448, 0.35)),
        (["groupvit", "dataset=coco_object"], ("groupvit", 448, 0.95)),
        (["groupvit", "dataset=ade20k"], ("groupvit", 448, None)),
        (["groupvit", "dataset=openimages"], ("groupvit", 448, None)),
        (["groupvit", "dataset=voc", "protocol=tcl"], ("tcl", 448, 0.95)),
        (["groupvit", "dataset=voc", "segmenter.background=null"], ("groupvit", 448, None)),
        (["clipseg", "dataset=voc"], ("clipseg", 352, 0.5)),
        (["clipseg", "dataset=voc20"], ("clipseg", 352, None)),
        (["clipseg", "dataset=voc", "protocol=gem", "short_side=224"], ("gem", 224, 0.5)),
    ],
    ids=str,
)
def test_defaults_by_data_set(words, expected):
    name, *others = words
    found = compose_setting([f"segmenter={name}", *others])
    own = found.segmenter
    rule = own.background if name == "groupvit" else own.threshold
    assert (found.protocol.name, found.protocol.resize.size, rule) == expected


def test_a_protocol_keeps_its_own_values():
    """The thresholds of the segmenters are not those of a protocol."""
    found = compose_setting(["segmenter=groupvit", "dataset=voc", "protocol=sclip"])
    assert (found.protocol.background, found.protocol.logit_scale) == (0.1, 65)


def test_prompts():
    for words, expected in (
        (["segmenter=groupvit"], "a photo of a {}."),
        (["segmenter=clipseg"], "{}"),
        (["segmenter=clipseg", "prompts=photo"], "a photo of a {}"),
    ):
        assert compose_setting(words).prompts.templates == (expected,)


def test_python_and_hydra_describe_alike():
    built = compose_setting(["segmenter=groupvit", "dataset=voc"])
    assert describe(built.segmenter) == describe(GroupVit(background=0.95))
    built = compose_setting(["segmenter=clipseg", "dataset=voc"])
    assert describe(built.segmenter) == describe(ClipSeg(threshold=0.5))
    assert describe(built.segmenter)["_target_"] == "gem.systems.ClipSeg"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("option", ["background=2", "threshold=-1", "weights=mine", "seed=-1"])
def test_wrong_values_fail_when_the_config_is_built(name, option):
    with pytest.raises(
        Exception, match=r"validation error|not in '|no such key|Could not override"
    ):
        compose_setting([f"segmenter={name}", f"segmenter.{option}"])


@pytest.mark.parametrize("name", NAMES)
def test_published_weights_that_are_not_there(name, monkeypatch, tmp_path):
    """One sentence, at once, before anything of the data is counted."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    setting = compose_setting([f"segmenter={name}", "dataset=toy", "limit=1"])
    with pytest.raises(ConnectionError) as caught:
        check_setting(setting)
    said = str(caught.value)
    assert said.startswith(f"{setting.segmenter.model} is not on this machine and https://")
    assert "HF_HUB_OFFLINE is set" in said
    assert "segmenter.model=FOLDER, or segmenter.weights=null" in said
    assert "\n" not in said
    (obstacle,) = find_obstacles([setting]).values()  # in a table: once
    assert obstacle.short.startswith("needs weights: ")
    assert ";" not in obstacle.short


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_of_a_known_name(name):
    """No file is needed; nothing is built to check it and to say what it is."""
    setting = compose_setting([f"segmenter={name}", "segmenter.weights=null", "dataset=toy"])
    checked = check_setting(replace(setting, limit=1))
    assert checked.warnings[0] == "RANDOM WEIGHTS: these scores mean nothing"
    assert checked.names["model"] == setting.segmenter.model.partition("/")[2]
    assert setting.segmenter.patch == 16
    assert "module" not in vars(setting.segmenter.network)


def test_without_transformers(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    setting = compose_setting(["segmenter=groupvit", "segmenter.weights=null", "dataset=toy"])
    with pytest.raises(ValueError) as caught:
        check_setting(setting)
    assert str(caught.value) == (
        "segmenter: the package transformers is not installed; pip install 'gem-bench[systems]' "
        "gets it"
    )


def test_predictions_can_be_saved(compose, tmp_path):
    """And evaluated again as files: the same labels."""
    config = compose_config([f"output={tmp_path}/records", f"predictions={tmp_path}/saved"])
    output = replace(output_options(config), save="predictions")
    setting = compose("groupvit")
    own = find_or_run(setting, output).record
    (folder,) = (tmp_path / "saved").iterdir()
    words = ["segmenter=predictions", f"segmenter.root={folder}", "dataset=toy", "limit=3"]
    files = run(compose_setting(words), tmp_path / "files").record
    assert files.scores["miou"] == own.scores["miou"]
