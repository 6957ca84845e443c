"""The reader of point tables: the official format, and a sentence for each kind of bad row."""

import pytest
from conftest import REPOSITORY
from drawn import save_turned
from official import HEADER, NAMES, lay_openimages
from PIL import Image

from evaluation.data import PointLabels
from evaluation.data.openimages_csv import read_names

OFFICIAL = REPOSITORY.parent / "shared/data/class_names/oidv7-class-descriptions.csv"
ROWS = [
    ("1e5", 0.5, 0.25, "/m/0bt9lr", "yes"),
    ("00ab", 0.0, 1.0, "/m/04ctx", "no"),
    ("1e5", 1.0, 0.0, "/m/0bt9lr", "no"),
    ("00ab", 0.1123, 0.7114, "/m/0bt9lr", "yes"),
    ("1e5", 0.125, 0.5, "/m/04ctx", "unsure"),
    ("0100", 0.3, 0.3, "/m/0nan", "unsure"),
]


@pytest.fixture
def make(tmp_path):
    """Write the official files with images 12 x 8, and give their reader."""

    def build(rows=ROWS, names=NAMES, *, header=HEADER, images=("00ab", "0100", "1e5"), **options):
        lay_openimages(tmp_path, rows, names=names, header=header, images=images)
        return PointLabels(
            dataset="openimages",
            root=str(tmp_path),
            points="openimages/oidv7-val-annotations-point-labels.csv",
            classes="openimages/oidv7-class-descriptions.csv",
            image="openimages/validation/{id}.jpg",
            **options,
        )

    return build


def test_images_are_those_with_points_sorted_and_ids_are_text(make):
    """1e5 is not 100000, and 0100 has an unsure point only."""
    assert make().ids == ("00ab", "0100", "1e5")


def test_ids_of_digits_alone_are_not_numbers(make):
    rows = [("0012", 0.5, 0.5, "/m/0bt9lr", "yes"), ("0003", 0.5, 0.5, "/m/0bt9lr", "yes")]
    assert make(rows).ids == ("0003", "0012")


def test_classes_are_those_with_points_in_the_order_of_the_names(make):
    card = make().card
    assert card.classes == ("Dog", "null", "Knife, fork")
    assert (card.name, card.background, card.images) == ("openimages", False, 36702)


def test_points_of_an_image(make):
    truth = make()["1e5"].truth
    assert truth.x.tolist() == [0.5, 1.0]
    assert truth.y.tolist() == [0.25, 0.0]
    assert truth.label.tolist() == [0, 0]
    assert truth.positive.tolist() == [True, False]
    assert (truth.size, truth.number) == ((8, 12), 2)


def test_rows_of_an_image_need_not_be_together(make):
    truth = make()["00ab"].truth
    assert list(zip(truth.x, truth.y, truth.label, truth.positive, strict=True)) == [
        (0.0, 1.0, 2, False),
        (0.1123, 0.7114, 0, True),
    ]


def test_unsure_points_are_dropped(make):
    assert len(make()["0100"].truth.label) == 0


def test_building_touches_no_file(tmp_path):
    PointLabels(dataset="openimages", root=str(tmp_path), points="a", classes="b", image="{id}")


