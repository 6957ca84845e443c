"""Overrides as data: which key each sets, and whose win."""

import pytest

from evaluation.tables.overrides import for_score, merge, value_of, weights_file, without


def test_given_overrides_win():
    cell = ("backbone=clip_vit_b16", "dataset=voc", "dataset.root=x", "gem.iters=2")
    given = ("dataset=toy", "gem.iters=3", "limit=5")
    assert merge(cell, given) == ("backbone=clip_vit_b16", *given)
    assert merge(cell, ("backbone.weights=F",)) == (*cell, "backbone.weights=F")


def test_options_of_gem_stay_with_gem():
    cell = ("dataset=voc", "gem.iters=2")
    assert merge(cell, ("method=clip",)) == ("dataset=voc", "method=clip")
    assert merge(cell, ("method=gem_released",)) == (*cell, "method=gem_released")


def test_a_table_of_points_takes_points():
    given = ("dataset=toy", "dataset.scenes=3")
    assert for_score(given, "pmiou") == ("dataset=toy_points", "dataset.scenes=3")
    assert for_score(given, "miou") == given
    assert for_score(("dataset=voc",), "speed") == ("dataset=voc",)


@pytest.mark.parametrize("given", ["protocol=tcl", "experiment=released"])
def test_another_protocol_takes_no_options_of_the_cells(given):
    own = ("protocol.windows.size=64", "protocol.resize.size=64")
    assert merge(own, (given,)) == (given,)
    kept = ("protocol.background=0.5", given)
    assert merge(own, kept) == kept


def test_overrides_as_data():
    assert value_of(("a=1", "b=2", "a=3"), "a") == "3"
    assert value_of((), "a") is None
    assert without(("a=1", "a.b=2", "ab=3", "+a.c=4"), "a") == ("ab=3",)


def test_a_file_is_no_tag():
    assert weights_file(("backbone.weights=/x/a.pt",)) == "/x/a.pt"
    assert weights_file(("backbone.weights=laion400m_e32",)) is None
    assert weights_file(()) is None
