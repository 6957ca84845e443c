"""Records that no evaluation has made, for tests of the report."""

import json

from conftest import REPOSITORY

from evaluation.records.record import SCHEMA, Record
from evaluation.records.schema import PARTS

NASTY = """<img src=x onerror="alert(1)"> & 'é' </script>"""
METHODS = ("clip", "maskclip", "clip_surgery", "gem")
TITLES = dict(zip(METHODS, ("CLIP", "MaskCLIP", "CLIP Surgery", "GEM"), strict=True))
DATES = dict(zip(METHODS, ("2021-03", "2021-12", "2023-04", "2023-12"), strict=True))


def record(method="gem", *, dataset="toy", key="0" * 12, miou=0.5, options="", **other):
    fields = {
        "schema": SCHEMA,
        "key": key,
        "names": {
            "dataset": dataset, "method": method, "options": options, "title": TITLES[method],
            "published": DATES[method], "model": "tiny", "protocol": "gem",
        },
        "setting": {
            "_target_": "evaluation.setting.Setting", "words": [NASTY], "limit": None,
            **{part: {"_target_": f"gem.{part}"} for part in PARTS},
        },
        "scores": {"miou": miou, "heatmap_iou": 0.25, "pmiou_global": 0.125},
        "titles": {"miou": "mIoU", "heatmap_iou": "map IoU"},
        "per_class": {"background": 0.9, "sun": None, NASTY: 0.123},
        "counts": {"matrix": [[7654321]]},
        "images": 200,
        "limit": None,
        "warnings": [],
        "model": {"name": "tiny", "weights": "embedded", "sha256": "ab" * 32},
        "hashes": {"weights": "ab" * 32, "vocabulary": "b", "protocol": "c", "samples": "d"},
        "cost": {"seconds": 1.5, "images_per_second": 133.3, "device": "a CPU", "threads": 2},
        "code": {"commit": "f" * 40, "dirty": True, "python": "3.12", "packages": {"torch": "2"}},
        "created": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip
    return Record(**fields | other)


def records():
    found = [record(method, key=f"{n:012x}", miou=n / 8) for n, method in enumerate(METHODS)]
    found.append(record(key="a" * 12, options=NASTY, miou=None))
    found.append(record("clip", dataset="voc", key="b" * 12, miou=0.104))
    loud = ["RANDOM WEIGHTS: these scores mean nothing"]
    unsure = {"name": "tiny", "weights": "random", "sha256": None}
    hashes = found[0].hashes | {"weights": None}
    found.append(
        record(dataset="voc", key="c" * 12, miou=0.99, warnings=loud, model=unsure, hashes=hashes)
    )
    return found


def committed():
    """A committed record, of few counts and classes."""
    path = next(
        path
        for path in sorted((REPOSITORY / "results/toy/records").glob("*.json"))
        if "iters" in path.read_text()
    )
    found = json.loads(path.read_text(encoding="utf-8"))
    found["counts"] = {"matrix": [[1, 2], [3, 4]], "curve": [0.5, 0.25]}
    found["per_class"] = {"sun": 0.5, "moon": None}
    return found
