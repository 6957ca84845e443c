"""What a run keeps for the next, and predictions of other programs, broken in any way."""

import io
import json
import struct

import numpy as np
import pytest
import torch
from drawn import setting_of
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, REFUSED, Given, answer, as_json, changed, edited, fuzzed
from PIL import Image

from evaluation.measure.counting import start_counting
from evaluation.measure.text_cache import cache_folder, embed_text
from evaluation.measure.work import Work, count_here
from evaluation.records.checked import check_setting
from evaluation.run.checkpoint import States
from evaluation.run.state_files import state_path
from evaluation.segmenters import Predictions
from gem.vocabulary import Prompts, Vocabulary


def with_header(content, changes):
    """A file of tensors with another header; what stands before it, a seal say, is left."""
    start = content.index(b'{"') - 8
    (length,) = struct.unpack("<Q", content[start : start + 8])
    rest = content[start + 8 :]
    text = as_json(changed(json.loads(rest[:length]), changes))
    return content[:start] + struct.pack("<Q", len(text)) + text + rest[length:]


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small, batch_size=2)


@pytest.fixture(scope="module")
def cached(setting):
    """The file of the text cache, its content, and what it holds."""
    before = set(cache_folder().glob("*"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluation.measure.text_cache.code_fingerprint", lambda _: "fuzz")
        text = embed_text(setting).text
        (path,) = set(cache_folder().glob("*")) - before
        yield Given((path, path.read_bytes(), text))


def embed_again(setting, cached, content):
    path, _, text = cached
    path.write_bytes(content)
    found = answer(lambda: embed_text(setting).text)
    assert found is not REFUSED, "a broken file of the cache is made again"
    assert torch.equal(found, text)


@fuzzed(edits=EDITS)
def test_text_cache_of_other_bytes(edits, setting, cached):
    embed_again(setting, cached, edited(cached[1], edits))


@fuzzed(changes=CHANGES)
def test_text_cache_of_another_header(changes, setting, cached):
    embed_again(setting, cached, with_header(cached[1], changes))


class Stopped(Exception):  # noqa: N818 nothing went wrong
    """A pass that was stopped."""


@pytest.fixture(scope="module")
def kept(setting, tmp_path_factory):
    """A pass that was stopped after some images: its setting, folder, state file, what it had."""
    folder, checked = tmp_path_factory.mktemp("states"), check_setting(setting)
    states, seen = States([checked], folder, every=0), []

    def stop(images):
        seen.append(images)
        if len(seen) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        any(map(stop, count_here(Work([setting], checkpoint=states))))
    path = state_path(checked, folder)
    return Given((checked, folder, path, path.read_bytes(), restored(checked, folder)))


def restored(checked, folder):
    (counting,) = start_counting([checked.setting])
    done = States([checked], folder).restore([counting])
    assert done == len(counting.done)
    state = counting.accumulator.state()
    return counting.done, {key: value.tolist() for key, value in state.items()}, counting.seconds


def go_on(kept, content):
    checked, folder, path, _, (done, counts, _) = kept
    path.write_bytes(content)
    found = answer(lambda: restored(checked, folder))
    assert found is not REFUSED, "a state that cannot be read is not gone on from"
    if found[0]:
        assert found[:2] == (done, counts)
        assert np.isfinite(found[2])
    else:
        assert not any(np.any(value) for value in found[1].values())


@fuzzed(edits=EDITS)
def test_states_of_other_bytes(edits, kept):
    go_on(kept, edited(kept[3], edits))


@fuzzed(changes=CHANGES)
def test_states_of_another_header(changes, kept):
    go_on(kept, with_header(kept[3], changes))


ASKED = Vocabulary(names=("dog", "tree", "a", "b"), words=("dog", "tree", "a", "b"))
SCORES = np.random.default_rng(0).normal(size=(4, 3, 3)).astype("float32")


def as_npz(*, packed=True, **arrays):
    buffer = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


WRITTEN = [
    as_npz(scores=SCORES, words=np.array(["dog", "tree", "a", "b"])),
    as_npz(packed=False, scores=SCORES),
    as_npz(scores=SCORES.astype("float64")),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("predictions")


def read_maps(place, content):
    path = place / "x.npz"
    path.write_bytes(content)
    segmenter, image = (
        Predictions(root=str(place), dataset="voc", kind="scores"),
        Image.new("L", (3, 3)),
    )

    def read():
        segmenter.embed(ASKED, Prompts(templates=("{}",)))
        return segmenter.prepare(image, resize=None, sample_id="x")

    found = answer(read, "x.npz")
    path.unlink()
    if found is not REFUSED:
        assert found.ndim == 3
        assert found.dtype == torch.float32
        assert found.isfinite().all()


@fuzzed(content=st.sampled_from(WRITTEN), edits=EDITS)
def test_scores_of_other_bytes(content, edits, place):
    read_maps(place, edited(content, edits))


KINDS = st.sampled_from(["float32", "float64", "float16", "int64", "bool", "complex64", "U3", "S3"])


@fuzzed(shape=st.lists(st.integers(0, 3), max_size=4), kind=KINDS,
        value=st.sampled_from([0, 1, 1e300, float("nan"), float("inf")]),
        words=st.sampled_from([None, [], ["dog"], [1.5], [[1]], "x"]))  # fmt: skip
def test_scores_of_other_kinds(shape, kind, value, words, place):
    with np.errstate(over="ignore"):
        array = np.full(shape, 1 if kind in {"int64", "bool"} else value).astype(kind)
    named = {} if words is None else {"words": np.array(words)}
    read_maps(place, as_npz(scores=array, **named))


@fuzzed(edits=EDITS)
def test_label_maps_of_other_bytes(edits, place):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 1, 20]] * 2, dtype=np.uint8)).save(buffer, format="PNG")
    (place / "x.png").write_bytes(edited(buffer.getvalue(), edits))
    segmenter = Predictions(root=str(place), dataset="voc", kind="labels")
    image = Image.new("RGB", (3, 2))
    found = answer(lambda: segmenter.prepare(image, resize=None, sample_id="x"), "x.png")
    if found is not REFUSED:
        assert found.shape == (2, 3)
        assert 0 <= int(found.min()) <= int(found.max()) <= 20
