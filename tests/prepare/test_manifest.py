"""The manifest of a prepared data set: what two people can compare."""

import dataclasses
import json

import numpy as np
from official import lay
from PIL import Image

from evaluation.prepare import command
from evaluation.prepare.manifest import manifest_path, read_manifest

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


def test_a_manifest_that_cannot_be_read(tmp_path):
    path = manifest_path(tmp_path, "ade20k")
    path.parent.mkdir()
    for text in ("", "[]", json.dumps({"schema": 99})):
        path.write_text(text)
        assert read_manifest(tmp_path, "ade20k") is None
