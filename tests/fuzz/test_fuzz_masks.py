"""Kept masks that are broken in any way: what comes back is what was kept, or it is made again."""

import json
import zlib

import numpy as np
import pytest
from mutated import CHANGES, EDITS, answer, as_json, changed, edited, fuzzed

from gem.systems.automatic import Masks
from gem.systems.kept_masks import encode, kept_or_made

SIZE = (9, 13)
RANDOM = np.random.default_rng(0)
KEPT = Masks(
    np.packbits(RANDOM.random((5, SIZE[0] * SIZE[1])) < 0.5, axis=1),
    RANDOM.random(5, np.float32),
    SIZE,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Where the masks of an image are kept."""
    folder = tmp_path_factory.mktemp("masks")
    kept_or_made(folder, "key", b"image", SIZE, lambda: KEPT)
    (found,) = folder.rglob("*.masks")
    return found


def run(path, content):
    """Ask for the masks of a file with such content; the file is good afterwards."""
    path.write_bytes(content)
    found = answer(lambda: kept_or_made(path.parents[1], "key", b"image", SIZE, lambda: KEPT))
    assert np.array_equal(found.bits, KEPT.bits)
    assert np.array_equal(found.quality, KEPT.quality)
    assert found.size == SIZE
    again = kept_or_made(path.parents[1], "key", b"image", SIZE, lambda: pytest.fail("again"))
    assert np.array_equal(again.bits, KEPT.bits)


@fuzzed(edits=EDITS)
def test_masks_of_other_bytes(edits, path):
    run(path, edited(encode(KEPT, f"key {path.stem}"), edits))


@fuzzed(edits=EDITS)
def test_masks_of_other_content(edits, path):
    head, _, rest = encode(KEPT, f"key {path.stem}").partition(b"\n")
    run(path, head + b"\n" + zlib.compress(edited(zlib.decompress(rest), edits)))


@fuzzed(changes=CHANGES)
def test_masks_that_say_something_else(changes, path):
    head, _, rest = encode(KEPT, f"key {path.stem}").partition(b"\n")
    run(path, as_json(changed(json.loads(head), changes)) + b"\n" + rest)
