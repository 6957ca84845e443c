"""Ids and where their files lie: lists, folders, patterns."""

from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter, ValidationError

from evaluation.data.on_disk import Pattern, check_ids, list_folder, read_list


def listed(tmp_path, content):
    (tmp_path / "val.txt").write_bytes(content)
    return read_list(str(tmp_path), "val.txt")


@pytest.mark.parametrize(
    "content",
    [b"a\nb c\nd/e\n", b"a\r\nb c\r\n\r\nd/e", b"\xef\xbb\xbfa\nb c\n d/e \n"],
    ids=["unix", "windows", "with a byte order mark"],
)
def test_an_id_is_a_line(content, tmp_path):
    assert listed(tmp_path, content) == ("a", "b c", "d/e")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\nb\na\n", ": the id 'a' is there 2 times, expected once"),
        (b"a\n../b\n", ": the id '../b' cannot be the name of a file in a folder"),
        (b"/a\n", ": the id '/a' cannot be the name of a file in a folder"),
        (b"a\0\n", r": the id 'a\x00' cannot be the name of a file in a folder"),
        (b"a\x1b[2J\n", r": the id 'a\x1b[2J' cannot be the name of a file in a folder"),
        (b"\xff\xfea\0", " cannot be read as a list of ids: it is not UTF-8"),
    ],
)
def test_lists_that_are_refused(content, said, tmp_path):
    with pytest.raises(ValueError, match=r"val\.txt") as caught:
        listed(tmp_path, content)
    assert str(caught.value) == f"{tmp_path / 'val.txt'}{said}"


def test_names_that_are_no_names():
    for name in ("", "a/../b", "\ud800"):
        with pytest.raises(ValueError, match=r"^x: the id .* cannot be the name of a file"):
            check_ids([name], "x")
    check_ids(["..a", "a..b", "\u00e9\u00a0", "a'b[1]{2}"], "x")


@pytest.mark.parametrize("pattern", ["x/{id}.jpg", "{id}/{id}.png", "../{id}"])
def test_patterns(pattern):
    assert TypeAdapter(Pattern).validate_python(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("x/{foo}.jpg", "expected a path with {id}, the id of a sample, and no other braces"),
        ("x/a.jpg", "expected a path with {id}, the id of a sample, and no other braces"),
        ("{id}/{x", "expected a path with {id}, the id of a sample, and no other braces"),
        ("{id!r}", "expected a path with {id}, the id of a sample, and no other braces"),
        ("{id.__class__}", "expected a path with {id}, the id of a sample, and no other braces"),
        ("/x/{id}.jpg", "expected a path relative to dataset.root"),
        ("x\0/{id}.jpg", "expected a path relative to dataset.root"),
    ],
)
def test_patterns_that_are_none(pattern, said):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Pattern).validate_python(pattern)
    assert caught.value.errors()[0]["msg"] == f"Value error, {said}"


@pytest.fixture
def files(tmp_path):
    for name in ("m/a.png", "m/b/c.png", "m/d.png.txt", "m/[e].png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "m" / "folder.png").mkdir()
    return SimpleNamespace(root=str(tmp_path))


def test_a_folder_lists_files_only(files):
    assert list_folder(files.root, "m/{id}.png") == ("[e]", "a", "b/c")


def test_a_pattern_without_an_ending(files):
    """The ids were empty texts."""
    assert list_folder(files.root, "m/b/{id}") == ("c.png",)


def test_signs_of_a_pattern_are_no_wildcards(files):
    assert list_folder(files.root, "m/{id}e].png") == ("[",)


def test_a_folder_cannot_be_listed_by_two_ids(files):
    said = "dataset.mask=m/{id}/{id}.png: {id} is there more than once, which needs a"
    with pytest.raises(ValueError, match=f"^{said.replace('{', '.').replace('}', '.')} dataset"):
        list_folder(files.root, "m/{id}/{id}.png")
