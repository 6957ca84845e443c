"""CSV for spreadsheets: nothing in it is computed, and pandas has everything back."""

import csv
import io

import pandas as pd
import pytest

from evaluation.records.spreadsheet import frame_csv

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''=1", "\uff1d1+1"]
OTHERS = ["-", "=", "'a", "a=b", "1-1"]


def test_texts_that_begin_a_formula():
    text = frame_csv(pd.DataFrame({"text": FORMULAS + OTHERS}))
    assert text.splitlines() == ["text", *(f"'{one}" for one in FORMULAS), *OTHERS]


def test_the_way_back():
    texts = FORMULAS[:-1] + OTHERS
    read = pd.read_csv(io.StringIO(frame_csv(pd.DataFrame({"text": texts}))))
    back = read["text"].str.replace("^'(?='*[=+@-].)", "", regex=True)
    assert list(back) == texts


@pytest.mark.parametrize("text", ["\t=1+1", "\r=1+1", "a\r\n=1+1", "a\n=1", "\x1b[2J", "a,b", '"'])
def test_a_text_is_one_cell_of_one_line(text):
    written = frame_csv(pd.DataFrame({"a": [text], "b": [1]}))
    assert len(written.splitlines()) == 2
    _, (cell, one) = csv.reader(io.StringIO(written, newline=""))
    assert one == "1"
    assert cell.isprintable()
    assert not cell.startswith("=")


def test_numbers_stay_numbers():
    frame = pd.DataFrame({"a": [-1.5, None], "b": [-2, 3], "d": [True, False]})
    frame["c"] = pd.Series([None, -4], dtype=object)
    assert frame_csv(frame) == "a,b,d,c\n-1.5,-2,True,\n,3,False,-4\n"


def test_names_of_columns_are_texts_too():
    assert frame_csv(pd.DataFrame({"=a": [1]})) == "'=a\n1\n"
    assert frame_csv(pd.DataFrame([[1, 2]], columns=["a", "a"])) == "a,a\n1,2\n"
