"""Broken input for every reader: edits of bytes, changes of trees, and what may come of them.

A property says what reads the input, and what must hold of a result. `answer` runs it: the result
comes back, or the program refused with one of its own errors. Any other exception, a sentence that
is none, much memory or a long time is a failure of the property.

Strategies draw edits and not the edited bytes, so that the smallest example can be read.
"""

import json
import os
import resource
import signal
import warnings
from collections import Counter
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from evaluation.launch.errors import MISTAKES, sentence

SECONDS = 5  # of CPU time, after which an example counts as one that never ends
IMPORTS = 30  # further ones that the first example may take
MEMORY = 768 * 2**20  # bytes by which one example may raise the peak of the process
REFUSED = object()
TALLY = Counter()
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
EXAMPLES = int(os.environ.get("GEM_FUZZ", "0"))  # of each property, from seeds of their own
if EXAMPLES:
    PROFILE = settings(max_examples=EXAMPLES, print_blob=True)
else:  # the smallest example is looked for by make fuzz: hundreds of slow ones would be tried
    phases = [Phase.explicit, Phase.generate]
    PROFILE = settings(max_examples=25, derandomize=True, database=None, phases=phases)
PROFILE = settings(PROFILE, deadline=None, suppress_health_check=CHECKS)


def fuzzed(*, share=1.0, **strategies):
    """A property over the strategies; ``share`` of the examples where each is slow."""
    examples = max(5, round(PROFILE.max_examples * share))

    def decorate(test):
        return settings(PROFILE, max_examples=examples)(given(**strategies)(test))

    return decorate


class Endless(BaseException):
    """Nothing in the program catches it, as a TimeoutError would be."""


class Given(tuple):  # noqa: SLOT001 a tuple of few
    """What a fixture gives; the report of an example shows what was drawn, not this."""

    def __repr__(self):
        return "..."


@contextmanager
def bounded(seconds):
    """Raise `Endless` after that CPU time, and fail if much memory was taken."""

    def stop(*_):
        raise Endless(f"no answer in {seconds} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    earlier = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < MEMORY, f"one example took {grown >> 20} MiB"


def answer(read, *names):
    """What ``read`` gives, or `REFUSED`; the sentence of a refusal has one of the names, if any."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("::")[2].partition(" ")[0]
    TALLY[test, "examples"] += 1
    first = TALLY[test, "examples"] == 1
    with bounded(SECONDS + IMPORTS * first), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a user sees them as lines; here only what follows counts
        try:
            found = read()
        except MISTAKES as error:
            _check_sentence(error, names)
            TALLY[test, "refused"] += 1
            return REFUSED
    TALLY[test, "accepted"] += 1
    return found


def _check_sentence(error, names):
    said = sentence(error)
    assert str(error).strip(), f"{type(error).__name__} says nothing"
    assert "\n" not in said
    assert len(said) <= 1100
    named = [name or "an empty word" for name in names]
    shown = [sentence(ValueError(name))[:40] for name in named]  # of a long one only the ends are
    assert not names or any(name in said for name in shown), f"none of {shown} in: {said}"


def tally():
    """Lines for the end of a run."""
    for test in sorted({name for name, _ in TALLY}):
        counts = [f"{TALLY[test, kind]} {kind}" for kind in ("examples", "accepted", "refused")]
        yield f"{test}: {', '.join(counts)}"
    kinds = {kind: sum(n for (_, one), n in TALLY.items() if one == kind) for _, kind in TALLY}
    yield f"all: {', '.join(f'{number} {kind}' for kind, number in kinds.items())}"


# Bytes.

TOKENS = [
    b"\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"{", b"[", b'"', b"null", b"NaN", b"-1",
    b"1e999", b"99999999999999999999", b"\n", b",", b"../", b"\\", b"${x}", b"\xc3",
    b"\xef\xbb\xbf", b"\x1b[31m",
]  # fmt: skip
KINDS = ("flip", "overwrite", "insert", "delete", "cut", "repeat", "nest")


@dataclass(frozen=True)
class Edit:
    """One edit of bytes: at a place (from the end if negative), of some bytes."""

    kind: str
    place: int
    length: int
    token: bytes

    def of(self, content):
        """The bytes after it."""
        at = self.place % (len(content) + 1)
        before, after, end = content[:at], content[at:], content[at + self.length :]
        flipped = bytes(byte ^ (1 << self.length % 8) for byte in after[:1])
        return {
            "flip": before + flipped + after[1:],
            "overwrite": before + self.token + after[len(self.token) :],
            "insert": before + self.token + after,
            "delete": before + end,
            "cut": before,
            "repeat": before + content[at : at + self.length] * 3 + end,
            "nest": before + b"[" * 100_000 if self.length == 63 else before + b"[[" + after,
        }[self.kind]


PLACES = st.integers(0, 63) | st.integers(-64, -1) | st.integers(0, 2**20)
EDITS = st.lists(
    st.builds(
        Edit, st.sampled_from(KINDS), PLACES, st.integers(0, 64),
        st.sampled_from(TOKENS) | st.binary(max_size=4),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def edited(content, edits):
    """The bytes after all edits."""
    for edit in edits:
        content = edit.of(content)
    return content


# Trees, as JSON has them.

DEEP, AGAIN = "DEEP", "AGAIN:"
VALUES = [
    None, True, False, 0, 1, -1, 2, 255, 256, 10**30, -(10**30), 2**31, 2**63, 1e308, -1e308,
    1e-320, 0.5, float("nan"), float("inf"), "", "x", "1", "../x", "/x", "{x}", "{",
    "\x1b[31m[red]", "x" * 3000,
    "9" * 5000, "\ud800", "\0", [], {}, [[]], [None], {"a": None}, [1, 2, 3], ["x"], DEEP,
]  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change of a tree: which node, and what becomes of it."""

    node: int
    kind: str
    value: Any

    def of(self, tree):
        """The tree after it."""
        tree = deepcopy(tree)
        places = list(_places(tree))
        if not places:
            return self.value
        owner, key = places[self.node % len(places)]
        if self.kind == "replace":
            owner[key] = self.value
        elif self.kind == "drop":
            del owner[key]
        elif isinstance(owner, dict):
            owner[f"{AGAIN}{key}"] = self.value
        else:
            owner.insert(key, deepcopy(owner[key]))
        return tree


def _places(node):
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(items):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


CHANGES = st.lists(
    st.builds(
        Change, st.integers(0, 40) | st.integers(0, 2**16),
        st.sampled_from(["replace", "replace", "drop", "again"]), st.sampled_from(VALUES),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


def changed(tree, changes):
    """The tree after all changes."""
    for change in changes:
        tree = change.of(tree) if isinstance(tree, dict | list) else tree
    return tree


def as_json(tree):
    """The text of a tree; keys that come twice, and brackets that never seem to end."""
    text = json.dumps(tree).replace(f'"{AGAIN}', '"')
    return text.replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000).encode()
