"""The notebook of the first hour: its cells run, in their order, and show what they say."""

import ast
import json

import pytest
from conftest import REPOSITORY
from PIL import Image

import gem

NOTEBOOK = REPOSITORY / "docs" / "first-hour.ipynb"


@pytest.fixture(scope="module")
def cells():
    return json.loads(NOTEBOOK.read_text("utf-8"))["cells"]


def run(source, names):
    """Execute a cell; returns the value of its last line if that is an expression, as IPython."""
    *body, last = ast.parse(source).body
    shown = isinstance(last, ast.Expr)
    exec(compile(ast.Module(body if shown else [*body, last], []), "cell", "exec"), names)  # noqa: S102
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if shown else None  # noqa: S307


def test_no_outputs_are_stored(cells):
    code = [one for one in cells if one["cell_type"] == "code"]
    assert all(one["outputs"] == [] and one["execution_count"] is None for one in code)
    assert len({one["id"] for one in cells}) == len(cells)


def test_its_links_lead_somewhere(cells):
    text = "".join("".join(one["source"]) for one in cells if one["cell_type"] == "markdown")
    targets = [part.split(")")[0].partition("#")[0] for part in text.split("](")[1:]]
    assert len(targets) > 3
    assert [one for one in targets if not (NOTEBOOK.parent / one).exists()] == []


def test_every_cell_runs(cells, monkeypatch):
    monkeypatch.chdir(NOTEBOOK.parent)
    names = {"__name__": "__main__"}
    code = ["".join(one["source"]) for one in cells if one["cell_type"] == "code"]
    shown = [run(source, names) for source in code]
    pictures = [one for one in shown if isinstance(one, Image.Image)]
    assert len(pictures) == 6
    assert names["maps"].shape == names["scores"].shape == (3, 128, 128)
    assert names["maps"].amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])
    assert gem.visualize(names["image"], "a", names["labels"][None].float()).width > 320
    assert names["cosines"].amax() >= names["scores"].amax() - 1e-5  # between patches it is less
    assert names["alike"][names["row"], names["column"]].item() == pytest.approx(1, abs=1e-5)
    assert list(names["others"]) == ["CLIP", "MaskCLIP", "CLIP Surgery", "GEM"]
    assert names["mine"].segmenter.variant == "scale=30.0"
