"""``scripts/prepare.py``: the table of all data sets, one data set, and wrong arguments."""

import io
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from official import lay
from rich.console import Console

from evaluation.prepare import layout, tables
from evaluation.terminal import whole_words


def test_every_data_set_has_a_row(tmp_path):
    table = tables.overview(tmp_path / "nothing")
    assert table.row_count == len(layout.names()) - 1  # all but hub
    lines = tables.addresses(tmp_path / "nothing")
    assert any("VOCtrainval_11-May-2012.tar" in line and "voc, voc20" in line for line in lines)


def test_no_name_is_cut_on_a_narrow_terminal(tmp_path, monkeypatch):
    narrow = Console(
        width=50, file=io.StringIO(), force_terminal=True, color_system=None, soft_wrap=True
    )
    monkeypatch.setattr(whole_words, "console", narrow)
    narrow.print(tables.overview(tmp_path / "nothing"))
    said = narrow.file.getvalue()
    assert "\N{HORIZONTAL ELLIPSIS}" not in said
    assert {"coco_object_stuff", "36702", "verified"} <= set(re.findall(r"\w+", said))


def run(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, "scripts/prepare.py", *arguments],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment or None,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_command(tmp_path):
    lay(tmp_path, "ade20k", "ADE_val_00000001", np.array([[1, 2]], dtype=np.uint8))
    code, said, errors = run(GEM_DATA=str(tmp_path), HF_HOME=str(tmp_path / "hf"))
    assert (code, errors) == (0, "")
    assert "partial, 1 of 2000" in said
    target = tmp_path / "out.parquet"
    code, said, errors = run(
        "dataset=ade20k", f"root={tmp_path}", "download=no", f"export={target}"
    )
    assert (code, errors) == (0, "")
    assert target.is_file()
    assert "wall" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dataset=cifar"], "error: dataset=cifar: no such choice; dataset is one of ade20k, "),
        (["voc"], "error: voc: expected KEY=VALUE"),
        (["dataset=voc", "download=never"], "error: download=never: expected one of auto, yes, no"),
        (["dataset=voc", "download=[x]"], "error: download=[x]: expected one of auto, yes, no"),
        (["dataset=voc", "encoding=[x"], "error: encoding=[x: expected a value that YAML can read"),
        (["dataset=voc", "encoding=grey"], "error: dataset.encoding=grey: input should be 'off"),
        (["dataset=voc", "sizes=3"], "error: sizes: dataset=voc has dataset, encoding, image, "),
    ],
)
def test_wrong_arguments(arguments, said):
    code, _, errors = run(*arguments)
    assert code == 1
    assert errors.startswith(said)
    assert errors.count("\n") == 1
