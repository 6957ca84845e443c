"""Many settings in as few passes as can be, each as if it were alone."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from drawn import Noise, setting_of, with_backbone, with_method

from evaluation.measure import decision
from evaluation.records.checked import check_setting
from evaluation.records.record import read_record
from evaluation.run.job import run
from evaluation.run.passes import features_size, plan_passes
from evaluation.run.sweep import run_sweep
from gem.backbones import OpenClip
from gem.methods import Clip, ClipSurgery, Gem
from gem.patches import Patches
from gem.resize import ShortSide
from gem.windows import SlidingWindow

NUMBERS = ("key", "names", "setting", "scores", "per_class", "counts", "images", "hashes")


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small, limit=3)


def numbers(record):
    return [getattr(record, name) for name in NUMBERS]


def varied(setting):
    """Methods that share everything, some and nothing of their readouts; other decisions; data."""
    methods = [
        Gem(iters=2, blocks=5), Clip(), Gem(), Gem(blocks=2), Gem(projections=("q", "k")),
        Gem(iters=0, normalize=False, temperature="standard", projections=("v",)),
        ClipSurgery(blocks=3), Gem(temperature_scale=10.0), Gem(mlp=True), Gem(iters=2),
    ]  # fmt: skip
    yield from (with_method(setting, method) for method in methods)
    yield replace(setting, protocol=replace(setting.protocol, background=0.3))
    yield replace(setting, dataset=Noise(background=False))


def test_records_are_those_of_settings_alone(setting, tmp_path):
    settings = list(varied(setting))
    found = run_sweep(settings, tmp_path / "together")
    assert [done.setting for done in found] == settings
    for one, done in zip(settings, found, strict=True):
        assert (done.error, done.skipped) == (None, False)
        assert numbers(done.record) == numbers(run(one, tmp_path / "alone").record)
        assert read_record(done.path) == done.record
    assert len({str(done.record.counts) for done in found}) >= len(settings) - 1


def test_settings_of_one_backbone_and_data_share_a_pass(setting, seen, tmp_path):
    settings = [
        with_method(setting, Gem(iters=iters, temperature_scale=scale), dataset=data)
        for data, iters, scale in product([Noise(), Noise(order=(4, 5, 6))], range(3), [0.5, 2.0])
    ]
    run_sweep(settings, tmp_path)
    assert sum(seen) == 2 * 3


def test_what_cannot_share_a_pass_has_its_own(setting, small):
    rules = setting.protocol
    others = [
        setting,
        replace(setting, protocol=replace(rules, resize=ShortSide(size=48))),
        replace(setting, protocol=replace(rules, windows=SlidingWindow(size=24, stride=16))),
        replace(setting, limit=2),
        with_backbone(setting, replace(small, precision="bf16")),
        replace(setting, dataset=Noise(order=(3, 4))),
        with_method(setting, Clip()),
        replace(setting, protocol=replace(rules, logit_scale=1.0)),
    ]
    assert [one.places for one in plan_passes(others).passes] == [
        (0, 6, 7),
        (1,),
        (2,),
        (3,),
        (4,),
        (5,),
    ]


def test_a_group_that_does_not_fit_is_chunked(setting):
    methods = [Gem(iters=iters) for iters in (2, 0, 1, 3, 0)]
    settings = [with_method(setting, method) for method in methods]
    found = plan_passes(settings, memory=3 * features_size(setting))
    assert [one.places for one in found.passes] == [(0, 1, 2, 4), (3,)]  # two are the same method
    assert str(found).splitlines() == [
        "5 settings in 1 group, 2 passes over data",
        "  4 settings on noise (part 1 of 2)",
        "  gem on noise (part 2 of 2)",
    ]
    assert len(plan_passes(settings, memory=1).passes) == 4  # one method is always tried


def test_the_plan_is_printed_before(setting, tmp_path, capsys):
    run_sweep([setting, with_method(setting, Clip())], tmp_path)
    assert capsys.readouterr().out.startswith("2 settings in 1 group, 1 pass over data\n")


def test_equal_settings_are_evaluated_once(setting, seen, tmp_path):
    one, other = run_sweep([setting, replace(setting, batch_size=2)], tmp_path)
    assert one.record == other.record
    assert other.setting.batch_size == 2
    assert sum(seen) == 3


def failing(setting):
    rules = setting.protocol
    gone = OpenClip(model=setting.segmenter.backbone.model, weights="/no/such.pt", quick_gelu=False)
    return {
        "blocks=9: the tower has": with_method(setting, Gem(blocks=9)),
        "protocol.background is null": replace(setting, protocol=replace(rules, background=None)),
        "vocabulary.words has 1": replace(
            setting, vocabulary=replace(setting.vocabulary, words=("one",))
        ),
        "0.jpg cannot be read": replace(setting, dataset=Noise(broken="0")),
        "protocol.tuned=/no/such.json is not": replace(
            setting, protocol=replace(rules, tuned="/no/such.json")
        ),
        "backbone.weights=/no/such.pt": with_backbone(setting, gone),
    }


def test_what_fails_does_not_stop_the_others(setting, tmp_path):
    wrong = failing(setting)
    good = [setting, with_method(setting, Clip())]
    found = run_sweep([good[0], *wrong.values(), good[1]], tmp_path)
    for sentence, done in zip(wrong, found[1:-1], strict=True):
        assert done.error.startswith(sentence)
        assert (done.record, done.path, done.skipped) == (None, None, False)
    for one, done in zip(good, (found[0], found[-1]), strict=True):
        assert numbers(done.record) == numbers(run(one, tmp_path / "alone").record)


def test_what_all_share_fails_all_of_them(setting, tmp_path):
    broken = replace(setting, dataset=Noise(broken="2"))
    found = run_sweep([broken, with_method(broken, Clip()), setting], tmp_path)
    sentence = "2.jpg cannot be read as an image: it is broken"
    assert [done.error for done in found[:2]] == [sentence, sentence]
    assert found[2].record


def test_a_pass_without_memory_does_not_stop_the_next(setting, tmp_path, monkeypatch):
    encode = Patches.encode_together

    def short_of_memory(self, segmenters, images, *, windows):
        if images.shape[2:] == (40, 40):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB")
        return encode(self, segmenters, images, windows=windows)

    monkeypatch.setattr(Patches, "encode_together", short_of_memory)
    large = replace(setting, protocol=replace(setting.protocol, resize=ShortSide(size=48)))
    found = run_sweep([setting, with_method(setting, Clip()), large], tmp_path)
    said = f"batch_size={setting.batch_size}: the device has too little memory for a batch of"
    assert [done.error[: len(said)] for done in found[:2]] == [said, said]
    assert found[2].record


def test_the_speed_of_a_shared_pass_is_not_that_of_a_setting(setting, tmp_path):
    alone = run(setting, tmp_path / "alone").record
    assert alone.images_per_second > 0
    both = run_sweep([setting, with_method(setting, Clip())], tmp_path / "together")
    assert [done.record.images_per_second for done in both] == [None, None]
    assert both[0].record.cost["settings_in_pass"] == 2


def test_decisions_on_the_same_maps_share_them(setting, tmp_path, monkeypatch):
    rules, sizes, upsample = setting.protocol, [], decision.upsample

    def counted(maps, size, rows):
        sizes.append(size)
        return upsample(maps, size, rows)

    monkeypatch.setattr(decision, "upsample", counted)
    thresholds = [replace(rules, background=share) for share in (0.3, 0.6, 0.9)]
    settings = [
        replace(setting, protocol=one) for one in (*thresholds, replace(rules, min_max=True))
    ]
    together = run_sweep(settings, tmp_path / "together")
    assert len(sizes) == 3 * 3  # three images: as they are, for their extremes, and scaled
    for one, done in zip(settings, together, strict=True):
        assert numbers(done.record) == numbers(run(one, tmp_path / "alone").record)
    assert len({done.record.scores["miou"] for done in together}) == 4


def test_a_backbone_is_loaded_once_and_unloaded(setting, folder, tmp_path):
    """Settings that were composed one by one have a backbone each."""
    named = {"model": str(folder), "weights": "embedded", "device": "cpu"}
    coarse = with_backbone(setting, OpenClip(**named, precision="bf16"))
    fine = [with_method(with_backbone(setting, OpenClip(**named)), m) for m in (Clip(), Gem())]
    found = run_sweep([coarse, *fine], tmp_path)
    assert found[1].setting.segmenter.backbone is found[2].setting.segmenter.backbone
    loaded = ["towers" in vars(one.segmenter.backbone) for one in (coarse, *fine)]
    assert loaded == [False, True, False]  # the first is let go, the last was never asked


def test_the_key_is_known_before_the_model_is_built(setting, folder):
    fresh = OpenClip(model=str(folder), weights="embedded", device="cpu")
    known = check_setting(with_backbone(setting, fresh))
    assert "towers" not in vars(fresh)
    assert known.key == check_setting(setting).key
    assert known.hashes == check_setting(setting).hashes


def test_depths_share_their_updates(small, images, monkeypatch):
    trace = small.trace(images, keep=5)
    written = []
    for layer in trace.layers:
        write = layer.write
        monkeypatch.setattr(
            layer, "write", lambda heads, write=write: written.append(1) or write(heads)
        )
    alone = [Gem(blocks=blocks)(small.trace(images, keep=5)) for blocks in range(1, 6)]
    shared = [Gem(blocks=blocks)(trace) for blocks in range(1, 6)]
    assert len(written) == 5
    assert all(torch.equal(one, other) for one, other in zip(alone, shared, strict=True))


def test_decisions_on_the_same_maps_share_every_band(setting, tmp_path, monkeypatch):
    """Settings take turns band by band: each band is upsampled once for all of them."""
    bands, upsample = [], decision.upsample
    monkeypatch.setattr(decision, "BAND", 700)
    monkeypatch.setattr(
        decision, "upsample", lambda *given: bands.append(given[2]) or upsample(*given)
    )
    rules = setting.protocol
    settings = [
        replace(setting, protocol=replace(rules, background=share)) for share in (0.3, 0.6, 0.9)
    ]
    run(settings[0], tmp_path / "one")
    alone = len(bands)
    assert alone > 3 * 10
    bands.clear()
    together = run_sweep(settings, tmp_path / "together")
    assert len(bands) == alone
    assert len({done.record.scores["miou"] for done in together}) == 3
