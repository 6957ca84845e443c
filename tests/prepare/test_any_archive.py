"""Archives with random damage: refused, or every file as it was packed."""

import os

import numpy as np
import pytest
from test_unpack import FILES, make_tar, make_zip, tree

from evaluation.prepare.unpack import unpack


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "tar"])
@pytest.mark.parametrize("seed", range(int(os.environ.get("GEM_SEEDS", "12"))))
def test_any_bytes(ending, seed, tmp_path):
    """Refused in a sentence that names the archive, or every file as it was packed.

    A plain tar has no check sum but of its headers: a part that was cut out can take a header
    with it. What has a hash in its card is compared with it before.
    """
    path = tmp_path / f"x.{ending}"
    (make_zip if ending == "zip" else make_tar)(path, FILES)
    content, generator = path.read_bytes(), np.random.default_rng(seed)
    for number in range(10):
        path.write_bytes(damaged(content, generator))
        out = tmp_path / f"out{number}"
        try:
            unpack(path, out)
        except ValueError as error:
            assert str(error).startswith(f"x.{ending} ")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017
            complete = False
        else:
            complete = True
        found = tree(out) if out.exists() else {}
        if ending != "tar":
            assert found == FILES if complete else found.items() <= FILES.items()
        else:
            assert (
                not complete or len(content) != path.stat().st_size or found.keys() == FILES.keys()
            )


def damaged(content, generator):
    """A few bytes are others, are lacking, or are there twice."""
    kind, at = generator.integers(4), int(generator.integers(len(content)))
    size = int(generator.integers(1, 600))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + content[at + size :]
    if kind == 2:
        return content[: at + size] + content[at:]
    broken = bytearray(content)
    for place in generator.integers(0, len(content), int(generator.integers(1, 4))):
        broken[place] ^= 1 << int(generator.integers(8))
    return bytes(broken)
