"""The files of a tokenizer of the hub: on this machine, downloaded, or not there."""

import huggingface_hub
import pytest
from huggingface_hub import constants

from gem.hub import files
from gem.hub.files import find_words


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub whose every repository is this folder, and what it was asked for."""
    asked = []

    def download(repository, **given):
        asked.append((repository, given))
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(files, "reach", lambda _: None)
    return asked


def test_what_is_on_this_machine_is_taken_at_once(hub, tmp_path):
    (tmp_path / "vocab.txt").touch()
    assert find_words("timm/some", "backbone", "do it") == tmp_path
    assert hub == [("timm/some", {"revision": None, "local_files_only": True})]


def test_only_the_files_of_the_tokenizer_are_downloaded(hub, tmp_path, monkeypatch):
    """Its repository holds the weights too."""
    (tmp_path / "tokenizer.json").touch()
    monkeypatch.setattr(files, "_snapshot", lambda *_: None)
    assert find_words("timm/some", "backbone", "do it") == tmp_path
    (_, given), *others = hub
    assert not others
    assert {"tokenizer.json", "vocab.txt"} <= set(given["allow_patterns"])
    assert not [one for one in given["allow_patterns"] if one.startswith(("model", "pytorch"))]


@pytest.mark.usefixtures("hub")
def test_a_repository_without_words():
    with pytest.raises(ValueError, match=r"^backbone: the hub's timm/some has no files of a token"):
        find_words("timm/some", "backbone", "do it")


def test_no_network():
    with pytest.raises(ConnectionError) as caught:
        find_words("timm/no-such", "backbone", "do it")
    assert str(caught.value) == (
        "the tokenizer timm/no-such is not on this machine and cannot be downloaded from "
        f"{constants.ENDPOINT} (HF_HUB_OFFLINE is set): do it"
    )
