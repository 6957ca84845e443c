"""Servers that change their file between two tries, or answer with something else than the file."""

import re

import file_server
import pytest
from file_server import CONTENT, MD5, OLD, OTHER, RECENT, begin, complete, names

from evaluation.prepare.download import download

rules, url, path = file_server.rules, file_server.url, file_server.path


@pytest.mark.parametrize(("etag", "modified"), [('"one"', None), ('"one"', OLD), (None, OLD)])
def test_a_part_is_continued_if_the_file_is_the_same(etag, modified, url, rules, path):
    rules |= {"etag": etag, "modified": modified}
    begin(url, rules, path)
    assert complete(url, path) == []
    assert path.read_bytes() == CONTENT
    assert (rules["requests"], rules["validators"]) == (["bytes=1000-"], [etag or modified])


@pytest.mark.parametrize(
    ("etag", "modified"), [(None, None), ('W/"one"', None), ('W/"one"', OLD), (None, RECENT)]
)
def test_nothing_vouches_for_the_part(etag, modified, url, rules, path):
    """A weak ETag, or a date that is too young, tells no two versions apart."""
    rules |= {"etag": etag, "modified": modified}
    begin(url, rules, path)
    said = "the server does not say that its file is still the one of this part"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == CONTENT
    assert rules["requests"] == [None]


def test_nothing_vouches_for_the_part_but_a_digest_will(url, rules, path):
    rules["etag"] = None
    begin(url, rules, path)
    assert complete(url, path, digest=MD5) == []
    assert rules["requests"] == ["bytes=1000-"]


@pytest.mark.parametrize("content", [OTHER, OTHER[:50_000], OTHER * 2])
@pytest.mark.parametrize("honest", [True, False])
def test_the_file_changed_between_two_tries(content, honest, url, rules, path):
    """Also if the server continues all the same: its ETag is another."""
    begin(url, rules, path)
    rules |= {"content": content, "etag": '"two"', "honest": honest}
    notes = complete(url, path)
    assert path.read_bytes() == content
    assert len(notes) == 1
    assert notes[0].startswith("file.zip.part is begun again: ")


@pytest.mark.parametrize("size", [50_000, 2 * len(CONTENT)])
def test_only_the_length_changed(size, url, rules, path):
    """The server forgot to give its file another ETag."""
    begin(url, rules, path)
    rules["content"] = (OTHER * 2)[:size]
    said = f"its length was {len(CONTENT)}, now it is {size} (try 1 of 5)"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == (OTHER * 2)[:size]


@pytest.mark.parametrize(
    "said",
    [
        "bytes 999-{last}/{all}", "bytes 1000-{last}/*", "bytes 1000-{all}/{all}", "bytes 1000-",
        "bytes 1000-900/{all}", "bytes {all}-{last}/{all}", "items 1000-{last}/{all}", None,
        "bytes 1000-2000/{all}", "bytes 1000-{last}/99999999999999999999999",
    ],
)  # fmt: skip
def test_a_range_that_does_not_continue_the_part(said, url, rules, path):
    begin(url, rules, path)
    said = said and said.format(last=len(CONTENT) - 1, all=len(CONTENT))
    rules["turns"] = [{"headers": {"Content-Range": said}}, {"headers": {}}]
    notes = complete(url, path)
    assert path.read_bytes() == CONTENT
    assert len(notes) == 1
    assert notes[0].startswith("file.zip.part is begun again: the server sends ")
    assert rules["requests"] == ["bytes=1000-", None]


def test_a_server_that_sends_it_in_pieces(url, rules, path):
    begin(url, rules, path)
    rules["most"] = 300_000
    notes = complete(url, path)
    assert path.read_bytes() == CONTENT
    sizes = [re.search(r"sent the bytes up to (\d+) of", note)[1] for note in notes]
    assert sizes == ["301000", "601000"]


@pytest.mark.parametrize("status", [416, 206])
def test_an_answer_to_nothing_that_was_asked(status, url, rules, path):
    rules["says"] = status
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    sends = "" if status == 416 else " and sends a part"
    assert str(caught.value) == (
        f"{url} cannot be downloaded: the server says {status}{sends}, though the whole file was "
        "asked for"
    )
    assert names(path) == []


@pytest.mark.parametrize("said", [None, "bytes */5", "bytes */*", "nonsense"])
def test_a_stray_416(said, url, rules, path):
    """Of the part nothing is known then: it is begun again, once."""
    begin(url, rules, path)
    rules["turns"] = [
        {"status": 416, "headers": {"Content-Range": said}},
        {"status": None, "headers": {}},
    ]
    said = f"the server says 416 and {said or 'no Content-Range'!r} (try 1 of 5)"
    assert complete(url, path) == [f"file.zip.part is begun again: {said}"]
    assert path.read_bytes() == CONTENT


