"""What a user sees: a sentence for every mistake, and no record."""

import json
import os
import subprocess
import sys

import pytest
from conftest import REPOSITORY
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from evaluation import launch
from evaluation.launch.errors import PREPARE
from evaluation.launch.words import run_keys
from evaluation.run.job import run as job

CAUGHT = (HydraException, OmegaConfBaseException, ValueError, OSError)  # by run.py


def build(*overrides):
    config = launch.compose_config(overrides)
    assert launch.output_options(config)
    assert launch.build_tracker(config)
    return launch.build(config, overrides)


def said(*overrides):
    with pytest.raises(CAUGHT) as caught:
        build(*overrides)
    return launch.sentence(caught.value)


def choices(group):
    """What may stand behind ``group=``, as a sentence lists it."""
    return ", ".join(sorted(one.stem for one in (REPOSITORY / "configs" / group).glob("*.yaml")))


CHOICES = "input should be 'adaptive' or 'standard', or"
FLOAT32 = "expected a number from 1.2e-38 to 3.4e+38"
KEYS = ", ".join(sorted(run_keys()))
NO_COMPANION = "the method reads no companion; leave the word out, or choose method=proxyclip"
NEEDED = "no part can be left out; a choice or a value replaces it"
QUOTED = (
    "expected KEY=VALUE; a VALUE with special characters stands in quotes that reach this program: "
    "\"output='VALUE'\""
)
SENTENCES = {
    "gem.iters=-1": "gem.iters=-1: input should be greater than or equal to 0",
    "gem.iters=1.5": "gem.iters=1.5: input should be a valid integer",
    "gem.temperature=hot": f"gem.temperature=hot: {CHOICES} input should be a valid number",
    "gem.iters=99999999999999999999": (
        "gem.iters=99999999999999999999: input should be less than or equal to 1000"
    ),
    "gem.temperature=0": f"gem.temperature=0: {CHOICES} {FLOAT32}",
    "gem.temperature=nan": f"gem.temperature=nan: {CHOICES} {FLOAT32}",
    "gem.temperature=inf": f"gem.temperature=inf: {CHOICES} {FLOAT32}",
    "gem.temperature=1e-300": f"gem.temperature=1e-300: {CHOICES} {FLOAT32}",
    "gem.temperature_scale=0": f"gem.temperature_scale=0: {FLOAT32}",
    "gem.temperature_scale=1e300": f"gem.temperature_scale=1e+300: {FLOAT32}",
    "gem.normalize=maybe": "gem.normalize=maybe: input should be a valid boolean",
    "gem.projections=[q,x]": "gem.projections=x: input should be 'q', 'k' or 'v'",
    "gem.projections=[]": "gem.projections=[]: one or more of q, k, v, each at most once",
    "gem.projections=[q,q]": (
        "gem.projections=['q', 'q']: one or more of q, k, v, each at most once"
    ),
    "gem.blocks=0": "gem.blocks=0: input should be greater than or equal to 1",
    "gem.itres=2": (
        "gem.itres: this config has no such key (did you mean gem.iters?); gem.* are options of "
        "method=gem"
    ),
    "datset=toy": f"datset=toy: no such key (did you mean dataset?); the keys are {KEYS}",
    "metric=": f"metric=: expected one of {choices('metric')}",
    "protocol.resize.sice=64": (
        "protocol.resize.sice: this config has no such key (did you mean protocol.resize.size?)"
    ),
    "dataset=folder": "dataset.root: expected a value, dataset.root=VALUE",
    "by_dataset.voc.background=0.3": (
        "by_dataset.voc.background=0.3: these are the published values; set protocol.NAME or "
        "method.NAME instead"
    ),
    "companion=dino_vitb8": f"companion: {NO_COMPANION}",
    "companion.weights=null": f"companion.weights: {NO_COMPANION}",
    "+companion=dino_vitb8": f"+companion=dino_vitb8: {NO_COMPANION}",
    "method=gemm": f"method=gemm: no such choice; method is one of {choices('method')}",
    "prompts=foto": f"prompts=foto: no such choice; prompts is one of {choices('prompts')}",
    "batch_size=0": "batch_size=0: input should be greater than or equal to 1",
    "limit=many": "limit=many: input should be a valid integer",
    "batch_size=100000000": "batch_size=100000000: input should be less than or equal to 1024",
    "workers=100000": "workers=100000: input should be less than or equal to 256",
    "protocol.logit_scale=1e300": (
        "protocol.logit_scale=1e+300: expected a number from 1e-06 to 1e+06"
    ),
    "protocol.logit_scale=nan": "protocol.logit_scale=nan: expected a number from 1e-06 to 1e+06",
    "protocol.background=nan": "protocol.background=nan: input should be less than or equal to 1",
    "protocol.background=2": "protocol.background=2: input should be less than or equal to 1",
    "short_side=0": "protocol.resize.size=0: input should be greater than or equal to 1",
    "short_side=100000": "protocol.resize.size=100000: input should be less than or equal to 8192",
    "short_side=4096": (
        "protocol.resize: a shorter side of 4096 is above the cap of 2048 for the longer one"
    ),
    "prompts.templates=[a photo]": (
        "prompts.templates=a photo: the template 'a photo' needs one {} for the word, and no "
        "other gap"
    ),
    "prompts.templates=['a {} {x}']": (
        "prompts.templates=a {} {x}: the template 'a {} {x}' needs one {} for the word, and no "
        "other gap"
    ),
    "backbone.precision=int8": (
        "backbone.precision=int8: input should be 'fp32', 'tf32', 'bf16' or 'fp16'"
    ),
    "backbone.colour=red": "backbone.colour: this config has no such key",
    "dataset.split=train": "dataset.split=train: input should be 'eval' or 'tune'",
    "gem.iters": "gem.iters: expected KEY=VALUE",
    "~method": f"~method: {NEEDED}",
    "~limit": f"~limit: {NEEDED}",
    "save_every=nan": "save_every=nan: input should be a finite number",
    "limit=-1": "limit=-1: input should be greater than or equal to 1",
    "limit=1.5": "limit=1.5: input should be a valid integer",
    "limit={_target_:os.getcwd}": (
        "limit={'_target_': 'os.getcwd'}: input should be a valid integer"
    ),
    "output=": "output=: expected a folder",
    "labels=' '": "labels=: expected a folder",
    "": "an empty word: expected KEY=VALUE",
    "=x": "=x: expected KEY=VALUE",
    "output='abc": f"output='abc: {QUOTED}",
    "output=[abc": f"output=[abc: {QUOTED}",
    "output=ümlaut": f"output=ümlaut: {QUOTED}",
    "output=\x1b[31m": f"output=\\x1b[31m: {QUOTED}",
    "limit=int(x)": "limit=int(x): invalid literal for int() with base 10: 'x'",
    f"output={30 * '['}{30 * ']'}": (
        f"output={30 * '['}{30 * ']'}: brackets in more than 20 brackets"
    ),
    f"{300 * 'x'}=1": f"{300 * 'x'}=1: no such key",
    "gem=3": "gem=3: expected options, each as gem.NAME=VALUE",
    "gem=null": "gem=null: expected options, each as gem.NAME=VALUE",
    "gem=[1,2]": "gem=[1,2]: a value of another kind than what it replaces",
    "segmenter.method=3": (
        "segmenter.method=3: expected options, each as segmenter.method.NAME=VALUE"
    ),
    "protocol.resize=null": (
        "protocol.resize=null: expected options, each as protocol.resize.NAME=VALUE"
    ),
    "method=3": f"method=3: expected one of {choices('method')}",
    "method=null": f"method=null: expected one of {choices('method')}",
    "method={iters: 3}": f"method={{iters: 3}}: expected one of {choices('method')}",
    "method=[gem,clip]": (
        f"method=[gem,clip]: expected one of {choices('method')}, or several with -m method=A,B"
    ),
    "method=gem,clip": (
        "method=gem,clip: several values; -m sweeps over them, [A,B] is a list of them"
    ),
    "logger=3": "logger=3: expected one of none, wandb",
    "hydra/launcher=fast": (
        "hydra/launcher=fast: no such choice; hydra/launcher is one of basic, one_pass, "
        "submitit_local, submitit_slurm"
    ),
    "output=${nope}": "output: Interpolation key 'nope' not found",
    "output=${output}": "output: Recursive interpolation detected",
    "output=${nope:1}": "output: Unsupported interpolation type nope",
    "short_side=${short_side}": "protocol.resize.size: Recursive interpolation detected",
    "force=no": "force=no: input should be a valid boolean",
    "save_every=often": "save_every=often: input should be a valid number",
    "save_every=0": "save_every=0: input should be greater than 0",
    "output=null": "output=None: input should be a valid string",
}


