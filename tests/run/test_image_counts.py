"""``save=images``: integer counts by image, which sum to those of the record."""

from dataclasses import replace
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from drawn import Noise, setting_of, with_method

from evaluation.data import Toy, ToyPoints
from evaluation.measure import Thresholds
from evaluation.metrics.points import readings
from evaluation.records.checked import check_setting
from evaluation.records.image_counts import image_file, margins, read_image_counts
from evaluation.records.record import read_records, write_record
from evaluation.run.job import find_or_run, run
from evaluation.run.output import OutputOptions
from evaluation.run.rerun import differences
from evaluation.run.save_images import ImageWriter
from evaluation.run.sweep import run_sweep
from evaluation.segmenters import Predictions
from gem.methods import Clip, Gem

DATA = {
    "background": Noise(), "none": Noise(background=False), "toy": Toy(scenes=5, size=48),
    "points": ToyPoints(scenes=5, size=48),
}  # fmt: skip


def save(setting, folder, **options):
    """Evaluate with save=images."""
    output = OutputOptions(output=str(folder), labels="none", save="images", **options)
    return find_or_run(setting, output)


def read(done):
    return read_image_counts(done.record, image_file(done.path))


@pytest.mark.parametrize("name", DATA)
def test_they_sum_to_the_record_which_is_the_same(name, small, tmp_path):
    setting = setting_of(small, dataset=DATA[name], batch_size=2)
    done = save(setting, tmp_path / "images")
    counts, alone = read(done), run(setting, tmp_path / "alone").record
    assert differences(alone, done.record) == []
    assert done.record.key == alone.key
    assert counts.ids == setting.ids
    if name != "points":
        matrix = np.array(alone.counts["matrix"])
        assert (counts.arrays["matrix"].sum(axis=0) == margins(matrix)).all()
        expected = {"matrix", "heatmap"} | ({"foreground"} if name != "none" else set())
        assert set(counts.arrays) == expected
    assert not list((tmp_path / "images").glob(".*"))


def test_an_image_counts_what_it_counts_alone(small, tmp_path):
    setting = setting_of(small, batch_size=2)
    counts = read(save(setting, tmp_path / "images"))
    for place, name in enumerate(setting.ids):
        one = run(replace(setting, dataset=Noise(order=(int(name),))), tmp_path / name).record
        assert (counts.arrays["matrix"][place] == margins(np.array(one.counts["matrix"]))).all()
        foreground = margins(np.array(one.counts["foreground"]))
        assert (counts.arrays["foreground"][place] == foreground).all()
        assert (counts.arrays["heatmap"][place] == one.counts["heatmap"]).all()


def test_rows_of_points_give_every_reading(small, tmp_path):
    import torch

    done = save(setting_of(small, dataset=DATA["points"]), tmp_path)
    rows = torch.from_numpy(read(done).arrays["rows"])
    assert readings(rows) == done.record.scores


def test_a_decision_of_its_own_has_a_matrix_only(small, tmp_path):
    setting = setting_of(small, dataset=Toy(scenes=3, size=48))
    maps = OutputOptions(
        output=str(tmp_path), labels="none", save="predictions", predictions=str(tmp_path / "maps")
    )
    find_or_run(setting, maps)
    (folder,) = (tmp_path / "maps").iterdir()
    theirs = replace(setting, segmenter=Predictions(root=str(folder), dataset="toy"))
    assert set(read(save(theirs, tmp_path / "theirs")).arrays) == {"matrix"}


def test_a_folder_with_them_has_as_many_records(small, tmp_path):
    save(setting_of(small, dataset=DATA["toy"]), tmp_path)
    found, others = read_records(tmp_path)
    assert (len(found), others) == (1, [])
    assert len(list(tmp_path.iterdir())) == 2


def test_only_what_lacks_them_is_evaluated(small, seen, tmp_path):
    first = setting_of(small, dataset=DATA["toy"])
    other = with_method(first, Clip())
    run(other, tmp_path)
    save(first, tmp_path)
    seen.clear()
    assert save(first, tmp_path).skipped
    assert seen == []
    writer = ImageWriter(tmp_path)
    found = run_sweep([first, other], tmp_path, writer=writer)
    assert [one.skipped for one in found] == [True, False]
    assert sum(seen) == 5
    for one in found:
        assert writer.has(check_setting(one.setting), one.record)


def test_settings_of_one_pass(small, tmp_path):
    settings = [setting_of(small, method=Gem(iters=iters)) for iters in (0, 1)]
    together = run_sweep(settings, tmp_path / "together", writer=ImageWriter(tmp_path / "together"))
    for setting, one in zip(settings, together, strict=True):
        alone, ours = read(save(setting, tmp_path / "alone")), read(one)
        assert all((alone.arrays[name] == ours.arrays[name]).all() for name in ours.arrays)


def test_another_metric_is_refused(small, tmp_path):
    with pytest.raises(ValueError, match=r"^save=images: expected metric=by_task, found thresh"):
        save(setting_of(small, metric=Thresholds()), tmp_path)


def test_pixels_without_a_prediction_count_for_the_truth():
    matrix = np.array([[5, 1, 2], [0, 7, 1]])  # a column behind those of the two labels
    assert margins(matrix).tolist() == [[5, 5, 8], [7, 8, 8]]


class Killed(BaseException):
    """Nothing catches it, as nothing catches a signal."""


