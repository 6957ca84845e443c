"""The manifest of a prepared data set: what two people can compare."""

import dataclasses
import json
import re

import numpy as np
import pytest
from official import lay
from PIL import Image

from evaluation.prepare import command, layout, tables
from evaluation.prepare.manifest import Manifest, manifest_path, read_manifest

ID, BASE = "ADE_val_00000001", "ADEChallengeData2016"


def test_the_same_truth_has_the_same_hash_whatever_the_files(tmp_path):
    """A palette PNG and a grey one of another compression."""
    labels = np.array([[0, 1, 150], [1, 1, 13]], dtype=np.uint8)
    found = []
    for kind in ("grey", "palette"):
        lay(tmp_path / kind, "ade20k", ID, labels)
        if kind == "palette":
            mask = Image.fromarray(labels, mode="P")
            mask.putpalette(list(range(256)) * 3)
            mask.save(tmp_path / kind / BASE / f"annotations/validation/{ID}.png")
        command.prepare("ade20k", tmp_path / kind, changes={})
        manifest = dataclasses.asdict(read_manifest(tmp_path / kind, "ade20k"))
        manifest.pop("seen")
        found.append(manifest)
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a prepared set, and the text of its manifest."""
    root = tmp_path_factory.mktemp("prepared")
    lay(root, "ade20k", ID, np.array([[1, 2]], dtype=np.uint8))
    command.prepare("ade20k", root, changes={})
    return root, manifest_path(root, "ade20k").read_text()


@pytest.fixture
def written(prepared):
    """The manifest, as a dict, its file, and the folder of the set."""
    root, text = prepared
    path = manifest_path(root, "ade20k")
    path.write_text(text)
    return json.loads(text), path, root


def test_a_manifest_of_another_version(written):
    _, path, root = written
    path.write_text(json.dumps({"schema": 99}))
    assert read_manifest(root, "ade20k") is None


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Manifest)])
@pytest.mark.parametrize("value", [None, [], {"wall": "x"}, 1.5, "lacks"])
def test_a_field_that_is_missing_or_wrong(field, value, written, capsys):
    """It is said, and made again."""
    content, path, root = written
    if value == "lacks":
        wrong = {name: one for name, one in content.items() if name != field}
    else:
        wrong = content | {field: value}
    text = json.dumps(wrong)
    path.write_text(text)
    if (field, value) == ("expected", None) or (field, type(value)) in {
        ("reader", dict), ("smallest", list), ("largest", list)
    }:  # fmt: skip
        read_manifest(root, "ade20k")
        return
    with pytest.raises(ValueError, match=re.escape(f"{path} is no manifest: {field}")):
        read_manifest(root, "ade20k")
    if value != "lacks":
        return
    capsys.readouterr()
    command.prepare("ade20k", root, changes={})
    assert f"ade20k: {path} is no manifest: {field}" in capsys.readouterr().out
    assert json.loads(path.read_text()) == content


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "invalid JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "input should be an object"),
        ("[" * 100_000, "invalid JSON: recursion limit exceeded"),
        ("\udcff", "invalid JSON"),
    ],
)
def test_a_manifest_that_is_something_else(text, said, written):
    _, path, root = written
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=re.escape(f"{path} is no manifest: {said}")):
        read_manifest(root, "ade20k")
    assert "unreadable" in tables._verified("ade20k", layout.build("ade20k", root), root)


def test_counts_of_other_labels(written):
    content, path, root = written
    content["appears"].pop("wall")
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"is no manifest: .*pixels and appears have other labels"):
        read_manifest(root, "ade20k")