BAD = {
    "label": (
        ("1e5", 0.5, 0.5, "/m/none", "yes"),
        "a label that oidv7-class-descriptions.csv lacks",
    ),
    "left": (("1e5", -0.01, 0.5, "/m/01yrx", "yes"), "a coordinate outside [0, 1]"),
    "below": (("1e5", 0.5, 1.0001, "/m/01yrx", "unsure"), "a coordinate outside [0, 1]"),
    "empty": (("1e5", "", 0.5, "/m/01yrx", "no"), "a coordinate outside [0, 1]"),
    "word": (("1e5", 0.5, "half", "/m/01yrx", "no"), "a coordinate outside [0, 1]"),
    "nan": (("1e5", "nan", 0.5, "/m/01yrx", "no"), "a coordinate outside [0, 1]"),
    "answer": (
        ("1e5", 0.5, 0.5, "/m/01yrx", "Yes"),
        "an EstimatedYesNo other than yes, no, unsure",
    ),
    "silent": (("1e5", 0.5, 0.5, "/m/01yrx", ""), "an EstimatedYesNo other than yes, no, unsure"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_is_counted_named_and_refused(kind, make):
    row, said = BAD[kind]
    dataset = make([ROWS[0], row, *ROWS[1:], row])
    with pytest.raises(ValueError, match=r"bad_rows=skip leaves them out$") as caught:
        _ = dataset.ids
    assert f"point-labels.csv: 2 rows with {said}, first row 3: 1e5, " in str(caught.value)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_is_left_out_and_said(kind, make):
    row, said = BAD[kind]
    whole = make()
    expected = (whole.ids, whole.card, whole["1e5"].truth.x.tolist())
    dataset = make([row, *ROWS], bad_rows="skip")
    assert (dataset.ids, dataset.card, dataset["1e5"].truth.x.tolist()) == expected
    (note,) = dataset.notes
    assert f"1 row with {said}, first row 2: " in note
    assert not whole.notes


def test_words_that_pandas_takes_for_numbers(make):
    """A column of True was 1.0, a point in the corner."""
    dataset = make([("1e5", "True", "True", "/m/0bt9lr", "yes")])
    with pytest.raises(ValueError, match=r"1 row with a coordinate outside \[0, 1\], first row 2"):
        _ = dataset.ids


def test_points_that_are_there_twice_are_said(make):
    """Whether the official table has such is not known: they count, as they did."""
    dataset = make([*ROWS, ROWS[3], ROWS[3]])
    assert len(dataset["00ab"].truth.x) == 4
    (note,) = dataset.notes
    assert note == (
        "oidv7-val-annotations-point-labels.csv: 2 rows with image, point and label of an earlier "
        "row, first row 8: 00ab, 0.1123, 0.7114, /m/0bt9lr, yes; each counts"
    )


@pytest.mark.parametrize("name", ["../a", "", "a\x1b"])
def test_images_whose_ids_are_no_names(name, make):
    dataset = make([(name, 0.5, 0.5, "/m/0bt9lr", "yes")], images=())
    with pytest.raises(ValueError, match=r"labels\.csv: the id .* cannot be the name of a file"):
        _ = dataset.ids


def test_a_column_that_is_there_twice(make):
    header = ["X" if name == "Source" else name for name in HEADER]
    with pytest.raises(ValueError, match="it has several columns X, expected ImageId, X, Y, Label"):
        _ = make(header=header).ids


def test_rows_with_more_cells_than_the_header_do_not_move(make):
    """pandas would take the first column for an index, and read each column one to the right."""
    whole, dataset = make(), make(header=HEADER[:-1])
    assert (dataset.ids, dataset["1e5"].truth.x.tolist()) == (whole.ids, [0.5, 1.0])


def test_an_image_is_read_as_it_is_stored(make):
    dataset = make()
    save_turned(Image.new("RGB", (12, 8)), dataset.image_path("1e5"))
    assert dataset["1e5"].truth.size == (8, 12)
    assert dataset["1e5"].image.size == (12, 8)


def test_an_image_of_bad_rows_alone_is_none(make):
    dataset = make([*ROWS, ("ffff", 2, 0, "/m/0bt9lr", "yes")], bad_rows="skip")
    assert dataset.ids == ("00ab", "0100", "1e5")


def test_a_bad_cell_is_shown_without_its_signs(make):
    dataset = make([("a\x1b[2J", 0.5, 0.5, "x" * 99, "yes")])
    with pytest.raises(ValueError, match=r"first row 2: 'a\\x1b\[2J', 0.5, 0.5, x{40}\.\.\., yes"):
        _ = dataset.ids


def test_nothing_but_bad_rows(make):
    with pytest.raises(ValueError, match=r"has no points but bad ones: 1 row with a label"):
        _ = make([BAD["label"][0]], bad_rows="skip").ids
    with pytest.raises(ValueError, match=r"point-labels\.csv has no points$"):
        _ = make([]).ids


def test_a_missing_image_is_counted_named_and_refused(make):
    dataset = make(images=["0100"])
    assert len(dataset.ids) == 3
    with pytest.raises(FileNotFoundError) as caught:
        dataset.check(dataset.ids)
    said = str(caught.value)
    assert f"={dataset.root}: " in said
    assert said.split(": ")[1].startswith(
        "2 of 3 images of oidv7-val-annotations-point-labels.csv are missing; "
    )
    assert said.endswith("/00ab.jpg (row 3); dataset.missing=skip leaves them out")
    dataset.check(["0100"])


def test_a_missing_image_is_left_out_and_said(make):
    dataset = make(images=["0100", "1e5"], missing="skip")
    assert dataset.ids == dataset.present == ("0100", "1e5")
    assert dataset["1e5"].truth.number == 2
    dataset.check(dataset.ids)
    (note,) = dataset.notes
    assert "1 of 3 images" in note
    assert note.endswith("is openimages/validation/00ab.jpg (row 3); left out")


def test_no_image_at_all(make):
    with pytest.raises(ValueError, match=r": 3 of 3 images of .* are missing"):
        _ = make(images=[], missing="skip").ids


def test_a_missing_folder_and_a_missing_table(make, tmp_path):
    dataset = make()
    (tmp_path / dataset.classes).unlink()
    with pytest.raises(FileNotFoundError, match=r"has no openimages/oidv7-class-descriptions\.csv"):
        _ = dataset.ids


def test_a_missing_column_is_named(make):
    with pytest.raises(ValueError, match="it has no column ImageId, expected ImageId, X, Y, Label"):
        _ = make(header=["ImageID", *HEADER[1:]]).ids


def test_a_table_that_is_none(make, tmp_path):
    dataset = make()
    (tmp_path / dataset.points).write_bytes(b"\xff\xfe\x00 no table")
    with pytest.raises(ValueError, match=r"point-labels\.csv cannot be read: "):
        _ = dataset.ids


def test_two_classes_of_one_name(make):
    with pytest.raises(ValueError, match="1 of DisplayName come twice, first 'Dog'"):
        _ = make(names=NAMES | {"/m/dog": "Dog"}).ids


@pytest.mark.skipif(not OFFICIAL.is_file(), reason=f"there is no {OFFICIAL}")
def test_the_official_names():
    names = read_names(OFFICIAL)
    assert len(names) == len(set(names.values())) == 20931
    assert names["/m/0bt9lr"] == "Dog"
    assert names["/m/0c4936"] == "'Nduja"
    assert all(name == name.strip() != "" and ";" not in name for name in names.values())