def test_a_killed_pass_goes_on(small, seen, tmp_path, monkeypatch):
    setting = setting_of(small, dataset=Toy(scenes=6, size=48), batch_size=1, workers=0)
    write, left = ImageWriter.watch, [3]

    def watch(self, settings):
        real = write(self, settings)

        def until(*given):
            if not left[0]:
                raise Killed
            left[0] -= 1
            real(*given)

        return until

    with monkeypatch.context() as patch:
        patch.setattr(ImageWriter, "watch", watch)
        with pytest.raises(Killed):
            save(setting, tmp_path / "a", save_every=1e-9)
    seen.clear()
    ours, whole = save(setting, tmp_path / "a"), save(setting, tmp_path / "b")
    assert sum(seen) == 3 + 6
    assert image_file(ours.path).read_bytes() == image_file(whole.path).read_bytes()
    assert not list((tmp_path / "a").glob(".*"))


@pytest.mark.parametrize("broken", ["gone", "changed", "half"])
def test_a_file_of_an_image_that_is_not_whole(broken, small, seen, tmp_path, monkeypatch):
    """Nothing is written, and the same command counts from the beginning."""
    setting = setting_of(small, dataset=Toy(scenes=3, size=48))
    finish = ImageWriter.finish

    def spoil(self, settings, records):
        path = next(tmp_path.rglob("0000001.npz"))
        if broken == "gone":
            path.unlink()
        elif broken == "half":
            path.write_bytes(path.read_bytes()[:-40])
        else:
            arrays = dict(np.load(path))
            np.savez(path, **arrays | {"matrix": arrays["matrix"] + 1})
        finish(self, settings, records)

    with monkeypatch.context() as patch:
        patch.setattr(ImageWriter, "finish", spoil)
        with pytest.raises(ValueError, match=r"is not written: .*; evaluate again$"):
            save(setting, tmp_path, save_every=1e-9)
    assert list(tmp_path.iterdir()) == []
    seen.clear()
    save(setting, tmp_path)
    assert sum(seen) == 3


@pytest.fixture(scope="module")
def saved(small, tmp_path_factory):
    """Two records of the same images with their counts by image."""
    folder = tmp_path_factory.mktemp("saved")
    settings = [setting_of(small, method=method, dataset=DATA["toy"]) for method in (Gem(), Clip())]
    return [save(setting, folder) for setting in settings]


def refused(record, path):
    with pytest.raises(ValueError) as caught:
        read_image_counts(record, path)
    said = str(caught.value)
    assert said.startswith(f"{path} is not the counts by image of its record: ")
    assert "\n" not in said
    return said.partition("record: ")[2]


def with_arrays(source, target, **changed):
    arrays = dict(np.load(source)) | changed
    np.savez(target, **{name: one for name, one in arrays.items() if one is not None})
    return target


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"about": None}, "it has no array about"),
        ({"about": np.array("[]")}, "it does not say of which record it is"),
        ({"about": np.array(7)}, "its about have the shape () and type int64, expected () of"),
        ({"ids": np.array(list("abcde"))}, "they are of other samples"),
        ({"ids": np.array(list("abcd"))}, "its ids have the shape (4,) and type <U1, expected (5)"),
        ({"matrix": np.zeros((5, 16, 3), np.int64)}, "their matrix does not sum to the counts of"),
        ({"matrix": np.zeros((5, 16, 3), np.int32)}, "its matrix are no whole numbers of 0 or"),
        ({"matrix": np.zeros((5, 16, 3))}, "its matrix have the shape (5, 16, 3) and type float64"),
        ({"heatmap": -np.ones((5, 15, 2), np.int64)}, "its heatmap are no whole numbers of 0 or"),
        ({"heatmap": None}, "it has no array heatmap"),
    ],
)  # fmt: skip
def test_odd_files_are_refused(changed, said, saved, tmp_path):
    done = saved[0]
    path = with_arrays(image_file(done.path), tmp_path / "a.images.npz", **changed)
    assert refused(done.record, path).startswith(said)


def test_broken_files_are_refused(saved, tmp_path):
    done, path = saved[0], tmp_path / "a.images.npz"
    whole = image_file(done.path).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (b"", b"PK\x03\x04broken", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        assert refused(done.record, path).startswith("it cannot be read: ")


def test_an_array_that_says_to_be_huge(saved, tmp_path):
    done, path = saved[0], tmp_path / "a.images.npz"
    header = {"descr": "<U400000000", "fortran_order": False, "shape": ()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive, archive.open("about.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
    assert refused(done.record, path) == "its about say to have 1600000000 bytes, and have fewer"


def test_files_of_others_are_refused(saved, tmp_path):
    ours, theirs = saved
    said = refused(ours.record, image_file(theirs.path))
    assert said == f"they are of the record '{theirs.record.key}', expected {ours.record.key}"
    hashes = ours.record.hashes | {"data": "0" * 12}
    assert refused(replace(ours.record, hashes=hashes), image_file(ours.path)) == (
        "they are of other data"
    )
    curve = replace(ours.record, counts={"curve": [0.5]})
    assert refused(curve, image_file(ours.path)) == "the record counts neither masks nor points"
    other = replace(ours.record, hashes=ours.record.hashes | {"code": "0" * 12})
    assert read_image_counts(other, image_file(ours.path)).ids == read(ours).ids
    with pytest.raises(FileNotFoundError, match=r"there is no file \S+\.images\.npz$"):
        read_image_counts(ours.record, image_file(write_record(ours.record, tmp_path)))
