"""``records.py rows= columns=``: one's own records as a table."""

import re

import pandas as pd
import pytest
from conftest import load_script
from reported import record
from swept import ITERS, SCALES, method_record, scores_of, swept

from evaluation.records.differing import labels_of, needed
from evaluation.records.pivot import make_pivot
from evaluation.records.query import read_frame, select
from evaluation.records.record import write_record
from evaluation.tables.pivot_text import pivot_csv, pivot_latex, pivot_markdown

script = load_script("records")


@pytest.fixture
def frame(tmp_path):
    return read_frame(swept(tmp_path / "records"))[0]


def test_two_options(frame):
    pivot = make_pivot(frame, "gem.iters", "temperature_scale")
    assert pivot.rows == ("method.iters",)
    assert pivot.columns == "method.temperature_scale"
    assert pivot.heads == tuple((one,) for one in ITERS)
    assert pivot.tops == SCALES
    expected = [[100 * scores_of(iters, scale) for scale in SCALES] for iters in ITERS]
    assert [list(line) for line in pivot.cells] == [pytest.approx(line) for line in expected]
    assert pivot.value == "mIoU"
    assert pivot.best(1) == {(2, 1)}


def test_what_differs_makes_rows_and_columns(frame):
    assert make_pivot(frame) == make_pivot(frame, "iters", "temperature_scale")
    one = make_pivot(select(frame, ["temperature_scale=1"]))
    assert (one.rows, one.columns) == (("method.iters",), None)
    assert one.tops == ("mIoU", "map IoU")


def test_data_sets_become_columns_with_a_best_of_their_own(tmp_path):
    folder = swept(tmp_path / "records", datasets=("toy", "voc"), others=("clip", "maskclip"))
    frame = select(read_frame(folder)[0], ["options=", "iters!=0,1,2"])
    frame = frame[frame["method.temperature_scale"].fillna(1) == 1]
    pivot = make_pivot(frame)
    assert pivot.columns == "dataset"
    assert pivot.rows == ("method",)
    assert pivot.tops == ("toy", "voc")
    assert pivot.heads == (("clip",), ("gem",), ("maskclip",))
    assert pivot.best(1) == {(1, 0), (1, 1)}
    assert "& toy & voc \\\\" in pivot_latex(pivot, 1, "x")
    assert "multicolumn" not in pivot_latex(pivot, 1, "x")


def test_several_records_in_a_cell_are_an_error_that_says_why(frame):
    with pytest.raises(ValueError) as caught:
        make_pivot(frame, "iters")
    assert str(caught.value) == (
        "method.iters=0: 3 records, which differ in method.temperature_scale (0.1, 1, 10); choose "
        "by a filter, or name it in rows="
    )
    pivot = make_pivot(frame, "iters,temperature_scale", value="miou")
    assert len(pivot.heads) == 12
    assert pivot.heads[:2] == ((0, 0.1), (0, 1))


def test_two_records_that_differ_in_nothing(tmp_path):
    for number in (1, 2):
        write_record(method_record(number, miou=0.5, iters=1), tmp_path)
    with pytest.raises(ValueError, match="2 records, which differ in nothing that decides"):
        make_pivot(read_frame(tmp_path)[0], "iters")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"rows": "itres"}, "itres: no such column; nearest are method.iters, notes; "),
        ({"value": "iou"}, "value=iou: expected a score, one of miou, heatmap_iou, pmiou_global"),
        ({"value": "miou,heatmap_iou"}, "value=miou,heatmap_iou: expected one score beside col"),
    ],
)
def test_wrong_names(words, said, frame):
    with pytest.raises(ValueError) as caught:
        make_pivot(frame, **words)
    assert str(caught.value).startswith(said)
    with pytest.raises(ValueError, match="the filters leave no record"):
        make_pivot(frame[:0])


LATEX = r"""% mIoU (%), dataset toy; made by scripts/records.py; needs \usepackage{booktabs}
\begin{tabular}{lrrr}
\toprule
 & \multicolumn{3}{c}{temperature\_scale} \\
\cmidrule(lr){2-4}
iters & 0.1 & 1 & 10 \\
\midrule
0 & 31.0 & 36.0 & 30.9 \\
1 & 34.0 & 39.0 & 33.9 \\
2 & 35.0 & \textbf{40.0} & 34.9 \\
3 & 34.0 & 39.0 & 33.9 \\
\bottomrule
\end{tabular}
"""


