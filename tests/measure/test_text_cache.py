"""Text embeddings that are kept on disk are those that the model would give."""

import hashlib
from dataclasses import replace

import pytest
import torch
from drawn import setting_of, with_backbone
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from evaluation.measure import text_cache
from evaluation.measure.evaluate import evaluate
from evaluation.measure.text_cache import embed_text, text_digest
from gem.backbones import OpenClip
from gem.patches import Patches
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
    monkeypatch.setattr(text_cache, "code_fingerprint", lambda _: "other")
    embed_text(setting)
    assert len(files(cache)) == 2


@pytest.mark.parametrize("content", [b"", b"broken", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_broken_file_is_made_again(content, setting, cache, capsys):
    text = embed_text(setting).text
    (path,) = files(cache)
    path.write_bytes(content)
    assert torch.equal(embed_text(setting).text, text)
    assert path.read_bytes() != content
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"note: the text embeddings in {path} cannot be read (")
    assert line.endswith("): they are made again")


def flipped(path):
    """One bit of one number, of a size that no other check would see."""
    content = bytearray(path.read_bytes())
    content[-4] ^= 1
    path.write_bytes(content)


def rewritten(change):
    """The file with other numbers and the hash of the old ones."""

    def write(path):
        with safe_open(path, "pt") as file:
            about, text = file.metadata(), file.get_tensor("text")
        save_file({"text": change(text.clone()).contiguous()}, path, about)

    return write


def honest(change):
    """The file as if it had been written so: its hash is right."""

    def write(path):
        with safe_open(path, "pt") as file:
            about, text = file.metadata(), change(file.get_tensor("text").clone()).contiguous()
        save_file({"text": text}, path, about | {"sha256": text_digest(text)})

    return write


def other_key(path):
    """The file of other words, put in its place."""
    with safe_open(path, "pt") as file:
        about, text = file.metadata(), file.get_tensor("text")
    save_file({"text": text}, path, about | {"key": "0" * 24})


def without_hash(path):
    save_file(load_file(path), path)


def with_nan(text):
    text[2, 3] = float("nan")
    return text


BROKEN = {
    "are not what was written": [
        flipped, rewritten(lambda text: text.roll(1, 0)), other_key, without_hash,
    ],
    "are not all finite and of length 1": [
        honest(with_nan), honest(lambda text: text * 0), honest(lambda text: text * 2),
    ],
    "have the shape (3, 24) and torch.float32, expected 4 words": [honest(lambda text: text[:3])],
    "have the shape (96,) and torch.float32, expected 4 words": [honest(lambda text: text.ravel())],
    "have the shape (4, 24) and torch.int64, expected 4 words": [honest(lambda text: text.long())],
}  # fmt: skip
PAIRS = [(said, damage) for said, damages in BROKEN.items() for damage in damages]


@pytest.mark.parametrize(("said", "damage"), PAIRS)
def test_what_was_not_written_is_not_believed(said, damage, setting, cache, capsys):
    before = evaluate(replace(setting, limit=2))
    (path,) = files(cache)
    good = path.read_bytes()
    damage(path)
    assert path.read_bytes() != good
    capsys.readouterr()
    after = evaluate(replace(setting, limit=2))
    line = f"note: the text embeddings in {path} {said}: they are made again\n"
    assert capsys.readouterr().out == line
    assert (after.outcome, after.text) == (before.outcome, before.text)
    assert torch.equal(load_file(path)["text"], embed_text(setting).text)
    embed_text(setting)
    assert capsys.readouterr().out == ""


def test_the_hash_of_what_was_used(setting):
    """That of the bytes, the same from the cache and from the tower, another for other words."""
    first, again = (evaluate(replace(setting, limit=1)).text for _ in range(2))
    text = embed_text(setting).text
    assert first == again == hashlib.sha256(text.numpy().astype("<f4").tobytes()).hexdigest()
    other = replace(setting, limit=1, prompts=Prompts(templates=("a {}",)))
    assert evaluate(other).text != first


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_embedding_that_is_not_finite(value, setting, cache, monkeypatch):
    """Of any segmenter, whether it has a key or not; nothing is kept."""
    embed = Patches.embed

    def broken(self, *given):
        text = embed(self, *given)
        text[1, 0] = value
        return text

    monkeypatch.setattr(Patches, "embed", broken)
    for key in (Patches.text_key, None):
        monkeypatch.setattr(Patches, "text_key", key)
        with pytest.raises(ValueError) as caught:
            embed_text(setting)
        assert str(caught.value) == "the embedding of the word 'tree' is 0 or not finite"
    assert files(cache) == []


def test_random_weights_are_not_kept(setting, folder, cache):
    embed_text(with_backbone(setting, OpenClip(model=str(folder), device="cpu")))
    assert files(cache) == []


def test_nothing_is_kept_where_nothing_can_be_written(setting, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("GEM_CACHE", str(tmp_path / "taken"))
    assert embed_text(setting).text.shape == (4, 24)
    assert text_cache.cache_folder() == tmp_path / "taken" / "text"
