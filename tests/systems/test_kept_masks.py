"""Masks on disk: what was kept is what was made, or it is made again."""

import json
import logging
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from small_sams import save_sam

from gem.systems import Sam, kept_masks
from gem.systems.automatic import Automatic, Masks
from gem.systems.kept_masks import decode, encode, folder_of, kept_or_made, key_of

SIZE = (5, 7)


def masks(count=3, size=SIZE):
    random = np.random.default_rng(count)
    bits = np.packbits(random.random((count, size[0] * size[1])) < 0.4, axis=1)
    return Masks(bits, random.random(count, np.float32), size)


def same(one, other):
    return (
        np.array_equal(one.bits, other.bits)
        and np.array_equal(one.quality, other.quality)
        and one.size == other.size
    )


class Making:
    """Counts how often masks are made."""

    def __init__(self, count=3):
        self.count, self.calls = count, 0

    def __call__(self):
        self.calls += 1
        return masks(self.count)


def ask(folder, make, key="k" * 16, pixels=b"image"):
    return kept_or_made(folder, key, pixels, SIZE, make)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_what_is_read_is_what_was_written(count):
    found = decode(encode(masks(count), "a b"), "a b", SIZE)
    assert same(found, masks(count))
    assert torch.equal(found.unpacked(), masks(count).unpacked())


def test_the_second_time_nothing_is_made(tmp_path):
    make = Making()
    first, second = ask(tmp_path, make), ask(tmp_path, make)
    assert same(first, second)
    assert make.calls == 1
    (path,) = tmp_path.rglob("*.*")
    assert path.suffix == ".masks"  # and nothing half written


def test_other_images_and_makers_are_kept_apart(tmp_path):
    make = Making()
    ask(tmp_path, make)
    ask(tmp_path, make, pixels=b"other")
    ask(tmp_path, make, key="o" * 16)
    kept_or_made(tmp_path, "k" * 16, b"image", (7, 5), lambda: masks(size=(7, 5)))
    assert make.calls == 3
    assert len([*tmp_path.rglob("*.masks")]) == 4


def rewritten(change):
    """The file with another first line, or other content under the old one."""

    def write(path):
        head, _, rest = path.read_bytes().partition(b"\n")
        said, content = change(json.loads(head), zlib.decompress(rest))
        path.write_bytes(json.dumps(said).encode() + b"\n" + zlib.compress(content))

    return write


def flipped(path):
    stored = bytearray(path.read_bytes())
    stored[-9] ^= 1
    path.write_bytes(stored)


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "no JSON": lambda path: path.write_bytes(b"[" * 100_000),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "more": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "flipped": flipped,
    "another key": rewritten(lambda said, content: (said | {"key": "x y"}, content)),
    "another size": rewritten(lambda said, content: (said | {"size": [7, 5]}, content)),
    "fewer": rewritten(lambda said, content: (said | {"masks": 2}, content)),
    "no number": rewritten(lambda said, content: (said | {"masks": True}, content)),
    "far more": rewritten(lambda said, content: (said | {"masks": 10**9}, content)),
    "a bomb": rewritten(lambda said, content: (said, content + b"\0" * 10**7)),
    "another mask": rewritten(lambda said, content: (said, content[:-1] + b"\xff")),
    "a folder's": lambda path: path.write_bytes(encode(masks(), "other image")),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_broken_or_foreign_file_is_made_again(damage, tmp_path, caplog):
    make = Making()
    ask(tmp_path, make)
    (path,) = tmp_path.rglob("*.masks")
    good = path.read_bytes()
    damage(path)
    with caplog.at_level(logging.WARNING, logger="gem"):
        assert same(ask(tmp_path, make), masks())
    assert make.calls == 2
    assert path.read_bytes() == good
    (line,) = caplog.messages
    assert line.startswith(f"the masks in {path} ")
    assert line.endswith((" cannot be read: they are made again", " written: they are made again"))


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (file := tmp_path / "file").write_text("")
    make = Making()
    assert same(ask(file, make), masks())
    assert same(ask(file, make), masks())
    assert make.calls == 2


def test_many_at_once_lose_nothing(tmp_path):
    make = Making()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask(tmp_path, make), range(40)))
    assert all(same(one, masks()) for one in found)
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".masks"]
    before = make.calls
    ask(tmp_path, make)
    assert make.calls == before


def test_where_masks_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_CACHE", str(tmp_path))
    assert folder_of(None) == tmp_path / "masks"
    assert folder_of("here").name == "here"
    monkeypatch.delenv("GEM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folder_of(None) == tmp_path / "gem-bench" / "masks"


def test_a_key_is_of_everything_that_masks_depend_on(tmp_path, monkeypatch):
    one, other = (save_sam(tmp_path / name, seed) for seed, name in enumerate(("one", "other")))
    given = {
        "points_per_side": 4, "pred_iou": 0.5, "stability": 0.5, "stability_offset": 1.0, "nms": 0.7
    }  # fmt: skip
    sam = {"model": str(one), "device": "cpu"}
    makers = [
        Automatic(sam=Sam(**sam), **given),
        *(Automatic(sam=Sam(**sam), **given | {name: 0.25}) for name in list(given)[1:]),
        Automatic(sam=Sam(**sam), **given | {"points_per_side": 5}),
        Automatic(sam=Sam(**sam, precision="bf16"), **given),
        Automatic(sam=Sam(**sam | {"model": str(other)}), **given),
        Automatic(sam=Sam(**sam, weights=None), **given),
        Automatic(sam=Sam(**sam, weights=None, seed=1), **given),
        Automatic(sam=Sam(model="facebook/sam-vit-base", weights=None), **given),
        Automatic(sam=Sam(model="facebook/sam-vit-large", weights=None), **given),
    ]
    keys = [key_of(maker) for maker in makers]
    assert len({*keys}) == len(makers)
    moved = one.rename(tmp_path / "moved")
    assert key_of(Automatic(sam=Sam(model=str(moved), device="cpu"), **given)) == keys[0]
    monkeypatch.setattr(kept_masks, "_code", lambda: "other")
    assert key_of(makers[0]) != keys[0]
