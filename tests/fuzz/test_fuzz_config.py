"""Any words on a command line, and any YAML behind them: a setting, or one sentence."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, answer, changed, edited, fuzzed

from evaluation import launch
from evaluation.launch.words import Key, key_values, read_keys, split_overrides
from evaluation.places import CONFIGS
from evaluation.setting import Setting
from evaluation.setting.identity import describe, fingerprint

GROUPS = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir() and path.name != "hydra")
KEYS = [
    *GROUPS, "gem", "gem.iters", "gem.temperature", "gem.temperature_scale", "gem.projections",
    "gem.blocks", "gem.mlp", "method._target_", "backbone.model", "backbone.weights",
    "backbone.device", "backbone.quick_gelu", "backbone._target_", "dataset.scenes", "dataset.size",
    "dataset.split", "dataset._target_", "protocol.background", "protocol.resize",
    "protocol.resize.size", "protocol.windows", "protocol.logit_scale", "protocol.reduce",
    "prompts.templates", "vocabulary.words", "vocabulary.family", "metric._target_",
    "logger._target_", "short_side", "batch_size", "workers", "limit", "output", "labels",
    "force", "save_every", "save", "predictions", "hydra.run.dir", "hydra.job.name",
    "hydra.searchpath", "experiment", "x", "gem.x", "", ".", "a b", "é", "hydra",
]  # fmt: skip
VALUES = [
    "", "null", "true", "0", "1", "-1", "2", "1.5", "1e3", "1e999", "nan", "inf", "-inf", "1e-300",
    "99999999999999999999", "[]", "[1]", "[a,b]", "{}", "{a:1}", "{_target_:os.getcwd}", "[[[]]]",
    "'", '"', "[", "}", "'a b'", "'{}'", "'{x}'", "['a {} {x}']", "['{}']", "a,b", "choice(1,2)",
    "range(1,3)", "${output}", "${nope}", "${", "${oc.env:NOPE}", "${dataset}", "${gem.iters}",
    "os.system", "gem.Gem", "gem.Patches", "evaluation.data.Toy", "evaluation.setting.Setting",
    "toy", "voc", "clip", "gem", "tiny", "none", "predictions", "photo", "sclip", "é", "\x1b[31m",
    "\0", "../x", "/x", "x" * 3000, "[" * 300, "\ud800", "'\\n'", "int(3)", "sort(3,1)", "glob(*)",
]  # fmt: skip
WORDS = st.builds(
    lambda prefix, key, equals, value: f"{prefix}{key}{equals}{value}",
    st.sampled_from(["", "", "", "", "+", "++", "~"]), st.sampled_from(KEYS),
    st.sampled_from(["=", "=", "=", "=", "", "@x=", "/x="]),
    st.sampled_from(VALUES) | st.text(max_size=6),
)  # fmt: skip


def compose(words):
    """As run.py does before it evaluates."""
    config = launch.compose_config(words)
    setting = launch.build(config, words)
    launch.output_options(config)
    launch.build_tracker(config)
    return setting


@fuzzed(share=0.5, words=st.lists(WORDS, min_size=1, max_size=3))
def test_words_of_run(words):
    found = answer(lambda: compose(words))
    if isinstance(found, Setting):
        assert re.fullmatch("[0-9a-f]{12}", fingerprint(found))
        assert "nan" not in str(describe(found)).lower().replace("naclip", "")


@fuzzed(share=0.5, text=st.text(max_size=20))
def test_any_text_for_run(text):
    answer(lambda: compose([text]))


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """A folder of experiments, and the words that find them."""
    folder = tmp_path_factory.mktemp("configs")
    (folder / "experiment").mkdir()
    return folder / "experiment" / "shared.yaml", f"hydra.searchpath=['file://{folder}']"


def compose_file(search, content):
    path, word = search
    path.write_bytes(content)
    answer(lambda: compose([word, "experiment=shared"]))


EXPERIMENT = {
    "defaults": [{"override /method": "gem"}, {"override /protocol": "sclip"}],
    "gem": {"_target_": "gem.Gem", "iters": 2, "projections": ["q", "k"]},
    "protocol": {"logit_scale": 40.0, "resize": {"_target_": "gem.ShortSide", "size": 64}},
    "limit": 3,
}
PACKAGE = "# @package _global_\n"


@fuzzed(share=0.3, changes=CHANGES)
def test_experiments_of_another_shape(changes, search):
    text = yaml.safe_dump(changed(EXPERIMENT, changes), allow_unicode=False)
    compose_file(search, (PACKAGE + text).encode())


@fuzzed(share=0.3, edits=EDITS)
def test_experiments_of_other_bytes(edits, search):
    compose_file(search, edited((PACKAGE + yaml.safe_dump(EXPERIMENT)).encode(), edits))


OWN = {
    "limit": Key(None, "n", kind=int, least=1), "rate": Key(0.5, "n", least=0),
    "force": Key(False, "yes"), "out": Key(Path("x"), "where"), "scales": Key((), "several"),
    "only": Key("a", "which", among=("a", "b")), "sort": Key("a", "column"),
}  # fmt: skip
SCRIPT = st.builds(
    lambda key, equals, value: f"{key}{equals}{value}",
    st.sampled_from([*OWN, "dataset", "gem.iters", "-limit", "--help-me", "x", ""]),
    st.sampled_from(["=", "=", "=", "", "=="]), st.sampled_from(VALUES) | st.text(max_size=6),
)  # fmt: skip


@fuzzed(words=st.lists(SCRIPT, max_size=3))
def test_words_of_scripts(words):
    def read():
        own = read_keys("", OWN, words)
        assert own["limit"] is None or own["limit"] >= 1
        assert own["rate"] >= 0
        return own

    answer(read, *words)
    answer(lambda: split_overrides(words, OWN), *words)
    answer(lambda: key_values(words, "a=b"), *words)


PIECES = [
    "!!int ", "!!float ", "!!timestamp ", "!!python/object:os.system ", "&a ", "*a", "[", "]", "{",
    "}", ": ", ", ", "- ", "2020-13-45", "0x", "1:2:3", "|", ">", "=", "<<", "\n", "'", '"', "~",
    "%", "@", "`", "x", "\0", "é", "? ",
]  # fmt: skip
YAML = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@fuzzed(text=YAML)
def test_values_as_yaml(text):
    answer(lambda: key_values([f"a={text}"], "a=b"), "a=")
