"""Text embeddings that are kept on disk are those that the model would give."""

from dataclasses import replace

import pytest
import torch
from drawn import setting_of, with_backbone

from evaluation.measure import text_cache
from evaluation.measure.text_cache import embed_text
from gem.backbones import OpenClip
from gem.vocabulary import Prompts


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "text"


@pytest.fixture
def setting(small):
    return setting_of(small)


def files(cache):
    return sorted(cache.iterdir()) if cache.is_dir() else []


def test_the_second_time_the_text_tower_rests(setting, cache, monkeypatch):
    first = embed_text(setting)
    monkeypatch.setattr(OpenClip, "embed", lambda *_: pytest.fail("it embeds again"))
    second = embed_text(setting)
    assert torch.equal(first.text, second.text)
    assert torch.equal(first.class_index, second.class_index)
    own = setting.segmenter.backbone.towers.embed(setting.dataset.card.classes)
    torch.testing.assert_close(first.text, own, atol=1e-6, rtol=0)  # normalised once more
    assert len(files(cache)) == 1


def test_other_words_prompts_and_precisions_are_kept_apart(setting, cache):
    coarse = replace(setting.segmenter.backbone, precision="bf16")
    settings = [
        setting,
        replace(setting, prompts=Prompts(templates=("a {}",))),
        replace(setting, vocabulary=replace(setting.vocabulary, words=("a", "b", "c", "d"))),
        with_backbone(setting, coarse),
    ]
    found = [embed_text(one).text for one in settings]
    assert len(files(cache)) == len(settings)
    assert all(torch.equal(embed_text(s).text, t) for s, t in zip(settings, found, strict=True))


def test_what_other_code_embedded_is_not_taken(setting, cache, monkeypatch):
    embed_text(setting)
    monkeypatch.setattr(text_cache, "code_fingerprint", lambda: "other")
    embed_text(setting)
    assert len(files(cache)) == 2


@pytest.mark.parametrize("content", [b"", b"broken", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_file_is_made_again(content, setting, cache):
    text = embed_text(setting).text
    (path,) = files(cache)
    path.write_bytes(content)
    assert torch.equal(embed_text(setting).text, text)
    assert path.read_bytes() != content


def test_random_weights_are_not_kept(setting, folder, cache):
    embed_text(with_backbone(setting, OpenClip(model=str(folder), device="cpu")))
    assert files(cache) == []


def test_nothing_is_kept_where_nothing_can_be_written(setting, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("GEM_CACHE", str(tmp_path / "taken"))
    assert embed_text(setting).text.shape == (4, 24)
    assert text_cache.cache_folder() == tmp_path / "taken" / "text"