@pytest.mark.parametrize("override", SENTENCES)
def test_a_mistake_in_the_config_gets_a_sentence(override):
    assert said(override) == SENTENCES[override]


OURS = "only options of gem and evaluation can be built"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("backbone._target_=os.system", f"backbone._target_=os.system: {OURS}"),
        ("logger._target_=os.system", f"logger._target_=os.system: {OURS}"),
        ("backbone._target_=null", f"backbone._target_=None: {OURS}"),
        ("backbone._target_=gem.load", "there is no such options class"),
        ("backbone._target_=gem.sys.exit", "there is no such options class"),
        ("dataset.size={_target_:os.getcwd}", f"dataset.size._target_=os.getcwd: {OURS}"),
        ("+gem.x=[{_target_:os.getcwd}]", f"gem.x.0._target_=os.getcwd: {OURS}"),
        ("protocol.resize._target_=os.getcwd", f"protocol.resize._target_=os.getcwd: {OURS}"),
        ("metric._target_=gem.Gem", "metric: gem.Gem is no Metric, it has no accumulator"),
        ("logger._target_=gem.Clip", "logger: gem.Clip is no Tracker, it has no log"),
        ("+gem._partial_=true", "gem._partial_=True: this config has no such key"),
        ("+gem._args_=[1]", "gem._args_=[1]: this config has no such key"),
    ],
)
def test_only_options_of_ours_are_built_and_where_they_belong(override, sentence):
    found = said(override)
    assert found.endswith(sentence)
    assert found.startswith(override.lstrip("+").split("=")[0].split(".")[0])


