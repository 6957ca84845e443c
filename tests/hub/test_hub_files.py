"""Where a model's files are: a folder, this machine, or the hub; and what is said if nowhere."""

import sys
import time
from pathlib import Path

import httpx
import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import (
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from gem.hub import files
from gem.hub.files import find_folder, known_folder

HELP = (
    "download it elsewhere and give segmenter.model=FOLDER, or segmenter.weights=null for random "
    "weights, whose scores mean nothing"
)


def said(error, call):
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Hub:
    """A hub without a network: what is on this machine, what can be downloaded, what was asked."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.asked, self.error = folder, [], None
        self.here, self.there = False, {"config.json", "model.safetensors"}
        folder.mkdir()
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.download)
        monkeypatch.setattr(files, "reach", self.asked.append)

    def download(self, model, *, revision=None, local_files_only=False, allow_patterns=None):
        if local_files_only:
            if not self.here:
                raise LocalEntryNotFoundError("nothing here")
            return str(self.folder)
        self.asked.append((model, revision, tuple(allow_patterns)))
        if self.error:
            raise self.error
        for name in self.there:
            if any(Path(name).match(pattern) for pattern in allow_patterns):
                (self.folder / name).touch()
        return str(self.folder)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    return Hub(tmp_path / "snapshot", monkeypatch)


def test_a_folder_is_taken_as_it_is(hub, tmp_path):
    (tmp_path / "mine").mkdir()
    assert find_folder(str(tmp_path / "mine"), None, "segmenter") == tmp_path / "mine"
    assert known_folder(str(tmp_path / "mine"), None) == tmp_path / "mine"
    assert hub.asked == []


def test_the_package_is_missed_before_the_network(hub, monkeypatch):
    """Whoever lacks both is told what to install, and downloads nothing in vain."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert said(ValueError, lambda: find_folder("a/b", None, "backbone")) == (
        "backbone: the package transformers is not installed; pip install 'gem-bench[systems]' "
        "gets it"
    )
    assert hub.asked == []
    hub.here = True
    (hub.folder / "config.json").touch()
    (hub.folder / "model.safetensors").touch()
    assert find_folder("a/b", None, "backbone") == hub.folder  # an old record is still known


def test_a_folder_has_no_revisions(tmp_path):
    sentence = said(ValueError, lambda: find_folder(str(tmp_path), "v2", "segmenter.dino"))
    assert sentence == f"segmenter.dino.revision=v2: {tmp_path} is a folder, it has no revisions"


@pytest.mark.parametrize(
    "name", ["", " ", "groupvit", "/no/such/folder", "a/b/c", "a b/c", "no/x.pth"]
)
def test_what_is_no_name(hub, name):
    sentence = said(ValueError, lambda: find_folder(name, None, "segmenter"))
    assert sentence == f"segmenter.model={name}: neither a folder nor a name of the hub"
    assert known_folder(name, None) is None
    assert hub.asked == []


def test_what_is_on_this_machine_is_taken_at_once(hub):
    hub.here = True
    for name in ("config.json", "pytorch_model.bin"):
        (hub.folder / name).touch()
    assert find_folder("some/model", None, "segmenter") == hub.folder
    assert known_folder("some/model", None) == hub.folder
    assert hub.asked == []


@pytest.mark.parametrize("lacking", ["config.json", "model.safetensors"])
def test_a_snapshot_that_is_not_whole_is_completed(hub, lacking):
    hub.here = True
    for name in {"config.json", "model.safetensors"} - {lacking}:
        (hub.folder / name).touch()
    assert find_folder("some/model", None, "segmenter") == hub.folder
    assert (hub.folder / lacking).exists()
    expected = None if lacking == "config.json" else hub.folder
    (hub.folder / lacking).unlink()
    assert known_folder("some/model", None) == expected


def test_safetensors_are_asked_for_first(hub):
    find_folder("some/model", "main", "segmenter")
    host, (model, revision, patterns) = hub.asked
    assert (host, model, revision) == (constants.ENDPOINT, "some/model", "main")
    assert "model*.safetensors" in patterns
    assert not any(".bin" in one for one in patterns)


def test_files_of_torch_are_asked_for_where_there_are_no_others(hub):
    hub.there = {"config.json", "pytorch_model.bin", "flax_model.msgpack"}
    find_folder("some/model", None, "segmenter")
    assert (hub.folder / "pytorch_model.bin").exists()
    assert not (hub.folder / "flax_model.msgpack").exists()


def response(status):
    return httpx.Response(status, request=httpx.Request("GET", constants.ENDPOINT))


def test_a_revision_that_is_not_there(hub):
    hub.error = RevisionNotFoundError("404\nmany lines", response=response(404))
    sentence = said(ValueError, lambda: find_folder("some/model", "v9", "segmenter"))
    assert sentence == "segmenter.revision=v9: some/model has no such revision"


def test_a_model_that_is_not_there(hub):
    hub.error = RepositoryNotFoundError("401\nmany lines", response=response(401))
    sentence = said(ValueError, lambda: find_folder("some/model", None, "segmenter"))
    assert sentence == "segmenter.model=some/model: the hub has no such model"


@pytest.mark.parametrize("error", [OSError("No space\nleft"), httpx.ReadTimeout("slow")])
def test_a_download_that_fails(hub, error):
    hub.error = error
    sentence = said(ConnectionError, lambda: find_folder("some/model", None, "segmenter"))
    assert sentence == f"some/model cannot be downloaded: {' '.join(str(error).split())}"


@pytest.fixture
def nowhere(monkeypatch):
    """Nothing is on this machine, and to download without asking first is a mistake."""

    def download(*_, local_files_only=False, **__):
        if local_files_only:
            raise LocalEntryNotFoundError("nothing here")
        pytest.fail("it tries to download")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)


@pytest.mark.usefixtures("nowhere")
def test_offline(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(httpx, "head", lambda *_, **__: pytest.fail("it asks a host"))
    sentence = said(ConnectionError, lambda: find_folder("some/model", None, "segmenter"))
    assert sentence == (
        f"some/model is not on this machine and {constants.ENDPOINT} cannot be reached "
        f"(HF_HUB_OFFLINE is set): {HELP}"
    )


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("error", [httpx.ConnectError("no route"), httpx.InvalidURL("no host")])
def test_a_host_that_cannot_be_reached(monkeypatch, error):
    waited = []

    def head(_, *, timeout):
        waited.append(timeout)
        raise error

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(httpx, "head", head)
    start = time.perf_counter()
    sentence = said(ConnectionError, lambda: find_folder("some/model", None, "segmenter"))
    assert f"cannot be reached ({error})" in sentence
    assert sentence.endswith(HELP)
    assert time.perf_counter() - start < 2
    assert waited == [4.0]


def test_hashes_are_of_names_and_contents(tmp_path):
    first, second = tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"
    first.write_bytes(b"a")
    second.write_bytes(b"b")
    (tmp_path / "config.json").write_text("{}")
    found = files.provenance_of(str(tmp_path), tmp_path, random=False, seed=0)
    second.write_bytes(b"c")
    other = files.provenance_of(str(tmp_path), tmp_path, random=False, seed=0)
    assert found.sha256 != other.sha256
    assert found.config == other.config
    (tmp_path / "tokenizer.json").write_text("{}")
    third = files.provenance_of(str(tmp_path), tmp_path, random=False, seed=0)
    assert third.config != other.config
    by_name = files.provenance_of("owner/name", tmp_path, random=False, seed=0)
    assert (by_name.model, by_name.source) == ("name", "owner/name")
