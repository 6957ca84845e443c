"""Arrays of MATLAB files, as scipy writes and reads them."""

import io

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from evaluation.prepare.mat_file import read_array

KINDS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 5), (2, 3, 4), (40, 50)])
@pytest.mark.parametrize("compressed", [True, False])
def test_as_scipy_reads_it(kind, shape, compressed):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(kind)
    buffer = io.BytesIO()
    others = {"text": "abc", "cell": {"x": array}, "z": np.array([1j])}
    savemat(buffer, others | {"wanted": array}, do_compression=compressed)
    found, expected = read_array(buffer.getvalue(), "wanted"), loadmat(buffer)["wanted"]
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_numbers_in_a_smaller_type_than_their_class():
    """As MATLAB itself writes: doubles that are small whole numbers take a byte each."""
    head = b"MATLAB 5.0".ljust(124) + b"\0\1IM"
    flags = (6).to_bytes(4, "little") + (8).to_bytes(4, "little") + b"\6\0\0\0\0\0\0\0"
    shape = b"\5\0\0\0\x08\0\0\0" + b"\2\0\0\0\3\0\0\0"
    name = b"\1\0\1\0a\0\0\0"
    values = b"\2\0\0\0\6\0\0\0" + bytes([1, 2, 3, 4, 5, 6]) + b"\0\0"
    body = flags + shape + name + values
    content = head + b"\x0e\0\0\0" + len(body).to_bytes(4, "little") + body
    expected = loadmat(io.BytesIO(content))["a"]
    found = read_array(content, "a")
    assert found.dtype == expected.dtype == np.uint8
    assert found.tolist() == expected.tolist() == [[1, 3, 5], [2, 4, 6]]


def test_a_bomb(monkeypatch):
    monkeypatch.setattr("evaluation.prepare.mat_file.MOST_BYTES", 1 << 16)
    buffer = io.BytesIO()
    savemat(buffer, {"a": np.zeros((400, 400))}, do_compression=True)
    with pytest.raises(ValueError, match="its compressed bytes are cut short, or too many"):
        read_array(buffer.getvalue(), "a")


@pytest.mark.parametrize("compressed", [True, False])
def test_every_length_that_is_shorter(compressed):
    buffer = io.BytesIO()
    savemat(buffer, {"a": np.arange(12).reshape(3, 4)}, do_compression=compressed)
    content = buffer.getvalue()
    for length in range(len(content)):
        with pytest.raises(ValueError):
            read_array(content[:length], "a")
