"""``records.py compare``: two records by score, class and image."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from conftest import load_script
from drawn import setting_of, with_method
from reported import NASTY, record

from evaluation.comparison.compare import compare
from evaluation.comparison.files import read_both
from evaluation.data import Toy, ToyPoints
from evaluation.records.image_counts import image_file
from evaluation.records.record import find_file, write_record
from evaluation.run.save_images import ImageWriter
from evaluation.run.sweep import run_sweep
from gem.methods import Clip

script = load_script("records")


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    """Records of GEM and CLIP, of masks and of points, with counts by image; record and file."""
    folder = tmp_path_factory.mktemp("records")
    found = []
    for data in (Toy(scenes=6, size=48), ToyPoints(scenes=6, size=48)):
        gem = setting_of(small, dataset=data)
        settings = [gem, with_method(gem, Clip())]
        found += run_sweep(settings, folder, writer=ImageWriter(folder))
    return [(one.record, one.path) for one in found]


def said(words, capsys):
    capsys.readouterr()
    assert script.main(["compare", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_scores_classes_and_images(saved, capsys):
    (gem, path), (clip, other) = saved[:2]
    shown = said([path, other], capsys)
    assert f"A: gem, small, embedded, on toy, 6 images ({gem.key})" in shown
    assert "method: gem (A), clip (B)" in shown
    difference = 100 * (clip.scores["miou"] - gem.scores["miou"])
    assert re.search(rf"mIoU .*{100 * gem.scores['miou']:.1f} .*{difference:+.2f}", shown)
    assert "paired bootstrap over 6 images, 10000 draws, seed=0" in shown
    assert "images with the largest gains and losses" in shown
    assert "mean IoU over the labels" in shown


def test_a_record_and_itself(saved):
    pairs = [saved[0], saved[0]]
    found = compare(saved[0][0], saved[0][0], read_both(pairs)[0], draws=200)
    assert {one.difference for one in (*found.scores, *found.classes)} <= {0, None}
    assert {one.difference for one in found.images} == {0}
    tested = {(one.low, one.high, one.p) for one in found.significance.values()}
    assert tested == {(0, 0, 1)}
    assert set(found.significance) == {"mIoU", "mIoU fg", "map IoU", "pix acc"}


def test_points(saved):
    first, second = saved[2:]
    found = compare(first[0], second[0], read_both([first, second])[0], draws=200)
    assert set(found.significance) == {"p-mIoU"}
    assert [one.name for one in found.scores] == ["p-mIoU"]
    assert len(found.images) <= 6


def test_the_order_of_classes_and_images(saved):
    first, second = saved[:2]
    found = compare(first[0], second[0], read_both([first, second])[0], draws=100)
    gaps = [abs(one.difference or 0) for one in found.classes]
    assert gaps == sorted(gaps, reverse=True)
    gains = [one.difference for one in found.images]
    assert gains == sorted(gains, reverse=True)


def test_keys_and_the_csv(saved, capsys, tmp_path):
    (gem, path), (clip, _) = saved[:2]
    target = tmp_path / "all.csv"
    words = [gem.key[:8], clip.key, f"folder={path.parent}", "seed=3", "draws=200"]
    shown = said([*words, f"csv={target}", "images=0", "classes=0"], capsys)
    assert "200 draws, seed=3" in shown
    frame = pd.read_csv(target)
    assert list(frame["kind"].value_counts()[["score", "class", "image"]]) == [4, 16, 6]
    assert frame.query("kind == 'score'")["p"].between(0, 1).all()
    assert frame["difference"][0] == pytest.approx(100 * (clip.headline - gem.headline))


def test_without_counts_by_image(saved, capsys, tmp_path):
    paths = [write_record(one, tmp_path) for one, _ in saved[:2]]
    image_file(paths[0]).write_bytes(image_file(saved[0][1]).read_bytes())
    shown = said(paths, capsys)
    assert f"note: there is no {image_file(paths[1])}: with counts by image" in shown
    assert shown.count("there is no") == 1
    assert "bootstrap" not in shown
    assert "mIoU" in shown


def test_a_file_of_another_record_is_refused(saved, tmp_path):
    paths = [write_record(one, tmp_path) for one, _ in saved[:2]]
    for path in paths:
        image_file(path).write_bytes(image_file(saved[0][1]).read_bytes())
    with pytest.raises(ValueError, match=r"is not the counts by image of its record: they are of"):
        script.main(["compare", *map(str, paths)])


PLAIN = record(key="1" * 12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"names": PLAIN.names | {"dataset": "voc"}}, "data sets (toy and voc)"),
        (
            {"hashes": PLAIN.hashes | {"samples": "x"}, "images": 100},
            "samples (200 images and 100 images)",
        ),
        ({"hashes": PLAIN.hashes | {"data": "x"}}, "data"),
        ({"hashes": PLAIN.hashes | {"vocabulary": "x"}}, "words"),
        ({"per_class": {"background": 0.9}}, "classes"),
        ({"setting": PLAIN.setting | {"metric": {"_target_": "gem.other"}}}, "metrics"),
    ],
)
def test_records_of_another_question_are_refused(changed, said):
    other = replace(PLAIN, key="2" * 12, **changed)
    with pytest.raises(ValueError) as caught:
        compare(PLAIN, other)
    expected = f"111111111111 and 222222222222 cannot be compared: they are of other {said}"
    assert str(caught.value) == expected


def test_other_templates_of_prompts_are_compared():
    setting = PLAIN.setting | {"prompts": {"_target_": "gem.prompts", "templates": ["{}"]}}
    hashes = PLAIN.hashes | {"vocabulary": "x"}
    assert compare(PLAIN, replace(PLAIN, setting=setting, hashes=hashes)).images == ()
    words = setting | {"vocabulary": {"_target_": "gem.other"}}
    with pytest.raises(ValueError, match="of other words"):
        compare(PLAIN, replace(PLAIN, setting=words, hashes=hashes))


def test_names_from_anywhere_are_printed_as_they_are(tmp_path, capsys):
    paths = [write_record(record(key=key * 12, options="[bold]\x1b[2J"), tmp_path) for key in "12"]
    shown = said(paths, capsys)
    assert "gem [bold]\\x1b[2J" in shown
    assert NASTY in shown


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "compare: which records? Give two files, or the beginnings of two keys"),
        (["1"], "compare: which records? Give two files, or the beginnings of two keys"),
        (["1", "2", "3"], "3: expected KEY=VALUE; the keys are classes, images, "),
        (["1", "9"], "9: there is no such file, and no record of FOLDER has such a key"),
        (["1", "2"], "2: 2 records of FOLDER have such a key (222222222222, 2aaaaaaaaaaa), expe"),
        (["1", "1", "draws=3"], "draws=3: expected a whole number, 100 or more"),
    ],
)
def test_mistakes(words, reason, tmp_path):
    for key in ("1" * 12, "2" * 12, "2" + "a" * 11):
        write_record(record(key=key), tmp_path)
    with pytest.raises(ValueError) as caught:
        script.main(["compare", *words, f"folder={tmp_path}"])
    assert str(caught.value).startswith(reason.replace("FOLDER", str(tmp_path)))


def test_a_record_by_its_file_or_key(tmp_path):
    path = write_record(PLAIN, tmp_path)
    assert find_file(str(path), tmp_path) == (PLAIN, path)
    assert find_file("111", tmp_path) == (PLAIN, path)
