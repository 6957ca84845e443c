"""Archives, annotations to convert and manifests that are broken in any way."""

import io
import json
import shutil
import tarfile
import zipfile

import numpy as np
import official
import pytest
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, REFUSED, Given, answer, as_json, changed, edited, fuzzed
from PIL import Image
from scipy.io import savemat

from evaluation.prepare import context
from evaluation.prepare.layout import build, survey
from evaluation.prepare.manifest import is_current, make_manifest, read_manifest
from evaluation.prepare.tables import histogram
from evaluation.prepare.unpack import unpack
from evaluation.prepare.verify import take_census

FILES = {"top/a.txt": b"one" * 40, "top/deep/b.txt": bytes(range(256)), "other/c.txt": b""}


def as_zip(kind):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in FILES.items():
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return buffer.getvalue()


def as_tar(mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVES = {
    "stored.zip": as_zip(zipfile.ZIP_STORED), "deflated.zip": as_zip(zipfile.ZIP_DEFLATED),
    "bzip.zip": as_zip(zipfile.ZIP_BZIP2), "lzma.zip": as_zip(zipfile.ZIP_LZMA),
    "plain.tar": as_tar("w"), "packed.tar.gz": as_tar("w:gz"), "packed.tgz": as_tar("w:gz"),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("archives")


@fuzzed(name=st.sampled_from(sorted(ARCHIVES)), edits=EDITS)
def test_archives(name, edits, place):
    archive, folder = place / name, place / "inside" / "out"
    shutil.rmtree(place / "inside", ignore_errors=True)
    archive.write_bytes(edited(ARCHIVES[name], edits))
    found = answer(lambda: unpack(archive, folder), name)
    archive.unlink()
    assert all(path.is_relative_to(folder) for path in place.rglob("*") if path.is_file())
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    if found is not REFUSED:
        assert len(written) == found
    if name != "plain.tar":  # which has no sum of its content
        assert {*written} <= {*FILES.values()}


def annotation(shape, category=2):
    return {"id": 1, "image_id": 1, "category_id": category, "segmentation": shape, "iscrowd": 0}


CONTEXT = {
    "images": [
        {"image_id": n, "file_name": f"2008_00000{n}.jpg", "phase": phase, "height": 5, "width": 7}
        for n, phase in enumerate(("val", "train"))
    ],
    "annos_segmentation": [
        annotation([[0, 0, 4, 0, 4, 4, 0, 4]]),
        annotation({"size": [5, 7], "counts": [4, 8, 23]}, 9),
    ],
}  # fmt: skip
CONTEXT_TEXT = json.dumps(CONTEXT).encode()


def convert(place, file, content):
    root = place / "context"
    shutil.rmtree(root, ignore_errors=True)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(content)
    answer(lambda: context.convert(root), (root / file).name)
    for path in root.rglob("*.png"):
        assert np.array(Image.open(path)).max() < 60
    masks = root / context.MASKS
    assert all(path.parent == masks for path in root.rglob("*.png"))
    assert all(path.is_relative_to(root) for path in place.rglob("*") if path.is_file())


@fuzzed(changes=CHANGES)
def test_context_of_another_shape(changes, place):
    convert(place, context.JSON, as_json(changed(CONTEXT, changes)))


@fuzzed(edits=EDITS)
def test_context_of_other_bytes(edits, place):
    convert(place, context.JSON, edited(CONTEXT_TEXT, edits))


def as_mat(**options):
    buffer = io.BytesIO()
    savemat(buffer, {"LabelMap": np.array([[0, 2, 9], [360, 458, 1]], dtype=np.uint16)}, **options)
    return buffer.getvalue()


MATS = [as_mat(), as_mat(do_compression=True), as_mat(format="4")]


@fuzzed(content=st.sampled_from(MATS), edits=EDITS)
def test_label_maps_of_matlab(content, edits, place):
    convert(place, context.MATS / "2008_000002.mat", edited(content, edits))


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A small data set, its reader, and its manifest as a tree."""
    root = tmp_path_factory.mktemp("verified")
    official.lay(root, "voc20", "2007_000033", np.array([[0, 1, 2, 255]] * 3, dtype=np.uint8))
    dataset = build("voc20", root)
    manifest = make_manifest(dataset, take_census(dataset))
    return Given((root, dataset, vars(manifest)))


def read_changed(verified, content):
    root, dataset, tree = verified
    (root / "manifests").mkdir(exist_ok=True)
    (root / "manifests" / "voc20.json").write_bytes(content)

    def read():
        found = read_manifest(root, "voc20")
        if found is not None and is_current(found, dataset):
            histogram(found)
            return found
        return None

    found = answer(read)
    assert survey(dataset).present == 1
    if found is not REFUSED and found is not None:
        assert found.seen == tree["seen"]


@fuzzed(changes=CHANGES)
def test_manifests_of_another_shape(changes, verified):
    read_changed(verified, as_json(changed(verified[2], changes)))


@fuzzed(edits=EDITS)
def test_manifests_of_other_bytes(edits, verified):
    read_changed(verified, edited(json.dumps(verified[2]).encode(), edits))
