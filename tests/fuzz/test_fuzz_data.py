"""Images, masks, annotations, tables and lists that are broken in any way."""

import csv
import io
import json
from itertools import count

import datasets
import numpy as np
import official
import pytest
from hypothesis import strategies as st
from mutated import CHANGES, EDITS, REFUSED, Given, answer, as_json, changed, edited, fuzzed
from PIL import Image

from evaluation.data import Folder, Hub, Instances, Pairs, PointLabels, Words, load_card
from evaluation.data.on_disk import read_list
from gem.image import to_input

SIZE = (6, 8)
NAMES = count()
PIXELS = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
STORED = np.array([[0, 1, 2, 255, 20, 7, 0, 0]] * SIZE[0], dtype=np.uint8)


def encoded(array, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format=kind, **options)
    return buffer.getvalue()


IMAGES = {
    "rgb.png": encoded(PIXELS, "PNG"),
    "grey.png": encoded(PIXELS[..., 0], "PNG"),
    "sixteen.png": encoded(PIXELS[..., 0].astype("uint16") * 256, "PNG"),
    "alpha.png": encoded(np.dstack([PIXELS, PIXELS[..., :1]]), "PNG"),
    "photo.jpg": encoded(PIXELS, "JPEG"),
    "float.tiff": encoded(PIXELS[..., 0].astype("float32"), "TIFF"),
    "small.gif": encoded(PIXELS[..., 0], "GIF"),
    "photo.webp": encoded(PIXELS, "WEBP"),
    "old.bmp": encoded(PIXELS, "BMP"),
}
MASKS = {
    "grey.png": encoded(STORED, "PNG"),
    "sixteen.png": encoded(STORED.astype("uint16"), "PNG"),
    "tiff.png": encoded(STORED, "TIFF"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    official.lay(root, "voc20", "x", STORED)
    (root / "folder").mkdir()
    official.lay_openimages(root, [("a", 0.1, 0.2, "/m/01yrx", "yes")], images=["a", "b"])
    (root / "coco").mkdir()
    Image.fromarray(PIXELS).save(root / "coco" / "7.jpg")
    return root


def pairs(root):
    image, mask = (pattern.replace("{}", "{id}") for pattern in official.LAYOUTS["voc20"])
    return Pairs(dataset="voc20", root=str(root), image=image, mask=mask)


def check_truth(sample, classes):
    assert sample.image.mode == "RGB"
    assert sample.truth.dtype == np.uint8
    assert sample.truth.shape == (sample.image.height, sample.image.width)
    assert set(np.unique(sample.truth)) <= {*range(classes), 255}


@fuzzed(name=st.sampled_from(sorted(IMAGES)), edits=EDITS)
def test_images(name, edits, root):
    path = root / "folder" / name
    path.write_bytes(edited(IMAGES[name], edits))
    dataset = Folder(root=str(root / "folder"))
    found = answer(lambda: [dataset[name].image for _ in range(2)], name)
    path.unlink()
    if found is REFUSED:
        return
    first, again = found
    assert first.mode == "RGB"
    assert min(first.size) > 0
    pixels = to_input(first, (16, 16), mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2))
    assert pixels.isfinite().all()
    assert np.array_equal(np.array(first), np.array(again))


@fuzzed(name=st.sampled_from(sorted(MASKS)), edits=EDITS)
def test_masks(name, edits, root):
    dataset = pairs(root)
    dataset.mask_path("x").write_bytes(edited(MASKS[name], edits))
    found = answer(lambda: dataset["x"], "x.png")
    if found is not REFUSED:
        check_truth(found, 20)


BOX = [[0, 0, 4, 0, 4, 4, 0, 4]]
RUNS = {"size": list(SIZE), "counts": [4, 8, 36]}
WRITTEN = {"size": list(SIZE), "counts": "48000"}
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
INSTANCES = {
    "annotations": [
        {"id": n, "image_id": 7, "category_id": 1 + n, "segmentation": shape, "iscrowd": n == 1}
        for n, shape in enumerate((BOX, RUNS, WRITTEN))
    ],
    "images": [{"id": 7, "file_name": "7.jpg", "height": SIZE[0], "width": SIZE[1]}],
    "categories": [
        {"id": number, "name": name}
        for number, name in zip(
            (i for i in range(1, 91) if i not in GAPS),
            load_card("coco_object").classes,
            strict=True,
        )
    ],
}
INSTANCES_TEXT = json.dumps(INSTANCES).encode()


def read_instances(root, content):
    (root / "coco" / "file.json").write_bytes(content)
    dataset = Instances(
        dataset="coco_object", root=str(root), annotations="coco/file.json", image="coco/{id}.jpg"
    )

    def read():
        dataset.check(dataset.ids)
        return [dataset[name] for name in dataset.ids]

    found = answer(read, "file.json", "image", "coco/")
    for sample in [] if found is REFUSED else found:
        check_truth(sample, 81)
        assert sample.truth.max() < 81  # no pixel is void


@fuzzed(changes=CHANGES)
def test_instances_of_another_shape(changes, root):
    read_instances(root, as_json(changed(INSTANCES, changes)))


@fuzzed(edits=EDITS)
def test_instances_of_other_bytes(edits, root):
    read_instances(root, edited(INSTANCES_TEXT, edits))


NUMBERS = (
    st.floats(allow_nan=True) | st.integers(-(2**40), 2**40) | st.sampled_from([0, 4, 8, 1e18])
)
POLYGONS = st.lists(st.lists(NUMBERS, max_size=9), max_size=3)
LENGTHS = st.lists(
    st.integers(-100, 100) | st.sampled_from([48, 2**31, 2**32, 2**63, 0.5]), max_size=6
)
SHAPES = POLYGONS | st.builds(
    lambda size, counts: {"size": size, "counts": counts},
    st.just(list(SIZE)) | st.lists(st.integers(-1, 9), max_size=3),
    LENGTHS | st.text(max_size=12) | st.text(st.characters(min_codepoint=48, max_codepoint=111)),
)


@fuzzed(shape=SHAPES)
def test_shapes(shape, root):
    tree = {**INSTANCES, "annotations": [{**INSTANCES["annotations"][0], "segmentation": shape}]}
    read_instances(root, as_json(tree))


CELLS = st.sampled_from(
    ["", "a", "b", "0.5", "-1", "1.0000001", "nan", "inf", "1e999", "yes", "no", "unsure",
     "/m/01yrx", "null", "=1+1", '"', "0x10", "\x1b[31m", "a\0b", "{x}", "../x", "é", "1_0", " 0.5"]
)  # fmt: skip
ROWS = [["a", "0.1", "0.2", "/m/01yrx", "yes"], ["b", "1", "0", "/m/0bt9lr", "no"]]


def read_table(root, points=None, names=None):
    folder = root / "openimages"
    files = [
        folder / "oidv7-val-annotations-point-labels.csv",
        folder / "oidv7-class-descriptions.csv",
    ]
    whole = [path.read_bytes() for path in files]
    for path, content in zip(files, (points, names), strict=True):
        if content is not None:
            path.write_bytes(content)
    dataset = PointLabels(
        dataset="openimages", root=str(root), points=f"openimages/{files[0].name}",
        classes=f"openimages/{files[1].name}", image="openimages/validation/{id}.jpg",
    )  # fmt: skip

    def read():
        card = dataset.card
        dataset.check(dataset.ids)
        return card, [dataset[name] for name in dataset.ids]

    found = answer(read, "oidv7", "image")
    for path, content in zip(files, whole, strict=True):
        path.write_bytes(content)
    for sample in [] if found is REFUSED else found[1]:
        points = sample.truth
        assert ((points.x >= 0) & (points.x <= 1) & (points.y >= 0) & (points.y <= 1)).all()
        assert set(points.label) <= set(range(len(found[0].classes)))
        assert len(points.x) == len(points.y) == len(points.label) == len(points.positive)


def as_csv(header, rows):
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


@fuzzed(
    cells=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), CELLS), min_size=1, max_size=3)
)
def test_points_with_other_cells(cells, root):
    rows = [list(row) for row in ROWS]
    for row, column, value in cells:
        rows[row][column] = value
    read_table(root, as_csv(official.HEADER[:5], rows))