def test_a_shared_experiment_calls_nothing(tmp_path):
    """A YAML may come from anywhere; what it names is looked at before anything is called."""
    trace = tmp_path / "called"
    experiment = tmp_path / "experiment" / "shared.yaml"
    experiment.parent.mkdir()
    experiment.write_text(
        f"# @package _global_\nmetric: {{_target_: pathlib.Path.touch, _args_: [{trace}]}}\n"
    )
    done = command(tmp_path, f"hydra.searchpath=[file://{tmp_path}]", "experiment=shared")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: metric._target_=pathlib.Path.touch: {OURS}"
    assert not trace.exists()


def test_a_key_that_nothing_reads_is_not_added():
    for word in ("+limt=3", "++limt=3"):
        assert said(word).startswith(f"{word}: no such key (did you mean limit?); the keys are ")


@pytest.mark.parametrize(
    "word", ["backbone=tiny", "method=clip", "gem.iters=3", "+backbone.seed=1"]
)
def test_a_word_for_a_part_that_the_segmenter_does_not_have(word):
    part = "backbone" if "backbone" in word else "method"
    assert said("segmenter=predictions", "segmenter.root=x", word) == (
        f"{word}: the segmenter evaluation.segmenters.Predictions has no {part}, leave the word out"
    )


def test_a_very_long_sentence_is_cut_in_the_middle():
    found = launch.sentence(OSError(f"[Errno 36] File name too long: '{'x' * 5000}/end'"))
    assert len(found) < 1000
    assert found.startswith("[Errno 36] File name too long: 'xxx")
    assert found.endswith("xxx/end'")


def test_what_cannot_be_printed_is_shown_as_escapes():
    error = ValueError("mask \x1b[31m\udcff\x00.png \n is broken\x07")
    assert launch.sentence(error) == r"mask \x1b[31m\udcff\x00.png is broken\x07"


def test_an_error_without_words_has_a_sentence():
    assert launch.sentence(TimeoutError()) == "TimeoutError"


def test_options_of_gem_belong_to_gem():
    sentence = "gem.iters: this config has no such key; gem.* are options of method=gem"
    assert said("method=maskclip", "gem.iters=3") == sentence


def test_a_rule_about_two_values_names_their_object():
    assert said("protocol=sclip", "protocol.windows.stride=500") == (
        "protocol.windows: a stride of 500 leaves gaps between windows of 224"
    )


