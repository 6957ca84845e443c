"""What a command imports before it answers: a known record waits for no library that computes."""

import subprocess
import sys

import pytest
from conftest import REPOSITORY
from PIL import Image
from small_blip import write_blip

from evaluation import launch
from evaluation.run.job import run

COMPUTING = (
    "torch", "torchvision", "open_clip", "timm", "torchmetrics", "numpy", "scipy", "PIL", "cv2",
    "einops", "jaxtyping", "safetensors",
)  # fmt: skip
BESIDE = (
    "pandas", "pyarrow", "matplotlib", "wandb", "datasets", "huggingface_hub", "transformers",
    "sympy", "triton", "httpx", "requests", "jinja2",
)  # fmt: skip
UNUSED = (
    "timm", "torchmetrics", "torch._dynamo", "torch._inductor", "sympy", "wandb", "pandas",
    "scipy", "matplotlib", "transformers", "datasets",
)  # fmt: skip
"""What no evaluation of drawn scenes needs, although a package that it imports would import it."""
RUN = """
import atexit, gc, runpy, sys
atexit.register(lambda: print("frozen" if gc.get_freeze_count() else "searched", end=""))
atexit.register(lambda: print("imported:", *[one for one in {names} if one in sys.modules]))
sys.argv = ["run.py", *{words}]
runpy.run_path("run.py", run_name="__main__")
"""


def imported(names, *words):
    """What ``python run.py`` prints, and which of the names it has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(names=names, words=words)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed, _, found = done.stdout.rpartition("imported:")
    *names, end = found.split()
    assert end == "frozen"  # the end of a process is not spent on what it imported
    return printed, names


def answered(tmp_path, *words):
    """What is imported for the answer about a record that is there."""
    run(launch.compose_setting(words), tmp_path)
    folders = [f"output={tmp_path}", f"hydra.run.dir={tmp_path}/hydra"]
    printed, found = imported((*COMPUTING, *BESIDE), *words, *folders)
    assert "the record was there: nothing was evaluated" in printed
    return found


@pytest.mark.parametrize("data", ["toy", "toy_points"])
def test_a_known_record_is_answered_without_what_computes(data, tmp_path):
    assert answered(tmp_path, f"dataset={data}", "limit=1") == []


def test_a_known_record_of_files_on_disk(tmp_path, folder):
    voc = tmp_path / "VOCdevkit" / "VOC2012"
    for part, kind in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        (voc / part).mkdir(parents=True)
        Image.new("L", (50, 40)).save(voc / part / f"one.{kind}")
    (voc / "ImageSets" / "Segmentation").mkdir(parents=True)
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_text("one\n")
    model = ["backbone=clip_vit_b16", f"backbone.model={folder}", "backbone.weights=embedded"]
    model += ["backbone.quick_gelu=false", "backbone.device=cpu", "short_side=40"]
    assert answered(tmp_path, "dataset=voc", f"dataset.root={tmp_path}", *model) == []


def test_a_known_record_of_blip(tmp_path):
    """Its sizes and its provenance are read without the package that builds it."""
    write_blip(tmp_path / "blip")
    model = ["backbone=blip_vit_b16", f"backbone.model={tmp_path / 'blip'}", "backbone.device=cpu"]
    assert answered(tmp_path, "limit=1", "short_side=40", *model) == []


def test_an_evaluation_imports_nothing_that_it_does_not_need(tmp_path):
    words = ["limit=2", f"output={tmp_path}", f"hydra.run.dir={tmp_path}/hydra"]
    printed, found = imported((*UNUSED, "torch", "open_clip"), *words)
    assert "toy, 2 images" in printed
    assert found == ["torch", "open_clip"]
