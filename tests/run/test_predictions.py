"""The seam: predictions that were written, evaluated as a segmenter, give the numbers of ours."""

import json
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from drawn import CLASSES, SIZES, Noise, setting_of
from PIL import Image

from evaluation.data import Toy, ToyPoints, Words
from evaluation.records.checked import check_setting
from evaluation.records.rebuild import rebuild
from evaluation.run.job import find_or_run, run
from evaluation.run.output import OutputOptions
from evaluation.run.sweep import run_sweep
from evaluation.segmenters import Predictions
from gem.methods import Clip


@pytest.fixture(scope="module")
def setting(small):
    return setting_of(small, dataset=Toy(scenes=5, size=48), batch_size=2)


def save(setting, tmp_path, kind):
    """Evaluate and save; what was done, and the folder of the predictions."""
    output = OutputOptions(
        output=str(tmp_path / "records"), labels="none", save=kind, save_every=1e-9,
        predictions=str(tmp_path / "saved"),
    )  # fmt: skip
    done = find_or_run(setting, output)
    (folder,) = (tmp_path / "saved").iterdir()
    return done.record, folder


def read_back(setting, folder, **options):
    card = setting.dataset.dataset
    return replace(setting, segmenter=Predictions(root=str(folder), dataset=card, **options))


def test_label_maps_give_the_same_matrix(setting, tmp_path):
    ours, folder = save(setting, tmp_path, "predictions")
    assert sorted(path.name for path in folder.glob("*.png")) == [f"{n}.png" for n in range(5)]
    theirs = run(read_back(setting, folder), tmp_path / "theirs").record
    assert theirs.counts == {"matrix": ours.counts["matrix"]}
    assert theirs.scores == {name: ours.scores[name] for name in ("miou", "pixel_accuracy")}
    assert theirs.per_class == ours.per_class
    assert (theirs.names["method"], theirs.names["model"]) == ("predictions", "files")
    assert theirs.names["protocol"] == "its own"


@pytest.mark.parametrize("data", [Toy(scenes=5, size=48), ToyPoints(scenes=5, size=48)], ids=str)
def test_scores_give_every_count(data, setting, tmp_path):
    ours, folder = save(replace(setting, dataset=data), tmp_path, "scores")
    theirs = run(read_back(replace(setting, dataset=data), folder), tmp_path / "theirs").record
    assert (theirs.counts, theirs.scores) == (ours.counts, ours.scores)
    assert theirs.names["protocol"] == "test"


def test_points_of_label_maps(setting, tmp_path):
    """A point is inside where the label of its pixel is its class: no other program is needed."""
    data = ToyPoints(scenes=5, size=48)
    for sample_id in data.ids:
        Image.fromarray(Toy(scenes=5, size=48)[sample_id].truth).save(tmp_path / f"{sample_id}.png")
    perfect = read_back(replace(setting, dataset=data), tmp_path)
    perfect = replace(perfect, segmenter=replace(perfect.segmenter, dataset="toy"))
    assert run(perfect, tmp_path / "records").record.scores["pmiou"] == 1


def test_the_manifest_says_what_the_files_are(setting, tmp_path):
    record, folder = save(setting, tmp_path, "predictions")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["record"]) == ("predictions", record.key)
    assert manifest["labels"] == list(setting.dataset.card.labels)
    assert folder.name == f"toy-gem-small-{record.key}"


def test_saving_evaluates_although_the_record_is_there(setting, seen, tmp_path):
    save(setting, tmp_path, "predictions")
    seen.clear()
    _, folder = save(setting, tmp_path, "predictions")
    assert sum(seen) == 5
    assert len(list(folder.glob("*.png"))) == 5


class Killed(BaseException):
    """Nothing catches it, as nothing catches a signal."""


@pytest.fixture
def killed(monkeypatch):
    """Let the body end at the moment when all is counted and nothing is recorded."""

    @contextmanager
    def kill():
        def die(*_):
            raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012 the body is the test
            patch.setattr("evaluation.run.job.make_record", die)
            yield

    return kill


def test_a_killed_pass_that_saved_nothing_is_not_gone_on_from(setting, killed, seen, tmp_path):
    """Its images would have a count, but no file."""
    with killed():
        run(setting, tmp_path / "records", save_every=1e-9)
    assert list((tmp_path / "records").glob(".*.state"))
    seen.clear()
    _, folder = save(setting, tmp_path, "predictions")
    assert sum(seen) == 5
    assert len(list(folder.glob("*.png"))) == 5