def test_one_root_is_for_all_data_sets(monkeypatch):
    monkeypatch.setenv("GEM_DATA", "/from/here")
    assert build("dataset=voc").dataset.root == "/from/here"
    for name in ("voc", "ade20k", "openimages"):
        assert build(f"dataset={name}", "root=/no/such").dataset.root == "/no/such"
    own = build("dataset=voc", "root=/no/such", "dataset.root=/own")
    assert own.dataset.root == "/own"
    assert build("root=/no/such").dataset == build().dataset  # drawn scenes have none


def test_a_mandatory_key_is_named():
    assert "dataset.root" in said("dataset=folder")


def stops(tmp_path, *overrides):
    """The sentence for a mistake that only shows when the evaluation starts; no record is left."""
    setting = build(*overrides)
    with pytest.raises(CAUGHT) as caught:
        job(setting, tmp_path / "records")
    assert list((tmp_path / "records").iterdir()) == []
    return launch.sentence(caught.value)


def small_model(folder):
    return [f"backbone.model={folder}", "backbone.device=cpu", "limit=1", "short_side=40"]


def test_a_data_folder_that_is_not_there(tmp_path):
    said = stops(tmp_path, "dataset=voc", "dataset.root=/no/such")
    assert said == f"dataset.root=/no/such: there is no such folder{PREPARE}"


def test_more_blocks_than_the_tower_has(tmp_path, folder):
    said = stops(tmp_path, *small_model(folder), "gem.blocks=12")
    assert said == "blocks=12: the tower has 5 blocks"


def test_no_rule_for_the_background(tmp_path, folder):
    said = stops(tmp_path, *small_model(folder), "protocol.background=null")
    assert said == (
        "protocol.background is null in protocol gem, but the data set has a background class: "
        "set a threshold in [0, 1]"
    )


def test_a_model_that_is_not_supported(tmp_path):
    said = stops(tmp_path, "backbone=clip_vit_b16", "backbone.model=RN50", "backbone.weights=null")
    assert said.startswith("backbone.model=RN50 has a ResNet image tower; supported are ")


def test_weights_that_are_not_on_this_machine(tmp_path):
    said = stops(tmp_path, "backbone=metaclip_vit_l14")
    assert said.startswith("the weights metaclip_400m of ViT-L-14 are not on this machine and ")
    assert said.endswith("or use backbone=tiny, which is embedded")


def test_words_that_do_not_fit_the_data_set(tmp_path, folder):
    said = stops(tmp_path, *small_model(folder), "vocabulary.words=[cat,dog]")
    assert said == "vocabulary.words has 2 classes, but toy has 15"


def command(tmp_path, *arguments):
    environment = os.environ | {"GEM_DATA": "/no/such", "GEM_CACHE": str(tmp_path / "cache")}
    arguments = [f"output={tmp_path}/records", f"hydra.run.dir={tmp_path}/run", *arguments]
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gem.iters=-1"], "gem.iters=-1: input should be greater than or equal to 0"),
        (["dataset=voc"], f"dataset.root=/no/such: there is no such folder{PREPARE}"),
        (
            ["method=[1]"],
            f"method=[1]: expected one of {choices('method')}, or several with -m method=A,B",
        ),
        (["gem=3"], "gem=3: expected options, each as gem.NAME=VALUE"),
        (["output='abc"], f"output='abc: {QUOTED}"),
        (["gem.iters"], "gem.iters: expected KEY=VALUE"),
        (
            ["logger=wandb", "logger.init_timeout=soon"],  # known before the evaluation
            "logger.init_timeout=soon: input should be a valid number",
        ),
        (
            ["segmenter=predictions", "segmenter.root=x", "method=clip"],
            (
                "method=clip: the segmenter evaluation.segmenters.Predictions has no method, "
                "leave the word out"
            ),
        ),
    ],
)
def test_the_command_ends_with_one_sentence(arguments, sentence, tmp_path):
    done = command(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    *before, last = done.stderr.splitlines()
    assert last == f"error: {sentence}"
    assert all(line.startswith("Error executing job with overrides") for line in before)  # Hydra's
    assert not list(tmp_path.glob("records/*"))


def test_the_command_leaves_a_record(tmp_path, folder):
    done = command(tmp_path, *small_model(folder), "gem.iters=2")
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "records").iterdir()
    record = json.loads(path.read_text(encoding="utf-8"))
    assert str(path) in done.stdout
    assert record["setting"]["segmenter"]["method"]["iters"] == 2
    assert record["images"] == 1
