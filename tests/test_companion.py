"""A second tower beside CLIP's: one pass for all who want it, and in every record."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from companions import companion_of, write_companion, write_folder
from drawn import setting_of, with_method

from evaluation.data import Toy
from evaluation.records.checked import check_setting
from evaluation.records.rebuild import rebuild
from evaluation.records.record import read_record
from evaluation.records.warnings import warnings_of
from evaluation.run.passes import features_size, plan_passes
from evaluation.run.rerun import differences, rerun
from evaluation.run.rerun import setting_of as setting_of_record
from evaluation.run.sweep import run_sweep
from evaluation.setting.identity import describe
from evaluation.setting.sharing import share_parts
from gem import Clip, Gem, MaskClip, OpenClip, Patches, ProxyClip, SlidingWindow, TimmVit
from gem.provenance import Provenance
from gem.vocabulary import Queries

SLIDING = SlidingWindow(size=24, stride=16)
RANDOM = "RANDOM WEIGHTS: these scores mean nothing"


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return write_companion(tmp_path_factory.mktemp("timm") / "vit", init_values=0.5)


@pytest.fixture
def proxy(vit):
    return ProxyClip(companion=companion_of(vit))


@pytest.fixture
def setting(small, proxy):
    return setting_of(small, method=proxy, limit=2)


@pytest.fixture
def passes(monkeypatch):
    """The companion of each pass of one, and how many images it saw."""
    found, trace = [], TimmVit.trace
    monkeypatch.setattr(
        TimmVit,
        "trace",
        lambda self, images, keep: found.append((self, len(images))) or trace(self, images, keep),
    )
    return found


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("windows", [None, SLIDING])
def test_together_is_bit_for_bit_alone(windows, small, vit, proxy, images):
    other = ProxyClip(companion=companion_of(vit, weights=None, seed=5))
    methods = [proxy, Gem(), replace(proxy, scale=9.0), MaskClip(), other]
    segmenters = [Patches(backbone=small, method=method) for method in methods]
    together = segmenters[0].encode_together(segmenters, images, windows=windows)
    for segmenter, found in zip(segmenters, together, strict=True):
        alone = segmenter.encode(images, windows=windows)
        for one, same in zip(found, alone, strict=True):
            assert torch.equal(one.features, same.features)


def test_one_pass_of_the_companion_a_window_for_all_who_want_it(small, vit, images, passes, seen):
    methods = [ProxyClip(companion=companion_of(vit), scale=scale) for scale in (1.0, 2.0, 3.0)]
    segmenters = [Patches(backbone=small, method=method) for method in (*methods, Clip())]
    segmenters[0].encode_together(segmenters, images, windows=SLIDING)
    assert seen == [3] * 4
    assert [count for _, count in passes] == [3] * 4
    assert len({id(companion) for companion, _ in passes}) == 1


def test_who_wants_no_companion_pays_for_none(small, images, passes):
    Patches(backbone=small, method=Clip()).encode(images)
    assert passes == []


@pytest.mark.parametrize(("windows", "shape"), [(None, (1, 10, 14, 24)), (SLIDING, (4, 6, 6, 24))])
def test_features_lie_on_the_companions_grid(windows, shape, small, proxy):
    """Patches of 4 pixels beside those of 8, and the estimate of memory knows it."""
    segmenter = Patches(backbone=small, method=proxy)
    size = (40, 56) if windows is None else (40, 40)
    (encoded,) = segmenter.encode(noise(1, 3, *size), windows=windows)
    assert encoded.features.shape == shape
    assert segmenter.features_bytes(size, windows) == encoded.features.numel() * 4
    queries = Queries(small.embed(["a cat"]), owners=(0,), background=False, words=("a cat",))
    assert encoded.scores(queries).shape == (1, *(shape[1:3] if windows is None else size))


def test_both_towers_are_checked_before_anything_is_loaded(small, tmp_path):
    class Deep(ProxyClip):
        def reads_beside(self, depth):
            raise ValueError(f"the companion has {depth} blocks")

    companion = TimmVit(model=str(write_folder(tmp_path / "vit")), weights="no such tag")
    with pytest.raises(ValueError, match=r"^the companion has 3 blocks$"):
        Patches(backbone=small, method=Deep(companion=companion)).check([])
    assert "tower" not in vars(companion)


def test_a_companion_that_is_not_known_is_refused(small):
    unknown = ProxyClip(companion=TimmVit(model="vit_base_patch8"))
    with pytest.raises(ValueError, match=r"^companion\.model=vit_base_patch8: neither a folder"):
        Patches(backbone=small, method=unknown).check([])


def test_equal_companions_become_one_object_and_are_unloaded(setting, vit, folder):
    """Of settings that were composed one by one, whatever comes between them."""
    named = {"model": str(folder), "weights": "embedded", "device": "cpu"}
    methods = [
        Clip(), ProxyClip(companion=companion_of(vit)), ProxyClip(companion=companion_of(vit)),
        ProxyClip(companion=companion_of(vit, precision="bf16")),
    ]  # fmt: skip
    settings = [
        replace(setting, segmenter=Patches(backbone=OpenClip(**named), method=method))
        for method in methods
    ]
    shared = [one.segmenter for one in share_parts(settings)]
    assert [describe(one.segmenter) for one in settings] == [describe(one) for one in shared]
    assert len({id(one.backbone) for one in shared}) == 1
    first, second, third = (one.method.companion for one in shared[1:])
    assert first is second is not third
    _ = first.tower, shared[1].backbone.towers
    shared[2].unload(keep=shared[0].models)  # a pass of the backbone without a companion follows
    assert "tower" not in vars(first)
    assert "towers" in vars(shared[0].backbone)
    shared[2].unload()
    assert "towers" not in vars(shared[0].backbone)


def test_a_sweep_loads_one_companion_and_lets_it_go(setting, vit, folder, tmp_path, passes):
    named = {"model": str(folder), "weights": "embedded", "device": "cpu"}
    methods = [
        Clip(),
        *(ProxyClip(companion=companion_of(vit), scale=scale) for scale in (2.0, 3.0)),
    ]
    settings = [
        replace(setting, segmenter=Patches(backbone=OpenClip(**named), method=method))
        for method in methods
    ]
    later = replace(setting.segmenter, backbone=OpenClip(**named, precision="bf16"), method=Clip())
    found = run_sweep([*settings, replace(setting, segmenter=later)], tmp_path)
    assert [one.error for one in found] == [None] * 4
    assert sum(count for _, count in passes) == 2
    (companion,) = {id(one): one for one, _ in passes}.values()
    assert "tower" not in vars(companion)


def test_a_pass_counts_the_memory_of_each_method(setting):
    """The companion's patches are four times as many."""
    plain, fine = with_method(setting, Clip()), setting
    assert features_size(fine) > 3 * features_size(plain)
    memory = features_size(fine) + features_size(plain)
    settings = [
        with_method(setting, method) for method in (Clip(), MaskClip(), fine.segmenter.method)
    ]
    found = plan_passes(settings, memory=memory)
    assert [one.places for one in found.passes] == [(0, 1), (2,)]
    assert len(plan_passes(settings, memory=memory + features_size(plain)).passes) == 1