def test_a_part_that_was_whole(url, rules, path):
    """Killed between the last byte and the new name."""
    begin(url, rules, path)
    path.with_name("file.zip.part").write_bytes(CONTENT)
    assert complete(url, path) == []
    assert path.read_bytes() == CONTENT
    assert rules["requests"] == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_without_length(chunked, url, rules, path):
    """In chunks its end is known; else only a digest tells."""
    rules |= {"chunked": True} if chunked else {"headers": {"Content-Length": None}}
    if not chunked:
        with pytest.raises(ConnectionError) as caught:
            download(url, path)
        assert str(caught.value) == (
            f"{url} cannot be downloaded: the server does not say its length, and no hash is "
            "known, so that nothing would tell whether it is whole"
        )
    complete(url, path, digest="" if chunked else MD5)
    assert path.read_bytes() == CONTENT


def test_chunks_that_stop(url, rules, path):
    rules |= {"chunked": True, "stops": [80_000]}
    assert len(complete(url, path)) == 1
    assert path.read_bytes() == CONTENT


def test_fewer_bytes_than_the_length_says(url, rules, path):
    rules["headers"] = {"Content-Length": str(len(CONTENT) + 5)}
    with pytest.raises(ConnectionError, match="the same command goes on there"):
        download(url, path)
    assert not path.exists()


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
def test_a_content_encoding(coding, url, rules, path):
    rules["headers"] = {"Content-Encoding": coding}
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"{url} cannot be downloaded: the server sends it with the Content-Encoding {coding}, "
        "though identity was asked for"
    )


def test_the_encoding_of_a_gzip_file_is_the_file(url, rules, tmp_path):
    """Some servers say so of every .gz: the bytes are those of the file."""
    rules |= {"headers": {"Content-Encoding": "x-gzip"}, "content": b"\x1f\x8b" + CONTENT}
    download(url.replace(".zip", ".tar.gz"), tmp_path / "file.tar.gz")
    assert (tmp_path / "file.tar.gz").read_bytes() == b"\x1f\x8b" + CONTENT


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "Application/xhtml+xml"])
def test_a_login_page_leaves_the_part(kind, url, rules, path):
    begin(url, rules, path)
    page = {"content": b"<html>log in", "headers": {"Content-Type": kind}, "ranges": False}
    rules["turns"] = [page, {"content": CONTENT, "headers": {}, "ranges": True}]
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"{url} cannot be downloaded: a web page comes in place of file.zip; is there a login page "
        "before the network?"
    )
    assert complete(url, path) == []
    assert rules["requests"][-1] == "bytes=1000-"


@pytest.mark.parametrize("digest", ["", MD5])
def test_a_login_page_of_no_kind(digest, url, rules, path):
    rules["content"] = b"\n<!DOCTYPE html><p>log in"
    with pytest.raises(ValueError) as caught:
        download(url, path, digest=digest)
    assert str(caught.value) == (
        "file.zip is a web page in place of the file; is there a login page before the network?; "
        "it was deleted"
    )
    assert names(path) == []


@pytest.mark.parametrize(("content", "first"), [(b'{"error": 1}', b'{"error"'), (b"", b"")])
def test_something_else_in_place_of_an_archive(content, first, url, rules, path):
    rules["content"] = content
    with pytest.raises(ValueError) as caught:
        download(url, path)
    assert str(caught.value) == (
        f"file.zip begins with {first!r}, which is no .zip archive; it was deleted"
    )


def test_an_empty_table(url, rules, tmp_path):
    rules["content"] = b""
    with pytest.raises(ValueError, match=r"^file.csv is empty; it was deleted$"):
        download(url, tmp_path / "file.csv")


def test_redirects_in_circles(url, rules, path):
    rules |= {"says": 302, "headers": {"Location": url}}
    with pytest.raises(ConnectionError) as caught:
        download(url, path)
    assert str(caught.value) == f"{url} cannot be downloaded: Exceeded maximum allowed redirects."


@pytest.mark.parametrize("place", ["http://[", "ftp://x/y", "//", "http://\x7f", "http:///x"])
def test_redirects_to_nowhere(place, url, rules, path):
    rules |= {"says": 302, "headers": {"Location": place}}
    with pytest.raises(ConnectionError, match="cannot be downloaded: "):
        download(url, path)
