"""The numbers of the field: what the references hold, with its protocol and source."""

import re

import pytest
from test_published import numbers_of, reference, values

from evaluation.launch import compose_setting
from evaluation.tables.published import load_table

FIELD = load_table("field")
SUITES = {
    "gem", "gem_released", "clearclip", "tcl", "sclip", "naclip", "naclip_pamr", "proxyclip",
    "resclip", "sc_clip",
}  # fmt: skip
MEANS = {  # of all eight sets, as the papers print them
    ("NACLIP", "CLIP L/14", "its paper"): 36.5,
    ("NACLIP", "CLIP B/16", "its README, with PAMR"): 42.46,
    ("ResCLIP on NACLIP", "CLIP B/16", "its README"): 41.4,
    ("ResCLIP on NACLIP", "CLIP L/14", "its paper"): 39.1,
    ("SC-CLIP", "CLIP B/16", "its repository"): 43.9,
    ("SC-CLIP", "CLIP L/14", "its repository"): 45.2,
    ("CCAR on SCLIP", "CLIP B/16", "its paper"): 42.9,
    ("CASS", "CLIP B/16", "its repository"): 44.4,
    ("FreeCP on GEM", "CLIP B/16", "its README"): 42.0,
    ("GEM, 6 blocks", "CLIP B/16", "FreeCP README"): 38.3,
    ("ProxyCLIP", "MetaCLIP B/16", "its paper"): 43.9,
    ("Trident", "CLIP B/16", "its README"): 45.8,
    ("CorrCLIP v1, EntitySeg", "MetaCLIP L/14", "its README"): 55.4,
    ("CorrCLIP v2, bank of COCO", "MetaCLIP L/14", "its README"): 59.5,
    ("OV-Stitcher", "MetaCLIP B/16", "its paper"): 51.9,
}


def row(*called):
    return next(one for one in FIELD.rows if (*one.key, one.about[0]) == called)


@pytest.mark.parametrize("called", MEANS, ids="-".join)
def test_a_row_has_the_mean_that_is_printed(called):
    numbers = [cell.published for cell in row(*called).cells]
    assert sum(numbers) / 8 == pytest.approx(MEANS[called], abs=0.051)


@pytest.mark.parametrize(
    ("called", "numbers"),
    [
        (
            ("SCLIP", "CLIP B/16", "its README"),
            [59.63, 31.74, 33.52, 81.54, 34.46, 22.77, 32.34, 16.45],
        ),
        (
            ("NACLIP", "CLIP B/16", "its README, with PAMR"),
            [64.07, 34.99, 36.19, 83.03, 38.35, 25.69, 38.27, 19.05],
        ),
    ],
)
def test_the_numbers_of_readmes(called, numbers):
    """Typed from the READMEs; field.md has Cityscapes and Context59 of NACLIP exchanged."""
    assert [cell.published for cell in row(*called).cells] == numbers


def lines_of(section):
    """The numbers of the rows of a table in a reference, the first eight of each."""
    for line in section.splitlines():
        if line.startswith("|") and re.search(r"\d\.\d", line):
            cells = [part.strip(" *()") for part in line.split("|")[1:-1]]
            first = len(cells) - 9
            yield cells[0], [numbers_of(part[:6] or "-") for part in cells[first:-1]]


def test_every_row_of_the_reference_is_there():
    text = reference("field.md")
    section = text[text.index("### A.4") : text.index("Protocols of the rows")]
    ours = values(FIELD)
    for name, cells in lines_of(section):
        numbers = [one[0] if one else None for one in cells]
        near = (all(fits(*pair) for pair in zip(numbers, mine, strict=True)) for mine in ours)
        assert any(near) or name == "NACLIP + PAMR", (name, numbers)


def fits(one, other):
    """Whether a number of one decimal is another rounded."""
    return one == other or (None not in (one, other) and abs(one - other) < 0.051)


def test_every_row_says_its_protocol_and_its_source():
    assert FIELD.about == ("numbers of", "source")
    for one in FIELD.rows:
        assert one.protocol, one.key
        assert all(one.about), one.key
    assert set(FIELD.suites) == SUITES
    called = [(*one.key, *one.about) for one in FIELD.rows]
    assert len(called) == len(set(called))


def test_columns_are_the_eight_sets_of_the_field():
    data = [one.overrides[0].partition("=")[2] for one in FIELD.columns]
    assert data == [
        "voc", "context60", "coco_object_stuff", "voc20", "context", "coco_stuff", "cityscapes",
        "ade20k",
    ]  # fmt: skip
    assert [one.suite for one in FIELD.columns] == ["gem"] * 3 + ["clearclip"] * 5
    assert [one.overrides for one in load_table("protocols").columns] == [
        one.overrides for one in FIELD.columns
    ]


def test_a_suite_is_the_protocols_row_with_its_own_words():
    rows = {}
    for one in load_table("protocols").rows:
        rows.setdefault(one.key[0], one)
    for name, suite in FIELD.suites.items():
        own = [one for one in suite.overrides if not one.startswith("backbone.")]
        assert own == [one for one in rows[name].cells[0].overrides if one in own]
        assert rows[name].tiny == suite.tiny
        _, words, prompts = rows[name].key
        assert {f"vocabulary={words}", f"prompts={prompts}"} <= set(own)


@pytest.mark.parametrize("name", sorted(SUITES - {"gem", "gem_released", "tcl"}))
def test_a_suite_is_what_the_experiment_of_its_name_sets(name):
    """But for the method, which is the row's."""
    own = compose_setting((*FIELD.suites[name].overrides, "method=clip", "backbone=clip_vit_b16"))
    assert own == compose_setting((f"experiment={name}", "method=clip"))


def test_numbers_published_under_clearclips_protocol_are_those_of_its_table():
    theirs = {tuple(one) for one in values(load_table("clearclip"))}
    found = [one for one in FIELD.rows if one.about[0] == "ClearCLIP repository"]
    assert len(found) == 16
    assert {tuple(cell.published for cell in one.cells[3:]) for one in found} <= theirs
    assert {one.protocol for one in found} == {"clearclip"}
