"""Words of the command line as data: which key each sets, and whose words win."""

from __future__ import annotations

from collections.abc import Sequence

GROUPS = ("backbone", "method", "dataset", "protocol", "vocabulary", "prompts", "experiment")
POINTS = {"toy": "toy_points"}  # where a table of points is asked for on a data set of masks


def key_of(word: str) -> str:
    """The key of a word of the command line: ``gem.iters`` of ``gem.iters=3``."""
    return word.partition("=")[0].lstrip("+~")


def value_of(words: Sequence[str], key: str) -> str | None:
    """The value that the words give a key; None if they do not."""
    found = [word.partition("=")[2] for word in words if key_of(word) == key]
    return found[-1] if found else None


def adapt(
    words: Sequence[str], given: Sequence[str], score: str, tiny: Sequence[str] = ()
) -> tuple[str, ...]:
    """The words of a cell with those given by the user, which win.

    A given data set or backbone replaces the cell's with its options; options of GEM are given
    to cells of GEM only; a table of points takes the points of a data set that has both. ``tiny``
    words are added for the embedded model.
    """
    if not (value_of(words, "method") or "gem").startswith("gem"):
        given = [word for word in given if not key_of(word).startswith("gem.")]
    data = value_of(given, "dataset")
    if score != "miou" and data in POINTS:
        given = [f"dataset={POINTS[data]}" if key_of(w) == "dataset" else w for w in given]
    fitting = tiny if value_of(given, "backbone") == "tiny" else ()
    won = {key_of(word) for word in given}
    parts = tuple(f"{key}." for key in won if key in GROUPS)
    kept = [w for w in words if key_of(w) not in won and not w.startswith(parts)]
    return (*kept, *(word for word in fitting if key_of(word) not in won), *given)


def described(given: Sequence[str]) -> str:
    """The user's words that change numbers, for a note; empty if there are none."""
    silent = ("backbone.device", "batch_size", "workers", "dataset.root", "backbone.weights")
    return " ".join(word for word in given if key_of(word) not in silent)