def test_a_killed_pass_that_saved_goes_on(setting, killed, seen, tmp_path):
    with killed():
        save(setting, tmp_path, "predictions")
    seen.clear()
    ours, folder = save(setting, tmp_path, "predictions")
    assert sum(seen) == 0
    theirs = run(read_back(setting, folder), tmp_path / "theirs").record
    assert theirs.counts["matrix"] == ours.counts["matrix"]


@pytest.mark.parametrize("name", ["../../out", "/out", "a/../../../out"])
def test_an_id_that_leads_out_of_the_folder(name, setting, tmp_path, monkeypatch):
    monkeypatch.setattr(type(setting.dataset), "ids", property(lambda _: ("0", name)))
    with pytest.raises(ValueError, match="leads out of") as caught:
        save(setting, tmp_path, "predictions")
    said = f"save=predictions: the id {name} leads out of {tmp_path}/saved/toy-gem-small-"
    assert str(caught.value).startswith(said)
    assert not list((tmp_path / "saved").iterdir())


def test_a_file_that_vanished_is_told(setting, tmp_path, monkeypatch):
    from evaluation.run.save_predictions import PredictionWriter

    finish = PredictionWriter.finish

    def vanish(self, settings, records):
        next((tmp_path / "saved").rglob("3.png")).unlink()
        finish(self, settings, records)

    monkeypatch.setattr(PredictionWriter, "finish", vanish)
    with pytest.raises(FileNotFoundError, match=r"3\.png is gone"):
        save(setting, tmp_path, "predictions")
    assert not list((tmp_path / "records").glob("*.json"))


def test_predictions_stand_in_a_sweep_beside_methods(setting, tmp_path):
    _, folder = save(setting, tmp_path, "predictions")
    method = replace(setting.segmenter, method=Clip())
    settings = [replace(setting, segmenter=method), read_back(setting, folder, title="Other")]
    found = run_sweep(settings, tmp_path / "sweep")
    assert [one.error for one in found] == [None, None]
    assert [one.record.names["title"] for one in found] == ["CLIP", "Other"]


def test_changed_files_are_evaluated_again(setting, tmp_path):
    """Also where name and size of the file stay: the hash is over the content."""
    _, folder = save(setting, tmp_path, "predictions")
    first = check_setting(read_back(setting, folder))
    path = folder / "0.png"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))
    assert check_setting(read_back(setting, folder)).key != first.key


def test_a_record_of_predictions_comes_back(setting, tmp_path):
    _, folder = save(setting, tmp_path, "predictions")
    record = run(read_back(setting, folder), tmp_path / "theirs").record
    assert rebuild(record.setting).segmenter == Predictions(root=str(folder), dataset="toy")


def write(folder, labels):
    folder.mkdir(exist_ok=True)
    for name, one in labels.items():
        Image.fromarray(one).save(folder / f"{name}.png")
    return folder


def whole(value, *, size=(48, 48)):
    return np.full(size, value, dtype=np.uint8)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({}, r"segmenter\.root=.*: 1 of 5 predictions are missing; the first is 4\.png"),
        ({"4": whole(1, size=(4, 6))}, r"prediction 4\.png is 4x6 but its image is 48x48"),
        ({"4": whole(77)}, r"mask 4\.png has the label 77, expected 0 to 15 or 255 \(void\)"),
        ({"4": whole(255)}, r"prediction 4\.png leaves 2304 pixels void, expected a label for"),
        ({"4": np.zeros((48, 48, 3), np.uint8)}, r"4\.png cannot be read as a mask: it is RGB"),
    ],
    ids=["missing", "size", "label", "void", "colour"],
)
def test_bad_label_maps(labels, said, setting, tmp_path):
    good = {str(n): whole(n) for n in range(4)}
    folder = write(tmp_path / "labels", good | labels)
    with pytest.raises((ValueError, OSError), match=said):
        run(read_back(setting, folder), tmp_path / "records")
    assert not list((tmp_path / "records").glob("*.json"))


