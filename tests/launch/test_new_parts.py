"""A new part is one file of Python and one YAML: nothing else is edited, and it is seen."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import REPOSITORY

PARTS = {
    "gem/methods/mine.py": '''
"""A method of a user: keys instead of values."""
from typing import ClassVar
from gem.methods.method import Method
from gem.options import options

@options
class Mine(Method):
    """Keys of the last block."""
    title: ClassVar[str] = "My Method"
    published: ClassVar[str] = "2030-01"
    share: float = 1.0

    @property
    def num_blocks(self):
        return 1

    def __call__(self, trace):
        last = trace.layers[-1]
        return trace.project(self.share * last.write(last.k))
''',
    "configs/method/mine.yaml": "_target_: gem.methods.mine.Mine\nshare: 1.0\n",
    "gem/backbones/mine.py": '''
"""A backbone of a user: the embedded model under another name."""
from gem.backbones.open_clip import OpenClip
from gem.options import options

@options
class Mine(OpenClip):
    """The tiny model."""
    model: str = "tiny"
    weights: str | None = "embedded"
''',
    "configs/backbone/mine.yaml": "_target_: gem.backbones.mine.Mine\n",
    "evaluation/data/mine.py": '''
"""A data set of a user: drawn scenes from another seed on."""
from functools import cached_property
from evaluation.data.card import load_card
from evaluation.data.toy.masks import Toy
from gem.options import options

@options
class Mine:
    """Drawn scenes."""
    dataset: str = "mine"

    @property
    def card(self):
        return load_card(self.dataset)

    @cached_property
    def ids(self):
        return tuple(map(str, range(500, 506)))

    def check(self, ids):
        pass

    def __getitem__(self, sample_id):
        return Toy()[sample_id]
''',
    "configs/dataset/mine.yaml": "_target_: evaluation.data.mine.Mine\ndataset: mine\n",
    "evaluation/measure/mine.py": '''
"""A metric of a user: the share of pixels that are called background."""
import torch
from evaluation.measure.decision import label_map
from evaluation.metrics import Score
from evaluation.metrics.accumulator import Outcome
from gem.options import options

class Share:
    def __init__(self, setting, queries):
        self.setting, self.queries = setting, queries
        self.counts = torch.zeros(2, dtype=torch.int64)

    def count(self, image, truth, cache):
        labels = label_map(
            image, self.queries, self.setting.protocol, truth.shape, background=True
        )
        self.counts += torch.tensor([int((labels == 0).sum()), labels.numel()])
        yield

    def outcome(self):
        share = float(self.counts[0] / self.counts[1])
        scores = (Score("empty_share", "My Score", share), Score("detail", "x", 0.5, column=False))
        return Outcome(scores=scores, per_class={}, counts={"pixels": self.counts.tolist()})

    def state(self):
        return {"counts": self.counts}

    def add(self, state):
        self.counts += state["counts"]

@options
class Mine:
    """Pixels without a class."""

    def accumulator(self, setting, queries):
        return Share(setting, queries)
''',
    "configs/metric/mine.yaml": "_target_: evaluation.measure.mine.Mine\n",
    "evaluation/segmenters/mine.py": '''
"""A segmenter of a user that is no CLIP: how bright a pixel is."""
import torch
from gem.options import options
from gem.provenance import Provenance

class Bright:
    labels = pixels = None

    def __init__(self, grey):
        self.grey = grey

    def scores(self, queries):
        steps = torch.arange(len(queries.words))[:, None, None] / len(queries.words)
        return -(self.grey - steps).abs()

    def nothing(self, queries):
        return None

@options
class Mine:
    """Words by brightness, in their order."""
    title: str = "My Segmenter"
    published: str = "2031-01"
    variant = ""
    decides = False
    text_key = None
    provenance = Provenance(model="brightness", source="none", sha256="0" * 64)
    device = torch.device("cpu")
    cache_group = ()

    @property
    def pass_key(self):
        return self

    def features_bytes(self, size, windows):
        return 4 * size[0] * size[1]

    def check(self, ids):
        pass

    def prepare(self, image, *, resize, sample_id=""):
        width, height = image.size
        grey = torch.frombuffer(bytearray(image.convert("L").tobytes()), dtype=torch.uint8)
        return grey.reshape(1, height, width).float() / 255

    def embed(self, vocabulary, prompts):
        return torch.zeros(len(vocabulary.class_words), 0)

    def encode_together(self, segmenters, images, *, windows):
        return [[Bright(image[0]) for image in images] for _ in segmenters]

    def sharing(self, models):
        return self

    models = ()

    def unload(self, keep=()):
        pass
''',
    "configs/segmenter/mine.yaml": "_target_: evaluation.segmenters.mine.Mine\n",
}

USE = """
import json, sys
from pathlib import Path
from evaluation.launch import compose_setting
from evaluation.pictures.predictions import draw_panels
from evaluation.records.query import read_frame
from evaluation.report.build import build
from evaluation.run.sweep import run_sweep
from evaluation.terminal.record_table import frame_table, show
from evaluation.console import console

console.width = 300
words = [
    ["backbone=mine", "method=mine", "dataset=mine"],
    ["backbone=mine", "method=clip", "dataset=mine"],
    ["segmenter=mine", "dataset=mine"],
    ["metric=mine", "dataset=mine"],
]
settings = [compose_setting([*one, "short_side=64"]) for one in words]
found = run_sweep(settings, Path("records"))
errors = [one.error for one in found if one.error]
for one in found:
    show([one.record], [one.path])
console.print(frame_table(read_frame(Path("records"))[0]))
panels, undrawn = draw_panels(settings[:2], Path("."))
lines = build(Path("records"), Path("."), Path("report"), images=2)
files = [path.name for path in panels]
Path("said.json").write_text(json.dumps([errors, files, undrawn, lines]))
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A copy of the code with one new part of each kind, after an evaluation with all of them."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("gem", "evaluation", "configs", "datasets", "hydra_plugins"):
        shutil.copytree(
            REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name, text in PARTS.items():
        (copy / name).write_text(text.lstrip(), encoding="utf-8")
    card = (copy / "datasets" / "toy.yaml").read_text(encoding="utf-8")
    lines = [line for line in card.splitlines(keepends=True) if not line.startswith("images:")]
    text = "".join(lines).replace("title:", "title: My Data Set #") + "images: 6\n"
    (copy / "datasets" / "mine.yaml").write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-c", USE],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return copy, done.stdout


def test_nothing_failed(used):
    copy, _ = used
    errors, panels, undrawn, lines = json.loads((copy / "said.json").read_text("utf-8"))
    assert (errors, undrawn) == ([], [])
    assert panels == ["panel-mine.png"]
    assert [line for line in lines if not line.startswith("report: ")] == []


def test_each_is_in_the_tables(used):
    _, said = used
    for name in ("my_method", "my_segmenter", "My Score", "mine, 6 images"):
        assert name in said, name
    assert "detail" not in said  # a score without a column


def test_each_is_in_the_report(used):
    copy, _ = used
    page = (copy / "report" / "index.html").read_text(encoding="utf-8")
    for name in ("My Method", "My Segmenter", "My Data Set", "My Score", "detail"):
        assert name in page, name
    assert page.index(">CLIP<") < page.index(">My Method<") < page.index(">My Segmenter<")


def test_each_is_in_the_panel(used):
    copy, _ = used
    assert (copy / "panel-mine.png").stat().st_size > 10_000