@fuzzed(edits=EDITS)
def test_points_of_other_bytes(edits, root):
    read_table(root, edited(as_csv(official.HEADER[:5], ROWS), edits))


@fuzzed(edits=EDITS)
def test_class_names_of_other_bytes(edits, root):
    names = as_csv(["LabelName", "DisplayName"], official.NAMES.items())
    read_table(root, None, edited(names, edits))


@fuzzed(edits=EDITS)
def test_lists(edits, root):
    (root / "list.txt").write_bytes(edited(b"2007_000032\n2007_000033\n2007_000061\n", edits))
    found = answer(lambda: read_list(str(root), "list.txt"), "list.txt")
    if found is not REFUSED:
        assert found
        assert all(found)
        assert len(set(found)) == len(found)


@fuzzed(edits=EDITS)
def test_files_of_words(edits, root):
    names = "\n".join(load_card("voc").classes).encode()
    (root / "words.txt").write_bytes(edited(names, edits))
    words = Words(words=str(root / "words.txt"))
    found = answer(lambda: words.of(load_card("voc")))
    if found is not REFUSED:
        assert len(found.words) == 20
        assert all(word.strip() for _, word in found.class_words)


PATTERNS = st.lists(
    st.sampled_from(["{id}", "{", "}", "{}", "{foo}", "{0}", "{id.x}", "{id!z}", "{id:9999999999}",
                     "{id[0]}", "x", "/", "..", ".jpg", "\0", "*", "**", "[", "é"]), max_size=6,
).map("".join)  # fmt: skip


