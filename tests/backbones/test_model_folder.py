"""A folder's config and words: broken ones are said, other ones are another model."""

import re
import shutil

import pytest
from conftest import SMALL, write_config, write_words
from drawn import setting_of
from safetensors.torch import save_file

from evaluation.measure.text_cache import embed_text
from evaluation.records.checked import check_setting, find_record
from evaluation.run.job import run
from gem.backbones import OpenClip

CONFIG = "open_clip_config.json"
BROKEN = {
    "[1": "cannot be read as a config: ",
    "[" * 100_000: "cannot be read as a config: ",
    "null": "it: input should be a valid dictionary",
    '{"model_cfg": null}': "model_cfg: input should be a valid dictionary",
    '{"model_cfg": {"embed_dim": 8, "vision_cfg": {}, "text_cfg": "x"}}': (
        "model_cfg.text_cfg: input should be a valid dictionary"
    ),
    '{"model_cfg": {"embed_dim": 0, "vision_cfg": {}, "text_cfg": {}}}': (
        "model_cfg.embed_dim: input should be greater than or equal to 1"
    ),
    '{"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 8}, "text_cfg": {}}}': (
        "model_cfg.vision_cfg: an image of 8 pixels has no patch of 16"
    ),
}


def of(folder):
    return OpenClip(model=str(folder), device="cpu", weights="embedded")


@pytest.mark.parametrize("content", BROKEN, ids=[*map(str, range(len(BROKEN)))])
def test_a_config_that_is_none(content, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / CONFIG).write_text(content)
    with pytest.raises(ValueError) as caught:
        _ = of(copy).shape
    assert str(caught.value).startswith(f"{copy / CONFIG}")
    assert BROKEN[content] in str(caught.value)


@pytest.mark.parametrize("changes", [{"head_width": 0}, {"mlp_ratio": "x"}, {"no_such_key": 1}])
def test_a_config_that_no_model_can_be_built_of(changes, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    write_config(copy, **changes)
    with pytest.raises(ValueError, match=r"^no model can be built of .*/open_clip_config\.json: "):
        _ = of(copy).towers


def test_words_that_are_there_twice(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "vocabulary.txt").write_text("a dog a")
    with pytest.raises(ValueError, match=r"vocabulary\.txt is no list of words: .* only 2 differ"):
        _ = of(copy).towers


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_words_than_the_model_has(change, tmp_path):
    """One more, and its ids are beyond the model's; one less, and start and end are others."""
    folder = write_words(tmp_path / "words", ["a", "dog", "tree"])
    words = ["a", "dog", "tree", "new"][: 3 + change]
    (folder / "vocabulary.txt").write_text(" ".join(words))
    said = f"vocabulary.txt has {3 + change} words, and the vocab_size=6 of {CONFIG} expects 3"
    with pytest.raises(ValueError, match=f"{re.escape(said)}$"):
        _ = OpenClip(model=str(folder), device="cpu").embed(["a dog"])


def test_another_head_width_is_another_model(folder, tmp_path):
    """The tensors have the same shapes: only the config says it, and a record is of the other."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    setting = setting_of(of(copy), limit=1)
    first = run(setting, tmp_path).record
    assert find_record(check_setting(setting_of(of(copy), limit=1)), tmp_path) == (first, [])
    write_config(copy, head_width=SMALL["vision_cfg"]["head_width"] // 2)
    other = setting_of(of(copy), limit=1)
    assert find_record(check_setting(other), tmp_path) is None
    second = run(other, tmp_path).record
    assert second.hashes["model"] != first.hashes["model"]
    assert second.counts != first.counts


def test_other_words_of_the_same_weights_are_embedded_anew(tmp_path):
    words = ["dog", "tree", "a", "photo", "of", "house", "sheep", "grazing", "the"]
    model, found = write_words(tmp_path / "copy", words), []
    weights = OpenClip(model=str(model), device="cpu", seed=1).towers.model.state_dict()
    save_file(weights, model / "model.safetensors")
    for order in (words, words[::-1]):
        (model / "vocabulary.txt").write_text(" ".join(order))
        setting = setting_of(of(model))
        text = embed_text(setting).text
        assert text.equal(setting.segmenter.embed(setting.class_vocabulary, setting.prompts))
        found.append(text)
    assert not found[0].equal(found[1])
