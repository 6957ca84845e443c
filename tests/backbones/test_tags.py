"""Which file ``backbone.weights`` means, and the activation that goes with it; never a download."""

import hashlib
import time

import httpx
import pytest
from conftest import write_config
from huggingface_hub import constants

from gem.backbones import OpenClip, weights
from gem.backbones.weights import resolve


def sentence(*arguments):
    with pytest.raises((ValueError, OSError)) as caught:
        resolve(*arguments)
    return f"{type(caught.value).__name__}: {caught.value}"


def test_an_unknown_tag_lists_the_tags_of_the_model():
    assert sentence("ViT-B-16-plus-240", "laion", None) == (
        "ValueError: backbone.weights=laion: neither a .safetensors or .pt file nor a tag of "
        "ViT-B-16-plus-240, which has: laion400m_e31, laion400m_e32"
    )


def test_a_folder_has_no_tags(folder):
    assert sentence(str(folder), "openai", None).endswith(f"tag of {folder}, which has: none")


def test_a_missing_file():
    said = "FileNotFoundError: backbone.weights=/no/such.pt: there is no such file"
    assert sentence("ViT-B-16", "/no/such.pt", True) == said


def test_a_file_does_not_say_its_activation(folder):
    path = folder / "model.safetensors"
    assert sentence(str(folder), str(path), None) == (
        f"ValueError: backbone.weights={path}: a file does not say its activation; set "
        "backbone.quick_gelu=true (OpenAI, MetaCLIP, DFN) or false (OpenCLIP, DataComp)"
    )
    assert resolve(str(folder), str(path), True) == (path, True)


@pytest.mark.parametrize(
    ("tag", "given", "trained"),
    [("openai", False, "true"), ("metaclip_400m", False, "true"), ("laion400m_e32", True, "false")],
)
def test_an_activation_that_contradicts_the_tag(tag, given, trained):
    assert sentence("ViT-B-16", tag, given) == (
        f"ValueError: backbone.quick_gelu={str(given).lower()}, but the weights {tag} of ViT-B-16 "
        f"were trained with quick_gelu={trained}"
    )


@pytest.mark.parametrize("given", [None, True])
def test_the_activation_of_a_tag(given, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "fetch", lambda *_: tmp_path)
    assert resolve("ViT-B-16", "openai", given) == (tmp_path, True)
    assert resolve("ViT-B-16", "laion400m_e32", None) == (tmp_path, False)


def test_embedded_needs_weights_in_the_folder(tmp_path):
    folder = write_config(tmp_path / "empty")
    said = f"ValueError: backbone.weights=embedded: {folder} comes without weights in its folder"
    assert sentence(str(folder), "embedded", None) == said
    said = "ValueError: backbone.weights=embedded: ViT-B-16 comes without weights in its folder"
    assert sentence("ViT-B-16", "embedded", None) == said


def test_embedded_weights_have_the_activation_of_their_config(folder):
    assert resolve(str(folder), "embedded", None) == (folder / "model.safetensors", False)
    assert "were trained with quick_gelu=false" in sentence(str(folder), "embedded", True)


@pytest.fixture
def no_cache(monkeypatch):
    monkeypatch.setattr(weights, "cached", lambda *_: None)
    monkeypatch.setattr(weights, "download", lambda *_: pytest.fail("it downloads"))


@pytest.mark.usefixtures("no_cache")
def test_offline_is_said_at_once():
    start = time.monotonic()
    with pytest.raises(ConnectionError) as caught:
        _ = OpenClip(model="ViT-B-16", weights="openai", device="cpu").towers
    assert time.monotonic() - start < 1
    assert str(caught.value) == (
        f"the weights openai of ViT-B-16 are not on this machine and {constants.ENDPOINT} cannot "
        "be reached (HF_HUB_OFFLINE is set): download them elsewhere and give "
        "backbone.weights=FILE, or use backbone=tiny, which is embedded"
    )


@pytest.mark.usefixtures("no_cache")
def test_a_host_that_does_not_answer(monkeypatch):
    def silent(_, *, timeout):
        assert 0 < timeout <= 5
        raise httpx.ConnectTimeout("timed out")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(httpx, "head", silent)
    said = sentence("ViT-B-16", "laion400m_e32", None)
    assert said.startswith("ConnectionError: the weights laion400m_e32 of ViT-B-16 are not on ")
    assert "(timed out)" in said


def test_weights_in_the_cache_need_no_network(monkeypatch, tmp_path):
    asked = []

    def cache(repository, name):
        asked.append((repository, name))
        return tmp_path / name if name.endswith(".bin") else None

    monkeypatch.setattr(weights, "cached", cache)
    path, _ = resolve("ViT-B-16", "laion400m_e32", None)
    assert path == tmp_path / "open_clip_pytorch_model.bin"
    assert asked[0] == (
        "timm/vit_base_patch16_clip_224.laion400m_e32",
        "open_clip_model.safetensors",
    )


def test_a_download_that_fails(monkeypatch):
    """Whatever open_clip or the hub raises, in a sentence."""

    def fails(_):
        raise RuntimeError("the SHA256 checksum does not match")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(httpx, "head", lambda *_, **__: None)
    monkeypatch.setattr(weights, "cached", lambda *_: None)
    monkeypatch.setattr(weights, "download", fails)
    assert sentence("ViT-B-16", "openai", None) == (
        "ConnectionError: the weights openai of ViT-B-16 cannot be downloaded from "
        f"{constants.ENDPOINT}: the SHA256 checksum does not match"
    )


@pytest.mark.parametrize("content", [b"whole", b"who"])
def test_a_file_of_an_address_is_checked_by_its_hash(content, monkeypatch, tmp_path):
    """A download that was killed leaves a part under the name of the whole."""
    digest = hashlib.sha256(b"whole").hexdigest()
    monkeypatch.setattr(weights.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(httpx, "head", lambda *_, **__: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(weights, "download", lambda _: tmp_path / "downloaded")
    kept = tmp_path / ".cache/clip/b16.pt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(content)
    found = weights.fetch("ViT-B-16", "openai", {"url": f"http://127.0.0.1:9/{digest}/b16.pt"})
    assert found == (kept if content == b"whole" else tmp_path / "downloaded")
