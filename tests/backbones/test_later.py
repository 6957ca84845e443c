"""Stand-ins of modules: what they stand for is done later, and nothing else."""

import inspect
import sys
from types import SimpleNamespace

import pytest
from test_layout import python

from gem.backbones.later import StandIn, later

BODY = """
LOADED.append(__name__)
class Doubled(list):
    def __init__(self, *items):
        super().__init__([*items, *items])
def add(one, *, other=1):
    return one + other
SIZE = 3
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """The names of the modules of a package that were imported, in their order."""
    found = []
    package = tmp_path / "slow"
    package.mkdir()
    say = "from builtins import slow_modules as LOADED\n"
    (package / "__init__.py").write_text(f"{say}LOADED.append(__name__)\nfrom slow import part\n")
    (package / "part.py").write_text(say + BODY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("builtins.slow_modules", found, raising=False)
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == "slow"]:
        del sys.modules[name]


NAMES = {"slow": (), "slow.part": ("Doubled", "add")}


def done(statement):
    """What an import statement binds."""
    names = {}
    exec(statement, names)  # noqa: S102
    return SimpleNamespace(**names)


def test_what_is_called_is_imported_when_it_is_called(loaded):
    with later(NAMES):
        slow = done("import slow").slow
        part = done("from slow.part import Doubled, add")
    assert loaded == []
    assert part.add(1, other=4) == 5
    assert loaded == ["slow", "slow.part"]
    assert type(part.Doubled(1)).__name__ == "Doubled"
    assert part.Doubled(1) == [1, 1]
    assert slow.part is sys.modules["slow.part"]
    assert slow.__file__.endswith("__init__.py")


def test_a_class_is_asked_for_its_attributes_and_instances(loaded):
    with later(NAMES):
        doubled = done("from slow.part import Doubled").Doubled
    assert not hasattr(doubled, "__wrapped__")
    assert loaded == []
    assert doubled.index([3, 4], 4) == 1
    assert loaded == ["slow", "slow.part"]
    assert isinstance(doubled(1), doubled)
    assert not isinstance([1, 1], doubled)


def test_afterwards_an_import_is_of_the_module_itself(loaded):
    with later(NAMES):
        Doubled = done("from slow.part import Doubled").Doubled  # noqa: N806
    slow = done("import slow").slow
    assert not isinstance(slow, StandIn)
    assert loaded == ["slow", "slow.part"]
    assert type(Doubled()) is slow.part.Doubled


def test_another_name_is_what_it_is_and_then_all_are(loaded):
    with later(NAMES):
        part = done("from slow.part import SIZE, Doubled, add")
    assert part.SIZE == 3
    assert loaded == ["slow", "slow.part"]
    assert inspect.isclass(part.Doubled)
    assert inspect.isfunction(part.add)


def test_a_name_that_is_not_there(loaded):
    with later(NAMES), pytest.raises(ImportError, match="cannot import name 'no_such'"):
        done("from slow.part import no_such")
    assert loaded == ["slow", "slow.part"]


@pytest.mark.usefixtures("loaded")
def test_what_is_imported_already_is_left_alone():
    before = done("from slow.part import Doubled")
    with later(NAMES):
        assert done("from slow.part import Doubled").Doubled is before.Doubled


def test_what_is_not_installed_stays_missing():
    with later({"no_such": (), "no_such.part": ("f",)}), pytest.raises(ImportError):
        done("from no_such.part import f")


@pytest.mark.usefixtures("loaded")
def test_nothing_is_left_of_an_import_that_fails():
    with pytest.raises(ZeroDivisionError), later(NAMES):
        raise ZeroDivisionError
    assert not {"slow", "slow.part"} & set(sys.modules)


def test_whoever_looks_at_all_modules_imports_none(loaded):
    """As `inspect` does, when torch asks it where a function is from."""
    with later(NAMES):
        assert not any(hasattr(module, "__file__") for module in map(sys.modules.get, NAMES))
        assert not hasattr(sys.modules["slow"], "__path__")
    assert loaded == []


OPEN_CLIP = """
import sys
from gem.backbones.known import load_open_clip
load_open_clip()
names = ("timm", "wandb", "sympy", "torch._dynamo", "transformers")
print([name for name in names if name in sys.modules])
import timm, torch, torchvision
from open_clip import timm_model
assert type(timm_model.Mlp(4, 8)) is timm.layers.Mlp and timm_model.to_2tuple(3) == (3, 3)
print(type(timm_model.TimmModel("convnext_atto", 8, image_size=64).trunk).__module__)
boxes = torch.tensor([[0.0, 0.0, 0.0, 2.0, 2.0]])
torch.use_deterministic_algorithms(True)
print(torchvision.ops.roi_align(torch.ones(1, 1, 4, 4), boxes, 1).item())
"""


def test_open_clip_makes_its_other_towers_as_ever():
    assert python(OPEN_CLIP).splitlines() == ["[]", "timm.models.convnext", "1.0"]
