"""``records.py plot=``: a sweep as a figure for one column of a paper."""

import re

import pytest
from conftest import load_script
from PIL import Image
from swept import method_record, swept

from evaluation.records.pivot import make_pivot
from evaluation.records.query import read_frame, select
from evaluation.records.record import write_record
from evaluation.tables.sweep_figure import _figure, draw_sweep

script = load_script("records")
POINTS = 3.3 * 72


@pytest.fixture
def frame(tmp_path):
    folder = swept(tmp_path / "records", datasets=("toy", "voc"), others=("clip",))
    return read_frame(folder)[0]


def texts(axis):
    return [one.get_text() for one in axis.texts]


def test_a_line_has_its_best_point_marked(frame):
    one = select(frame, ["dataset=toy", "method=gem", "temperature_scale=1"])
    figure = _figure(make_pivot(one, "iters", value="miou"))
    (axis,) = figure.axes
    line, ring = axis.lines
    assert line.get_xdata().tolist() == [0, 1, 2, 3]
    assert line.get_ydata().tolist() == pytest.approx([36, 39, 40, 39])
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == pytest.approx((2, 40))
    assert texts(axis) == ["40.0"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("iters", "mIoU (%)")
    assert axis.get_xscale() == "linear"


def test_orders_of_magnitude_are_logarithmic(frame):
    one = select(frame, ["dataset=toy", "method=gem", "iters=2"])
    (axis,) = _figure(make_pivot(one, "temperature_scale", value="miou")).axes
    assert axis.get_xscale() == "log"
    assert [one.get_text() for one in axis.get_xticklabels()] == ["0.1", "1", "10"]


def test_a_data_set_is_a_line(frame):
    one = select(frame, ["method=gem", "temperature_scale=1"])
    figure = _figure(make_pivot(one))
    (axis,) = figure.axes
    assert len(axis.lines) == 4
    assert [one.get_text() for one in figure.legends[0].get_texts()] == ["toy", "voc"]
    assert texts(axis) == ["40.0", "30.0"]


def test_two_numbers_are_a_heat_map(frame):
    one = select(frame, ["method=gem", "dataset=toy"])
    axis, bar = _figure(make_pivot(one)).axes
    assert len(axis.texts) == 12
    (frame_of_best,) = axis.patches
    assert frame_of_best.get_xy() == (0.5, 1.5)
    assert [one.get_text() for one in axis.texts if one.get_fontweight() == "bold"] == ["40.0"]
    assert bar.get_ylabel() == "mIoU (%)"


def test_gaps_and_texts(tmp_path):
    values = [("q$", 0.3), ("qk", None), ("qkv", 0.4)]
    for number, (text, miou) in enumerate(values):
        write_record(method_record(number, miou=miou, projections=text), tmp_path)
    pivot = make_pivot(read_frame(tmp_path)[0], value="miou")
    (axis,) = _figure(pivot).axes
    assert axis.lines[0].get_xdata().tolist() == [0, 2]
    assert axis.lines[0].get_linestyle() == "None"
    draw_sweep(pivot, tmp_path / "a.svg")


@pytest.mark.parametrize("words", [["iters=1"], []], ids=["line", "map"])
def test_the_files(words, frame, tmp_path):
    pivot = make_pivot(select(frame, ["method=gem", "dataset=toy", *words]), value="miou")
    pdf, png, svg = (draw_sweep(pivot, tmp_path / f"a.{kind}") for kind in ("pdf", "png", "svg"))
    content = pdf.read_bytes()
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ", content)
    assert float(box[1]) == pytest.approx(POINTS, abs=0.5)
    assert b"/FontFile2" in content  # TrueType, in the file
    assert b"/Type3" not in content
    with Image.open(png) as picture:
        assert picture.width == 990
    text = svg.read_text(encoding="utf-8")
    assert float(re.search(r'width="([\d.]+)pt"', text)[1]) == pytest.approx(POINTS, abs=0.5)
    assert "<text" not in text  # letters are paths: no font is needed
    again = draw_sweep(pivot, tmp_path / "again.pdf")
    assert again.read_bytes() == content


@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        ([], "a.pdf", "the records differ in method, method.iters, method.temperature_scale, data"),
        (["dataset=toy", "iters=1"], "a.gif", r"expected a name that ends with \.pdf, \.png, \.s"),
        (
            ["dataset=toy", "iters=1", "temperature_scale=1", "value=miou,heatmap_iou"],
            "a.png",
            "expected one score, as value=miou",
        ),
        (["dataset=toy", "iters=1", "value=pmiou"], "a.png", "value=pmiou: expected a score, one"),
    ],
)
def test_mistakes(words, name, said, tmp_path):
    swept(tmp_path / "records", datasets=("toy", "voc"), others=("clip",))
    with pytest.raises(ValueError, match=said):
        script.main([*words, f"plot={tmp_path / name}", f"folder={tmp_path / 'records'}"])


def test_the_script(tmp_path, capsys):
    swept(tmp_path / "records")
    words = ["method=gem", "dataset=toy", f"folder={tmp_path / 'records'}"]
    script.main([*words, f"plot={tmp_path / 'a.png'}"])
    said = capsys.readouterr().out
    assert said == f"written: {tmp_path / 'a.png'}\n"
    assert (tmp_path / "a.png").is_file()
