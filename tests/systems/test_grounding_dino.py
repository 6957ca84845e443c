"""Grounding DINO: what it sees, how words are asked, and which box is whose."""

import json
import shutil
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from small_sams import save_detector, save_sam

from evaluation.data.card import load_card
from gem.hub.stand_in_words import stand_in_tokenizer
from gem.systems import GroundingDino
from gem.systems.imagenet import as_tensor, normalised, resized
from gem.systems.phrases import Prompt, prompts_of

SIDES = {"short_side": 128, "long_side": 200}
ROOM = 40  # tokens that the small detector reads


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_detector(tmp_path_factory.mktemp("models") / "detector")


@pytest.fixture(scope="module")
def detector(folder):
    return GroundingDino(model=str(folder), device="cpu", **SIDES)


@pytest.fixture(scope="module")
def tokenizer():
    return stand_in_tokenizer(1200)


def noise(height, width):
    drawn = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize((width, height))


def test_it_sees_an_image_as_large_as_the_library_makes_it():
    from transformers.image_transforms import get_size_with_aspect_ratio

    random, model = np.random.default_rng(0), GroundingDino()
    sizes = [tuple(one) for one in random.integers(1, 3000, (3000, 2)).tolist()]
    sizes += [(800, 900), (900, 800), (800, 800), (800, 2000), (375, 500), (500, 375), (480, 640)]
    for height, width in sizes:
        expected = get_size_with_aspect_ratio((height, width), 800, 1333)
        assert model.size_of(height, width) == tuple(max(one, 1) for one in expected)


@pytest.mark.parametrize("size", [(100, 146), (146, 100), (64, 64), (300, 301), (60, 200)])
def test_it_sees_what_the_processor_makes(size):
    image = noise(*size)
    model = GroundingDino(**SIDES)
    processor = transformers.GroundingDinoImageProcessor(
        size={"shortest_edge": 128, "longest_edge": 200}
    )
    expected = processor(image, return_tensors="pt")["pixel_values"][0]
    found = normalised(resized(as_tensor(image), model.size_of(*size)))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_a_prompt_is_what_the_library_makes_of_the_words(folder, tokenizer):
    own = transformers.BertTokenizer.from_pretrained(folder)
    processor = transformers.GroundingDinoProcessor(transformers.GroundingDinoImageProcessor(), own)
    words = ["A cat", "pottedplant", "tv/monitor"]
    expected = processor(text=[words], return_tensors="pt")["input_ids"]
    (prompt,) = prompts_of(words, tokenizer, 100, "x")
    assert torch.equal(prompt.ids, expected)
    letters = tokenizer.convert_ids_to_tokens
    found = ["".join(letters(prompt.tokens[span])).replace("##", "") for _, span in prompt.spans]
    assert found == ["acat", "pottedplant", "tv/monitor"]


def test_words_that_do_not_fit_go_into_further_prompts(tokenizer):
    words = load_card("ade20k").classes
    assert len(words) == 150
    prompts = prompts_of(words, tokenizer, 256, "x")
    assert len(prompts) > 2
    assert all(len(one.tokens) <= 256 for one in prompts)
    assert [place for one in prompts for place, _ in one.spans] == list(range(150))
    for one, following in pairwise(prompts):
        first = following.spans[0][1]
        assert len(one.tokens) + (first.stop - first.start) + 1 > 256  # it did not fit any more
    for one in prompts:
        assert (one.tokens[0], one.tokens[-2], one.tokens[-1]) == (101, 1012, 102)
        for place, span in one.spans:
            own = tokenizer(words[place].replace(".", " "), add_special_tokens=False)["input_ids"]
            assert list(one.tokens[span]) == own
            assert one.tokens[span.stop] == 1012


def test_no_word_has_an_end_of_a_phrase_inside(tokenizer):
    (prompt,) = prompts_of(["st. bernard?", "dog"], tokenizer, ROOM, "x")
    (_, first), _ = prompt.spans
    assert not {101, 102, 1012, 1029} & {*prompt.tokens[first]}
    (plain,) = prompts_of(["st bernard", "dog"], tokenizer, ROOM, "x")
    assert prompt.tokens == plain.tokens


def test_words_that_cannot_be_asked(tokenizer):
    with pytest.raises(ValueError, match=r"^segmenter\.detector: the word '\?' has no letters for"):
        prompts_of(["cat", "?"], tokenizer, ROOM, "segmenter.detector")
    prompts_of(["a" * (ROOM - 3)], tokenizer, ROOM, "x")
    with pytest.raises(ValueError, match=r"has 38 tokens, the text tower reads 37$"):
        prompts_of(["a" * (ROOM - 2)], tokenizer, ROOM, "x")


def test_the_score_of_a_word_is_that_of_its_best_token():
    prompt = Prompt((101, 5, 6, 1012, 7, 1012, 102), ((1, slice(1, 3)), (2, slice(4, 5))))
    logits = torch.randn(9, 12, generator=torch.Generator().manual_seed(0))
    logits[:, 7:] = -torch.inf
    found = prompt.scores(logits, 4)
    for box, row in enumerate(logits.sigmoid().tolist()):
        expected = [0, max(row[1], row[2]), row[4], 0]
        torch.testing.assert_close(found[box], torch.tensor(expected))


