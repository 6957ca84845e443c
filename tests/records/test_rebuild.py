"""A setting from its description, and nothing else from one."""

import json

import pytest
from conftest import REPOSITORY
from drawn import setting_of
from hydra import compose, initialize_config_dir

from evaluation import launch
from evaluation.data import Toy
from evaluation.records.rebuild import rebuild
from evaluation.setting import Setting
from evaluation.setting.identity import describe
from gem.methods import Gem

CONFIGS = REPOSITORY / "configs"


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("logger/*.yaml")))
def test_every_logger_comes_back(name):
    """All other parts: test_configs."""
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("config", overrides=[f"logger={name}"])
    built = launch.construct(config.logger)
    description = json.loads(json.dumps(describe(built)))
    rebuilt = rebuild(description)
    assert rebuilt == built
    assert describe(rebuilt) == description


def test_a_setting_comes_back_typed(small):
    description = describe(setting_of(small)) | {"dataset": describe(Toy(scenes=2))}
    setting = rebuild(description)
    assert isinstance(setting, Setting)
    assert setting.segmenter.method == Gem()
    assert setting.segmenter.method.projections == ("q", "k", "v")


OTHERS = "only options of gem and evaluation can be rebuilt"
NONE = "there is no such options class"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("os.system", OTHERS),
        ("subprocess.Popen", OTHERS),
        ("drawn.Noise", OTHERS),
        ("gemstone.Gem", OTHERS),
        (3, OTHERS),
        ("gem.methods.gem.Missing", NONE),
        ("gem.missing.Gem", NONE),
        ("gem..Gem", NONE),
        ("evaluation.records.rebuild.rebuild", NONE),
        ("evaluation.records.rebuild.import_module", NONE),
        ("evaluation.records.record.Path", NONE),
        ("evaluation.records.record.Record", NONE),  # a dataclass, but no options
        ("evaluation.run.checkpoint.States", NONE),
        ("gem.\0", NONE),
        ("gem." + "a." * 20 + "B", NONE),
        ("evaluation.records.rebuild.dataclasses", NONE),
    ],
)
def test_nothing_else_is_built(target, reason):
    with pytest.raises(ValueError) as caught:
        rebuild({"_target_": target, "args": "touch /tmp/x"})
    assert str(caught.value) == f"_target_ {target!r}: {reason}"


def test_a_foreign_target_inside():
    with pytest.raises(ValueError, match="only options of gem and evaluation"):
        rebuild({"_target_": "gem.methods.Gem", "iters": [{"_target_": "os.system"}]})


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"iters": -1}, "gem.Gem: iters=-1: input should be greater than or equal to 0"),
        ({"itres": 1}, "gem.Gem: itres=1: unexpected keyword argument"),
    ],
)
def test_options_that_this_code_does_not_take(options, reason):
    with pytest.raises(ValueError) as caught:
        rebuild({"_target_": "gem.Gem", **options})
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("place", "part", "reason"),
    [
        ("segmenter", {"_target_": "gem.Gem"}, "segmenter: expected a segmenter, found a Gem"),
        ("dataset", 5, "dataset: expected a dataset, found a int"),
        ("metric", None, "metric: expected a metric, found a NoneType"),
    ],
)
def test_a_part_of_another_kind(place, part, reason, small):
    """Pydantic skips these fields: a method in place of a segmenter would fail much later."""
    with pytest.raises(ValueError) as caught:
        rebuild(describe(setting_of(small)) | {"dataset": describe(Toy(scenes=2)), place: part})
    assert str(caught.value) == f"evaluation.setting.Setting: {reason}"
