"""What open_clip knows by name, read from its files: the same as it says itself."""

import sys

import open_clip
import pytest
from test_layout import python

from gem.backbones import known


@pytest.fixture
def unloaded(monkeypatch):
    """As if open_clip had not been imported."""
    for name in ("open_clip", "open_clip.pretrained"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(known, "load_open_clip", lambda: pytest.fail("it is loaded"))


@pytest.mark.usefixtures("unloaded")
def test_configs_of_all_models():
    assert {name: known.model_config(name) for name in open_clip.list_models()} == {
        name: open_clip.get_model_config(name) for name in open_clip.list_models()
    }


@pytest.mark.usefixtures("unloaded")
def test_tags_of_all_models():
    models = [*open_clip.list_models(), "no such model"]
    tags = {name: open_clip.list_pretrained_tags_by_model(name) for name in models}
    assert {name: known.tags_of(name) for name in models} == tags
    every = [(name, tag) for name in models for tag in (*tags[name], "no such tag", "OPENAI")]
    assert len(every) > 100
    assert [known.tag_of(*one) for one in every] == [
        open_clip.get_pretrained_cfg(*one) for one in every
    ]


@pytest.mark.usefixtures("unloaded")
def test_names_of_files():
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    assert known.file_names() == [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]


def test_a_model_that_was_added_to_open_clip_is_known(tmp_path, monkeypatch):
    path = tmp_path / "mine.json"
    path.write_text('{"embed_dim": 1, "vision_cfg": {}, "text_cfg": {}}')
    held = dict(open_clip.factory._MODEL_CONFIGS)
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", held)
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", [tmp_path])
    open_clip.add_model_config(path)
    assert known.model_config("mine") == {"embed_dim": 1, "vision_cfg": {}, "text_cfg": {}}
    assert "mine" in known.model_names()


NAMED = """
import sys
from pathlib import Path
from gem import OpenClip
from gem.backbones import weights
cached = {weights!r}
weights.cached = lambda repository, name: Path(cached)
backbone = OpenClip(model="ViT-B-16", weights="laion400m_e32")
print(backbone.shape.num_blocks, backbone.shape.patch_size, backbone.provenance.sha256[:8])
print([name for name in ("torch", "open_clip", "timm", "numpy") if name in sys.modules])
"""


def test_a_named_model_is_looked_up_without_torch(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"some")
    found = python(NAMED.format(weights=str(path))).splitlines()
    assert found == ["12 16 a6b46dd0", "[]"]