def test_a_record_shows_both_models(setting, vit, tmp_path):
    setting = replace(setting, dataset=Toy())
    (done,) = run_sweep([setting], tmp_path)
    record, own = read_record(done.path), setting.segmenter.method.companion.provenance
    assert record.model["name"] != record.model["companion"] == "vit"
    assert record.model["companion_weights"] == "embedded"
    assert record.model["companion_sha256"] == record.hashes["companion"] == own.sha256
    assert record.hashes["companion_model"] == own.config
    assert record.names["options"] == "companion=vit"
    assert rebuild(record.setting) == done.setting
    copy = tmp_path / "copy.safetensors"
    shutil.copy(vit / "model.safetensors", copy)
    again = rerun(setting_of_record(record, {"method.companion.weights": str(copy)}))
    assert differences(record, again) == []
    (other,) = run_sweep([setting], tmp_path)
    assert other.skipped


def test_a_record_without_a_companion_is_as_it_was(setting, tmp_path):
    (done,) = run_sweep([with_method(setting, Clip())], tmp_path)
    assert not [key for key in (*done.record.model, *done.record.hashes) if "companion" in key]
    assert list(done.record.hashes) == [
        "weights", "vocabulary", "protocol", "samples", "data", "code", "model"
    ]  # fmt: skip


def test_keys_are_of_the_companions_weights_and_not_of_their_path(setting, vit, tmp_path):
    def checked(**changes):
        return check_setting(
            with_method(setting, ProxyClip(companion=companion_of(vit, **changes)))
        )

    copy, other = tmp_path / "copy.safetensors", tmp_path / "other"
    shutil.copy(vit / "model.safetensors", copy)
    shutil.copytree(vit, other / "vit")
    assert checked().key == checked(weights=str(copy)).key == checked(device="auto").key
    assert len({checked(**one).key for one in ({}, {"weights": None}, {"precision": "bf16"})}) == 3
    config = json.loads((other / "vit/config.json").read_text())
    config["pretrained_cfg"]["mean"] = [0.0, 0.0, 0.0]
    (other / "vit/config.json").write_text(json.dumps(config))
    assert checked(model=str(other / "vit")).hashes != checked().hashes


def test_a_random_companion_means_nothing(setting, vit):
    random = with_method(setting, ProxyClip(companion=companion_of(vit, weights=None)))
    assert warnings_of(random)[0] == RANDOM
    assert RANDOM not in warnings_of(setting)
    assert random.segmenter.text_key == setting.segmenter.text_key is not None
    known, unknown = Provenance("a", "b", "c"), Provenance("a", "b", None)
    assert not known.random
    assert replace(known, companion=unknown).random
    assert not replace(known, companion=known).random


def test_what_is_no_companion_is_refused(setting):
    description = describe(setting)
    description["segmenter"]["method"]["companion"] = {"_target_": "gem.Clip"}
    with pytest.raises(
        ValueError, match=r"^gem\.ProxyClip: companion: expected a companion, found"
    ):
        rebuild(description)
