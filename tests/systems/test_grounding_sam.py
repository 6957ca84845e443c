"""Grounding-SAM: boxes of words, masks of boxes, and the higher score where they overlap."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from small_sams import save_detector, save_sam, save_sam2

from evaluation.data.card import load_card
from evaluation.launch import MISTAKES, compose_setting, sentence
from evaluation.measure.decision import label_map
from evaluation.measure.evaluate import evaluate, evaluate_all
from evaluation.records.rebuild import rebuild
from evaluation.setting.identity import describe
from evaluation.setting.sharing import bare, share_parts
from gem import Grounder, ShortSide
from gem.segmenter import EncodedImage, Segmenter
from gem.systems import GroundingDino, GroundingSam, Sam, grounded
from gem.systems.grounding_dino import Boxes
from gem.vocabulary import Prompts, Vocabulary

SIDES = {"short_side": 128, "long_side": 256}
RESIZE = ShortSide(size=40)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    found = {"sam": save_sam(root / "sam"), "sam2": save_sam2(root / "sam2")}
    return found | {"detector": save_detector(root / "detector")}


@pytest.fixture(scope="module")
def system(folders):
    return GroundingSam(
        detector=GroundingDino(model=str(folders["detector"]), device="cpu", **SIDES),
        sam=Sam(model=str(folders["sam"]), device="cpu"),
    )


@pytest.fixture
def calls(monkeypatch):
    """What each model is asked from now on."""
    found = {"find": [], "see": [], "of_boxes": []}
    for owner, name in ((GroundingDino, "find"), (Sam, "see"), (Sam, "of_boxes")):
        _count(monkeypatch, owner, name, found[name])
    return found


def _count(monkeypatch, owner, name, found):
    inner = getattr(owner, name)
    monkeypatch.setattr(
        owner, name, lambda self, one, *more: found.append((one, *more)) or inner(self, one, *more)
    )


def noise(height, width, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height))


def asked(system, *words):
    vocabulary = Vocabulary(names=words, words=words)
    return vocabulary.with_text(system.embed(vocabulary, Prompts(templates=("a {}",))))


def encode(system, *images):
    batch = torch.stack([system.prepare(one, resize=RESIZE) for one in images])
    (found,) = system.encode_together([system], batch, windows=None)
    return found


def found_boxes(monkeypatch, corners, scores):
    """Let the detector find these boxes, whatever it is asked."""
    boxes = Boxes(torch.tensor(corners).float().view(-1, 4), torch.tensor(scores).float())
    monkeypatch.setattr(GroundingDino, "find", lambda *_: boxes)


@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_the_scores_are_those_of_the_rule(system, folders, kind, monkeypatch):
    """A naive reading, with masks that the model makes for each box alone."""
    monkeypatch.setattr(grounded, "PROMPTS", 3)
    sam = Sam(model=str(folders[kind]), device="cpu")
    one = replace(system, sam=sam, box_threshold=0.3, text_threshold=0.4)
    random = np.random.default_rng(0)
    corners = [[x, y, x + 40, y + 30] for x, y in random.integers(0, 70, (12, 2)).tolist()]
    scores = random.random((12, 3)).round(3)
    scores[3] = [0.35, 0.1, 0.2]  # over the one threshold only
    scores[4] = [0.2, 0.25, 0.29]
    found_boxes(monkeypatch, corners, scores)
    (encoded,) = encode(one, noise(100, 120))
    queries = asked(one, "cat", "dog", "sky")
    maps = encoded.scores(queries)
    expected = torch.zeros(3, 100, 120)
    with torch.inference_mode():
        seen = sam.see(one.prepare(noise(100, 120), resize=RESIZE))
        for box, row in zip(corners, scores.tolist(), strict=True):
            best = max(range(3), key=row.__getitem__)
            if row[best] > 0.4:
                low, _ = sam.of_boxes(seen, torch.tensor([box]).float())
                mask = seen.canvas.at_image(low)[0, 0] > 0
                expected[best] = torch.where(
                    mask, expected[best].clamp_min(row[best]), expected[best]
                )
    assert expected.any()
    torch.testing.assert_close(maps, expected)


def masks_are_boxes(monkeypatch):
    """Let each mask be its box."""

    def masks(self, corners):
        found = torch.zeros(len(corners), *self.asked.size, dtype=torch.bool)
        for mask, (left, top, right, bottom) in zip(found, corners.long().tolist(), strict=True):
            mask[top:bottom, left:right] = True
        return found

    monkeypatch.setattr(grounded.GroundedImage, "_masks", masks)


def test_where_masks_overlap_the_higher_score_wins(system, monkeypatch):
    masks_are_boxes(monkeypatch)
    found_boxes(
        monkeypatch,
        [[0, 0, 4, 4], [2, 2, 6, 6], [3, 0, 5, 6], [7, 7, 9, 9]],
        [[0.5, 0.1], [0.1, 0.7], [0.6, 0.2], [0.25, 0.2]],  # the last is not over 0.25
    )
    (encoded,) = encode(system, noise(10, 12))
    setting = compose_setting(["dataset=toy"])
    labels = label_map(
        encoded, asked(system, "cat", "dog"), setting.protocol, (10, 12), background=True
    )
    expected = torch.zeros(10, 12, dtype=torch.int64)
    expected[0:4, 0:4] = 1
    expected[0:6, 3:5] = 1
    expected[2:6, 2:6] = 2
    assert torch.equal(labels, expected)


def test_without_a_box_nothing_is_shown_and_sam_rests(system, calls):
    none = replace(system, box_threshold=1.0)
    (encoded,) = encode(none, noise(60, 50))
    queries = asked(none, "cat", "dog")
    assert torch.equal(encoded.scores(queries), torch.zeros(2, 60, 50))
    assert torch.equal(encoded.nothing(queries), torch.zeros(60, 50))
    assert (len(calls["find"]), len(calls["see"])) == (1, 0)


def test_every_promise_of_the_seam(system):
    (encoded,) = encode(system, noise(60, 50))
    for promise, one in ((Segmenter, system), (EncodedImage, encoded)):
        names = [name for name in vars(promise) if not name.startswith("_")]
        assert all(hasattr(one, name) for name in names)
    assert encoded.labels is encoded.pixels is None
    assert system.decides
    assert system.features_bytes((448, 600), None) > 3 * 448 * 600
    queries = asked(system, "cat")
    assert queries.text.shape == (1, 0)
    assert encoded.scores(queries).shape == (1, 60, 50)


def test_the_image_is_given_as_it_is(system):
    image = noise(33, 47)
    prepared = system.prepare(image, resize=RESIZE)
    assert prepared.dtype == torch.uint8
    assert np.array_equal(prepared.permute(1, 2, 0).numpy(), np.asarray(image))


def test_settings_of_a_pass_share_what_the_models_find(system, calls):
    others = [replace(system, box_threshold=value) for value in (0.25, 0.5, 0.9, 0.9999)]
    assert len({one.pass_key for one in others}) == 1
    batch = torch.stack([system.prepare(noise(60, 50), resize=RESIZE)])
    queries = asked(system, "cat", "dog")
    found = system.encode_together(others, batch, windows=None)
    maps = [one.scores(queries) for (one,) in found]
    assert (len(calls["find"]), len(calls["see"])) == (1, 1)
    for one, expected in zip(others, maps, strict=True):
        ((alone,),) = one.encode_together([one], batch, windows=None)
        assert torch.equal(alone.scores(queries), expected)
    assert not torch.equal(maps[0], maps[-1])


def test_many_classes_are_all_asked(system, calls):
    """150 of ADE20K, in prompts of the 40 tokens that the small model reads."""
    words = load_card("ade20k").classes
    (encoded,) = encode(system, noise(60, 50))
    maps = encoded.scores(asked(system, *words))
    assert maps.shape == (150, 60, 50)
    assert len({int(one) for one in maps.argmax(dim=0).unique()}) > 1
    assert len(calls["find"]) == len(calls["see"]) == 1
    assert max(len(boxes) for _, boxes in calls["of_boxes"]) <= grounded.PROMPTS


def words(folders, *more):
    return [
        "segmenter=grounding_sam", f"segmenter.detector.model={folders['detector']}",
        f"segmenter.sam.model={folders['sam']}", "segmenter.sam.device=cpu",
        "segmenter.detector.device=cpu", "segmenter.detector.short_side=128",
        "segmenter.detector.long_side=256", "dataset=toy", "limit=3", *more,
    ]  # fmt: skip


def test_whole_runs(folders):
    setting = compose_setting(words(folders, "batch_size=4"))
    first = evaluate(setting)
    assert evaluate(replace(setting, batch_size=1)).outcome == first.outcome
    assert first.images == 3
    others = [compose_setting(words(folders, f"segmenter.box_threshold={x}")) for x in (0.9, 1)]
    settings = share_parts([setting, *others])
    found = evaluate_all(settings)
    assert [one.settings for one in found] == [3, 3, 3]
    assert found[0].outcome == first.outcome
    assert rebuild(describe(setting)) == bare(setting) == setting


def test_each_image_of_points_is_asked_for_its_own_classes(folders, calls):
    setting = compose_setting(words(folders, "dataset=toy_points"))
    assert {one.name for one in evaluate(setting).outcome.scores} >= {"pmiou"}
    assert len(calls["find"]) == 3
    assert {len(asked) for _, asked in calls["find"]} <= {1, 2, 3, 4}


def test_it_grounds_words_as_any_segmenter(system):
    maps = Grounder(system, RESIZE).heatmaps(noise(60, 50), ["A cat", "a dog"])
    assert maps.shape == (2, 60, 50)


def test_how_it_is_called(system):
    assert system.variant == "detector=detector sam=sam"
    usual = GroundingSam(detector=GroundingDino(), sam=Sam(), box_threshold=0.35)
    assert usual.variant == "box_threshold=0.35"
    assert system.provenance.companion == system.sam.provenance
    untrained = replace(system, sam=replace(system.sam, weights=None))
    assert untrained.provenance.random
    assert not system.provenance.random


def test_models_are_shared_and_freed(system):
    other = replace(system, detector=replace(system.detector), box_threshold=0.5)
    held = {}
    one, two = system.sharing(held), other.sharing(held)
    assert one.detector is two.detector
    assert one.models == (one.detector, one.sam)
    _ = one.detector.module, one.sam.module
    one.unload(keep=[one.sam])
    assert "module" not in vars(one.detector)
    assert "module" in vars(one.sam)


def test_what_would_fail_later_is_said_at_once(folders, monkeypatch):
    setting = compose_setting(words(folders))
    setting.segmenter.check(setting.ids)
    for more, said in {
        "segmenter.detector.model=/no/such": "segmenter.detector.model=/no/such: neither a folder",
        "segmenter.sam.model=facebook/sam-vit-huge": "facebook/sam-vit-huge is not on this machine",
        f"segmenter.sam.model={folders['detector']}": f"{folders['detector']}/config.json is of a",
    }.items():
        with pytest.raises(MISTAKES) as error:
            compose_setting(words(folders, more)).segmenter.check(())
        assert sentence(error.value).startswith(said)
    for more, said in {
        "segmenter.box_threshold=2": "segmenter.box_threshold=2: input should be less than",
        "backbone=tiny": "backbone=tiny: the segmenter gem.systems.GroundingSam has no backbone",
    }.items():
        with pytest.raises(MISTAKES) as error:
            compose_setting(words(folders, more))
        assert sentence(error.value).startswith(said)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"^segmenter\.detector: the package transformers is not"):
        compose_setting(words(folders)).segmenter.check(())