FEW = np.zeros((15, 2, 2), dtype=np.float32)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"maps": FEW}, r"0\.npz has no array scores, but maps"),
        ({"a\x1b": FEW}, r"0\.npz has no array scores, but 'a\\x1b'"),
        ({"scores": FEW[0]}, r"0\.npz has scores of the shape \(2, 2\) and type float32"),
        ({"scores": FEW.astype(int)}, r"type int64, expected floating-point maps"),
        ({"scores": FEW + np.nan}, r"0\.npz has scores that are not finite"),
        ({"scores": FEW.astype(float) + 1e300}, r"0\.npz has scores that are not finite"),
        ({"scores": FEW[:3]}, r"a file has 3 maps of scores, but the vocabulary has 15 words"),
        ({"scores": FEW, "words": np.array(["sun", "sea"])}, r"0\.npz: map 1 is of 'sea', but"),
        ({"scores": FEW, "words": np.array("sun")}, r"0\.npz has words of the shape \(\) and type"),
        ({"scores": FEW, "words": np.eye(2)}, r"words of the shape \(2, 2\) and type float64, exp"),
    ],
    ids=[
        "no array",
        "signs",
        "shape",
        "type",
        "nan",
        "too large",
        "number",
        "words",
        "flat",
        "numbers",
    ],
)
def test_bad_scores(arrays, said, setting, tmp_path):
    (tmp_path / "scores").mkdir()
    for name in range(5):
        np.savez(tmp_path / "scores" / f"{name}.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        run(read_back(setting, tmp_path / "scores"), tmp_path / "records")


def test_every_file_says_the_same_words(setting, tmp_path):
    """The first was compared with the vocabulary, and the others with nothing."""
    (tmp_path / "scores").mkdir()
    words = np.array([word for _, word in setting.class_vocabulary.class_words])
    for name in range(5):
        order = words[::-1] if name == 3 else words
        np.savez(tmp_path / "scores" / f"{name}.npz", scores=FEW, words=order)
    with pytest.raises(
        ValueError, match=r"3\.npz says other words of its maps than the first file"
    ):
        run(read_back(setting, tmp_path / "scores"), tmp_path / "records")


def npy():
    buffer = BytesIO()
    np.save(buffer, FEW)
    return buffer.getvalue()


def bomb():
    """An array that says to have a million billion numbers."""
    buffer, header = BytesIO(), BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**5, 10**5, 10**5)}
    )
    with ZipFile(buffer, "w") as archive:
        archive.writestr("scores.npy", header.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04broken", npy(), bomb()], ids=["none", "zip", "npy", "bomb"]
)
def test_a_broken_archive(content, setting, tmp_path):
    (tmp_path / "scores").mkdir()
    for name in range(5):
        (tmp_path / "scores" / f"{name}.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"0\.npz cannot be read as scores: "):
        run(read_back(setting, tmp_path / "scores"), tmp_path / "records")


def test_nothing_pickled_is_read(setting, tmp_path):
    (tmp_path / "scores").mkdir()
    for name in range(5):
        scores = np.array([SimpleNamespace()], dtype=object)
        np.savez(tmp_path / "scores" / f"{name}.npz", scores=scores)
    with pytest.raises(ValueError, match=r"0\.npz cannot be read as scores: .*pickle"):
        run(read_back(setting, tmp_path / "scores"), tmp_path / "records")


def test_both_kinds_need_a_word(setting, tmp_path):
    write(tmp_path, {str(n): whole(n) for n in range(5)})
    for name in range(5):
        np.savez(tmp_path / f"{name}.npz", scores=FEW)
    with pytest.raises(ValueError, match=r"has label maps and scores: set segmenter.kind=labels"):
        check_setting(read_back(setting, tmp_path))
    assert check_setting(read_back(setting, tmp_path, kind="labels")).names["protocol"] == "its own"


def test_the_data_sets_own_ids(tmp_path):
    """ADE20K stores its first label as 1."""
    predictions = Predictions(root=str(tmp_path), dataset="ade20k", encoding="official")
    Image.fromarray(np.array([[1, 150]], dtype=np.uint8)).save(tmp_path / "a.png")
    read = predictions.prepare(Image.new("RGB", (2, 1)), resize=None, sample_id="a")
    assert read.tolist() == [[0, 149]]
    assert predictions.variant == "encoding=official"


def test_words_of_a_class_and_of_a_background(small, tmp_path):
    """Maps follow the words, as those of a model do: several of one class, one for background."""
    words = Words(words=("a; b", "c", "d", "e"))
    setting = setting_of(small, dataset=Noise(background=False), vocabulary=words)
    maps = {}
    for name, size in enumerate(SIZES):
        generator = torch.Generator().manual_seed(name)
        maps[name] = torch.rand(5, *size, generator=generator).numpy()
        np.savez(tmp_path / f"{name}.npz", scores=maps[name])
    theirs = replace(setting, segmenter=Predictions(root=str(tmp_path), dataset="toy"))
    found = run(theirs, tmp_path / "records").record.counts["matrix"]
    expected = np.zeros((4, 4), dtype=int)
    owner = np.array([0, 0, 1, 2, 3])
    for name in range(len(SIZES)):
        truth = Noise(background=False)[str(name)].truth
        best = owner[maps[name].argmax(axis=0)]
        np.add.at(expected, (truth[truth < 4], best[truth < 4]), 1)
    assert found == expected.tolist()
    assert len(CLASSES) == 4
