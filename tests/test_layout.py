"""Where things lie, and what is imported when."""

import subprocess
import sys

import pytest
from conftest import REPOSITORY

from evaluation import places

HEAVY = ("torch", "open_clip", "torchvision", "numpy", "PIL", "hydra", "datasets", "matplotlib")


def python(code):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_folder_datasets_holds_no_python():
    assert list((REPOSITORY / "datasets").rglob("*.py*")) == []


def test_datasets_is_hugging_faces_package():
    """From the root of the repository, where the folder of cards lies in the way."""
    found = python("import importlib.util as u; print(u.find_spec('datasets').origin)")
    assert "site-packages" in found
    assert found.endswith("datasets/__init__.py")


def test_in_a_clone_data_lies_beside_the_packages():
    assert not places.INSTALLED
    assert (places.ROOT, places.CONFIGS) == (REPOSITORY, REPOSITORY / "configs")
    assert places.CARDS == REPOSITORY / "datasets"
    assert places.PUBLISHED == REPOSITORY / "results" / "published"


@pytest.mark.parametrize(
    "code",
    [
        "import gem",
        "import gem; gem.Gem(iters=3), gem.OpenClip(model='ViT-B-16'), gem.Square(size=224)",
        "from evaluation.setting import Setting; from gem.vocabulary import Prompts, Vocabulary",
    ],
)
def test_options_do_not_wait_for_torch(code):
    """A mistake in a config is answered at once."""
    light = HEAVY if code.startswith("import gem") else ("torch", "open_clip")
    loaded = python(f"{code}; import sys; print([m for m in {light} if m in sys.modules])")
    assert loaded == "[]"