@torch.inference_mode()
def test_boxes_and_words_are_those_of_the_library(detector, folder):
    """Where its phrase is one whole word; it can also name parts, or several words at once."""
    image, words = noise(100, 146), ("a", "b", "c")
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    processor = transformers.GroundingDinoProcessor(
        transformers.GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 200}),
        tokenizer,
    )
    given = processor(image, text=[list(words)], return_tensors="pt")
    outputs = detector.module(**given)
    (expected,) = processor.post_process_grounded_object_detection(
        outputs, threshold=0.0, text_threshold=0.9, target_sizes=[(100, 146)]
    )
    found = detector.find(as_tensor(image), words)
    torch.testing.assert_close(found.corners, expected["boxes"], atol=1e-3, rtol=0)
    phrases = [one.replace(".", "").replace(" ", "") for one in expected["text_labels"]]
    whole = [place for place, phrase in enumerate(phrases) if phrase in words]
    assert whole
    for place in whole:
        assert words[found.scores[place].argmax()] == phrases[place]
    special = torch.isin(given["input_ids"][0], torch.tensor([101, 102, 1012]))
    best = outputs.logits[0, :, : len(special)][:, ~special].sigmoid().amax(dim=1)
    torch.testing.assert_close(found.scores.amax(dim=1), best, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_boxes_of_all_prompts_count(detector):
    image = as_tensor(noise(100, 146))
    words = [f"{letter}word{number}" for number, letter in enumerate("abcdefghij")]
    prompts = prompts_of(words, detector.tokenizer, ROOM, "x")
    found = detector.find(image, words)
    queries = detector.config.num_queries
    assert len(found.corners) == queries * len(prompts)
    for number, prompt in enumerate(prompts):
        mine = [place for place, _ in prompt.spans]
        alone = detector.find(image, [words[place] for place in mine])
        rows = slice(number * queries, (number + 1) * queries)
        torch.testing.assert_close(found.corners[rows], alone.corners, atol=1e-3, rtol=0)
        torch.testing.assert_close(found.scores[rows][:, mine], alone.scores, atol=1e-5, rtol=0)
        others = [place for place in range(len(words)) if place not in mine]
        assert not found.scores[rows][:, others].any()


@pytest.mark.parametrize("precision", ["bf16", "fp16", "tf32"])
@torch.inference_mode()
def test_other_precisions_work(folder, precision):
    model = GroundingDino(model=str(folder), device="cpu", precision=precision, **SIDES)
    found = model.find(as_tensor(noise(50, 80)), ["cat", "dog"])
    assert found.corners.dtype == found.scores.dtype == torch.float32
    assert found.corners.isfinite().all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


@pytest.mark.parametrize(("name", "width"), [("tiny", 768), ("base", 1024)])
def test_known_names_have_the_sizes_that_they_have(name, width):
    model = GroundingDino(model=f"IDEA-Research/grounding-dino-{name}", weights=None)
    with torch.device("meta"):
        built = transformers.GroundingDinoForObjectDetection(model.config)
    assert built.model.input_proj_vision[2][0].in_channels == width
    assert (model.config.num_queries, model.config.max_text_len) == (900, 256)
    millions = sum(one.numel() for one in built.parameters()) / 1e6
    assert {"tiny": 170, "base": 230}[name] < millions < {"tiny": 180, "base": 240}[name]


def test_random_weights_need_no_files():
    model = GroundingDino(weights=None)
    assert model.tokenizer("cat", add_special_tokens=False)["input_ids"]
    assert model.tokenizer.convert_tokens_to_ids(["[CLS]", "."]) == [101, 1012]
    assert model.provenance.random


def test_what_is_no_detector(folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"config\.json is of a sam, expected grounding-dino$"):
        _ = GroundingDino(model=str(save_sam(tmp_path / "sam"))).config
    with pytest.raises(ValueError, match=r"^segmenter\.detector\.model=dino: neither a folder nor"):
        _ = GroundingDino(model="dino").config
    with pytest.raises(ConnectionError, match=r"give segmenter\.detector\.model=FOLDER, or"):
        _ = GroundingDino().config
    mute = shutil.copytree(folder, tmp_path / "mute")
    (mute / "tokenizer.json").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"mute: the folder has no tokenizer\.json or vocab"
    ):
        _ = GroundingDino(model=str(mute)).tokenizer
    assert GroundingDino(model=str(mute), weights=None).tokenizer  # a stand-in
    (mute / "tokenizer.json").write_text("{")
    with pytest.raises(ValueError, match=r"mute has no tokenizer that can be read: "):
        _ = GroundingDino(model=str(mute)).tokenizer
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, ".": 5, "a": 6}
    transformers.BertTokenizer(vocab=words).save_pretrained(mute)
    with pytest.raises(ValueError, match=r"at \[2, 3, 5\], expected \[101, 102, 1012\], as BERT's"):
        _ = GroundingDino(model=str(mute)).tokenizer
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "grounding-dino"
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"^segmenter\.detector: the package transformers is not"):
        _ = GroundingDino(model=str(folder)).config