@fuzzed(image=PATTERNS, mask=PATTERNS, listing=st.none() | PATTERNS)
def test_patterns_of_paths(image, mask, listing, root):
    def read():
        dataset = Pairs(dataset="voc20", root=str(root), image=image, mask=mask, listing=listing)
        dataset.check(dataset.ids)
        return [dataset[name] for name in dataset.ids]

    found = answer(read)
    for sample in [] if found is REFUSED else found:
        check_truth(sample, 20)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A parquet file with two rows."""
    folder = tmp_path_factory.mktemp("hub")
    datasets.config.HF_DATASETS_CACHE = folder / "cache"
    return Given(
        (folder, write_rows(folder / "seed.parquet", [ROW, {**ROW, "id": "b"}]).read_bytes())
    )


ROW = {
    "id": "a", "image": {"bytes": IMAGES["rgb.png"], "path": None},
    "mask": {"bytes": MASKS["grey.png"], "path": None},
}  # fmt: skip


def write_rows(path, table):
    import pyarrow as pa
    import pyarrow.parquet

    cell = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("id", pa.string()), ("image", cell), ("mask", cell)])
    pyarrow.parquet.write_table(pa.Table.from_pylist(table, schema=schema), path)
    return path


def read_rows(path):
    dataset = Hub(dataset="voc20", repository=str(path), identifier="id")

    def read():
        dataset.check(dataset.ids)
        return [dataset[name] for name in dataset.ids]

    found = answer(read, path.name, " of ", "dataset.")
    path.unlink()
    for sample in [] if found is REFUSED else found:
        check_truth(sample, 20)


BROKEN = st.sampled_from([None, {"bytes": None, "path": None}, {"bytes": b"", "path": "x"},
                          {"bytes": None, "path": "nowhere.png"}, {"bytes": b"\0" * 9, "path": ""},
                          {"bytes": IMAGES["photo.jpg"], "path": None}])  # fmt: skip


@fuzzed(
    share=0.4,
    ids=st.tuples(*[st.sampled_from(["a", "b", "", None])] * 2),
    image=BROKEN,
    mask=BROKEN,
)
def test_rows_with_other_cells(ids, image, mask, rows):
    table = [{**ROW, "id": ids[0], "image": image}, {**ROW, "id": ids[1], "mask": mask}]
    read_rows(write_rows(rows[0] / f"{next(NAMES)}.parquet", table))


@fuzzed(share=0.4, edits=EDITS)
def test_parquet_of_other_bytes(edits, rows):
    path = rows[0] / f"{next(NAMES)}.parquet"
    path.write_bytes(edited(rows[1], edits))
    read_rows(path)
