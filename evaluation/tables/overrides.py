"""Words of the command line as data: which key each sets, and whose words win."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

GROUPS = ("backbone", "method", "dataset", "protocol", "vocabulary", "prompts", "experiment")
POINTS = {"toy": "toy_points"}  # where a table of points is asked for on a data set of masks


def key_of(word: str) -> str:
    """The key of a word of the command line: ``gem.iters`` of ``gem.iters=3``."""
    return word.partition("=")[0].lstrip("+~")


def value_of(words: Sequence[str], key: str) -> str | None:
    """The value that the words give a key; None if they do not."""
    found = [word.partition("=")[2] for word in words if key_of(word) == key]
    return found[-1] if found else None


def of_gem(words: Sequence[str]) -> bool:
    """Whether the words choose GEM, which is the default, or a reading of it."""
    return (value_of(words, "method") or "gem").startswith("gem")


def file_in(words: Sequence[str]) -> str | None:
    """The file of weights that the words give; None if they give none, a tag, or null."""
    weights = value_of(words, "backbone.weights") or ""
    return weights if Path(weights).suffix else None


def reaching(words: Sequence[str], given: Sequence[str], main: str | None) -> tuple[str, ...]:
    """The user's words without those that are not meant for the backbone of a cell.

    A file holds the weights of one model: of ``main`` where the words name no other.
    """
    named = value_of(given, "backbone") or value_of(given, "backbone.model")
    if named or not file_in(given) or value_of(words, "backbone") in {None, main}:
        return tuple(given)
    own = {"backbone.weights", "backbone.quick_gelu"}
    return tuple(word for word in given if key_of(word) not in own)


def telling(
    words: Sequence[str], rivals: Sequence[Sequence[str]], given: Sequence[str]
) -> list[str]:
    """The keys that tell a row with ``words`` from its rivals, and get another value.

    Options of GEM tell rows of GEM apart; a reading of GEM may take the place of another.
    """
    found = []
    for key in dict.fromkeys(map(key_of, given)):
        kin = [rival for rival in rivals if of_gem(rival) or not key.startswith("gem.")]
        reading = key == "method" and of_gem(words) and of_gem(given)
        same = reading or value_of(words, key) == value_of(given, key)
        if len({value_of(rival, key) for rival in kin}) > 1 and not same:
            found.append(key)
    return found


def adapt(
    words: Sequence[str], given: Sequence[str], score: str, tiny: Sequence[str] = ()
) -> tuple[str, ...]:
    """The words of a cell with those given by the user, which win.

    A given data set or backbone replaces the cell's with its options; options of GEM are given
    to cells of GEM only; a table of points takes the points of a data set that has both. ``tiny``
    words are added for the embedded model. A given experiment replaces the cell's protocol.
    """
    if not of_gem(words):
        given = [word for word in given if not key_of(word).startswith("gem.")]
    data = value_of(given, "dataset")
    if score != "miou" and data in POINTS:
        given = [f"dataset={POINTS[data]}" if key_of(w) == "dataset" else w for w in given]
    fitting = tiny if value_of(given, "backbone") == "tiny" else ()
    won = {key_of(word) for word in given}
    replaced = won | {"protocol"} if "experiment" in won else won
    parts = tuple(f"{key}." for key in replaced if key in GROUPS)
    kept = [w for w in (*words, *fitting) if key_of(w) not in won and not w.startswith(parts)]
    return (*kept, *given)


def elsewhere(given: Sequence[str], cells: Sequence[Sequence[str]]) -> dict[str, str]:
    """What data and model the user's words choose that no cell's words have, by name."""
    found = {}
    for key in ("dataset", "backbone", "backbone.model", "backbone.weights"):
        value = value_of(given, key)
        if value and all(value_of(words, key) != value for words in cells):
            found[key.rpartition(".")[2]] = value
    if file_in(given):
        found.pop("weights")
    return found


def described(given: Sequence[str]) -> str:
    """The user's words that change numbers, for a note; empty if there are none."""
    silent = ("backbone.device", "batch_size", "workers", "dataset.root", "backbone.weights")
    return " ".join(word for word in given if key_of(word) not in silent)