def test_latex(frame):
    pivot = make_pivot(frame)
    assert pivot_latex(pivot, 1, "mIoU (%), dataset toy") == LATEX


def test_markdown_and_csv(frame):
    pivot = make_pivot(select(frame, ["iters=1,2"]))
    lines = pivot_markdown(pivot, 1, "scores").splitlines()
    assert lines[2] == (
        "| iters | temperature_scale=0.1 | temperature_scale=1 | temperature_scale=10 |"
    )
    assert lines[5] == "| 2 | 35.0 | **40.0** | 34.9 |"
    header, *rows = pivot_csv(pivot, 1, "").splitlines()
    assert header == "iters,temperature_scale=0.1,temperature_scale=1,temperature_scale=10"
    assert [float(one) for one in rows[1].split(",")] == pytest.approx([2, 35, 40, 34.9])


def test_a_cell_without_a_record_and_ties(tmp_path):
    for number, (iters, scale, miou) in enumerate(
        [(0, 1.0, 0.5), (1, 1.0, 0.50004), (1, 2.0, 0.4)]
    ):
        write_record(
            method_record(number, miou=miou, iters=iters, temperature_scale=scale), tmp_path
        )
    pivot = make_pivot(read_frame(tmp_path)[0])
    assert pivot.cells[0][1] is None
    text = pivot_latex(pivot, 1, "x")
    assert r"0 & \textbf{50.0} & -- \\" in text
    assert r"1 & \textbf{50.0} & 40.0 \\" in text


def test_texts_of_records_are_escaped(tmp_path):
    for number, text in enumerate((r"50% & \input{x}_$1$", "=1+1")):
        write_record(method_record(number, miou=0.5 - number / 10, mode=text), tmp_path)
    pivot = make_pivot(read_frame(tmp_path)[0])
    assert r"50\% \& \textbackslash{}input\{x\}\_\$1\$ & \textbf{50.0}" in pivot_latex(
        pivot, 1, "a\nb"
    )
    assert "\nb" not in pivot_latex(pivot, 1, "a\nb")
    assert "'=1+1" in pivot_csv(pivot, 1, "")


def test_labels_tell_records_apart(frame):
    some = select(frame, ["iters=1,2", "temperature_scale=1"])
    assert list(labels_of(some).values()) == ["iters=1", "iters=2"]
    labels = labels_of(frame[::-1])
    assert len(set(labels.values())) == 12
    assert next(iter(labels)) == "000000000001"
    assert labels["000000000001"] == "iters=0\ntemperature_scale\n= 0.1"
    assert labels_of(frame[:0]) == {}


def test_what_others_determine_is_left_out():
    lines = [{"model": "a", "width": 1, "iters": 0}, {"model": "b", "width": 2, "iters": 0}]
    assert needed(lines) == ["model"]


def test_the_script(tmp_path, capsys):
    folder = swept(tmp_path / "records")
    (folder / "odd.json").write_text("[1]")
    words = ["rows=iters", "columns=temperature_scale", f"folder={folder}"]
    assert script.main([*words, "format=latex"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("% mIoU (%), dataset toy, method gem")
    assert out.endswith("\\end{tabular}\n")
    target = tmp_path / "table.csv"
    script.main([*words, f"out={target}", "value=heatmap_iou"])
    assert pd.read_csv(target).shape == (4, 4)
    script.main([*words, "iters>0"])
    assert re.search(r"^\| iters \|", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(ValueError, match=r"out=\S+a\.doc: expected a name that ends with \.md"):
        script.main([*words, f"out={tmp_path / 'a.doc'}"])


def test_one_record_is_a_table_too(tmp_path):
    write_record(record(miou=0.5), tmp_path)
    pivot = make_pivot(read_frame(tmp_path)[0])
    assert (pivot.rows, pivot.heads, pivot.tops) == (("method",), (("gem",),), ("mIoU", "map IoU"))
    assert pivot.best(1) == frozenset()
