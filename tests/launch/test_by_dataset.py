"""Values that differ by data set."""

import pytest
from conftest import REPOSITORY
from omegaconf import OmegaConf

from evaluation.launch import MISTAKES, build, compose_config, compose_setting, sentence
from evaluation.launch.by_dataset import NAMES, check_by_dataset
from evaluation.setting import DatasetValues

SCLIP = ["protocol=sclip", "vocabulary=sclip"]


def test_the_value_of_the_data_set_at_hand():
    found = compose_setting([*SCLIP, "dataset=voc"]).protocol
    assert (found.logit_scale, found.area_threshold, found.resize.size) == (65.0, 0.1, 336)


def test_a_data_set_without_values_has_the_defaults():
    """One that is not named, one of the drawn scenes, one that is no card."""
    for words in (["dataset=ade20k"], ["dataset=toy"], ["dataset=folder", "dataset.root=/none"]):
        found = compose_setting([*SCLIP, *words]).protocol
        assert (found.logit_scale, found.area_threshold, found.resize.size) == (40.0, None, 336)


def test_the_command_line_wins():
    words = [*SCLIP, "dataset=voc", "protocol.logit_scale=30", "protocol.area_threshold=null"]
    found = compose_setting(words).protocol
    assert (found.logit_scale, found.area_threshold) == (30.0, None)


def test_a_card_of_another_reader_counts():
    """Hugging Face rows say which card they are of."""
    words = [*SCLIP, "dataset=hub", "dataset.dataset=cityscapes"]
    assert compose_setting(words).protocol.resize.size == 560


def with_values(values, dataset="voc"):
    """SCLIP's config in which a data set has these values."""
    config = compose_config([*SCLIP, f"dataset={dataset}"])
    OmegaConf.set_struct(config, False)
    config.by_dataset.voc = values
    return config


def test_values_are_read_where_they_are_needed():
    found = build(with_values({"logit_scale": 12, "window": 64, "stride": 32})).protocol
    assert (found.logit_scale, found.windows.size, found.windows.stride) == (12.0, 64, 32)
    assert build(with_values({"background": None})).protocol.background is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"windw": 1}, f".windw: expected one of {', '.join(NAMES)}"),
        ({1: 1}, ".1: expected one of "),
        ({"window": "wide"}, ".window=wide: input should be a valid integer"),
        ({"window": 0}, ".window=0: input should be greater than or equal"),
        ({"logit_scale": -1}, ".logit_scale=-1: expected a number from"),
        ({"background": 2}, ".background=2: input should be less than or equal"),
        ({"background": [1]}, ".background=[1]: input should be a"),
        (3, "=3: expected values, each as NAME: VALUE"),
        (None, "=None: expected values, each as NAME: VALUE"),
    ],
)
def test_a_wrong_value_is_a_sentence(values, said):
    """Also of a data set that is not the one at hand."""
    for dataset in ("voc", "toy"):
        with pytest.raises(MISTAKES) as caught:
            build(with_values(values, dataset))
        assert sentence(caught.value).startswith(f"by_dataset.voc{said}")


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ({"vox": {"window": 3}}, "by_dataset.vox: no such data set, expected one of ade20k, "),
        ({3: {"window": 3}}, "by_dataset.3: no such data set, expected one of ade20k, "),
        ([1], "by_dataset=[1]: expected a data set's name, and its values below it"),
        ("voc", "by_dataset=voc: expected a data set's name, and its values below it"),
    ],
)
def test_a_node_of_another_shape(node, said):
    with pytest.raises(ValueError) as caught:
        check_by_dataset(OmegaConf.create({"by_dataset": node}))
    assert str(caught.value).startswith(said)


def test_a_config_asks_for_values_that_there_are():
    config = compose_config([*SCLIP, "dataset=voc"])
    config.protocol.background = "${by_dataset:backgruond,0.1}"
    with pytest.raises(MISTAKES) as caught:
        build(config)
    assert "by_dataset:backgruond: expected one of short_side, window, " in sentence(caught.value)


def test_every_value_is_one_that_some_config_reads():
    text = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("protocol", "method", "segmenter")
        for path in (REPOSITORY / "configs" / folder).glob("*.yaml")
    )
    assert all(f"${{by_dataset:{name}," in text for name in NAMES)
    assert DatasetValues() == DatasetValues(**dict.fromkeys(NAMES))
