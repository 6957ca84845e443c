"""Decisions that rounding may turn are counted apart from those that it cannot.

Float32 results of two computations differ in their last bits where shapes, threads or CPUs do,
and a pixel whose two best words are as near to each other as that may go to either. A test that
compares decisions says for each whether its margin is clear. Those that are clear must be the
same; the others must be few, and each may be counted in the cells of its rivals only.
"""

import numpy as np

COSINE = 1e-5  # a margin between cosines that no rounding bridges: about 100 steps of float32
SHARE = 0.005  # of all decisions, that may have no clear margin


class Counts:
    """The least and the most that may be counted in each cell."""

    def __init__(self, *shape):
        self.low = np.zeros(shape, dtype=int)
        self.high = np.zeros(shape, dtype=int)
        self.decisions = self.unclear = 0

    def add(self, cells):
        """Count a decision in its cell, or, without a clear margin, in one of several.

        None among them is no cell: the decision may not be counted at all.
        """
        self.decisions += 1
        self.unclear += len(cells) > 1
        for cell in (cell for cell in cells if cell is not None):
            self.high[cell] += 1
            self.low[cell] += len(cells) == 1

    def check(self, found):
        """Fail unless the counts are these, but for the few decisions without a clear margin."""
        found = np.array(found)
        assert found.shape == self.low.shape
        assert (self.low <= found).all(), (self.low - found).max()
        assert (found <= self.high).all(), (found - self.high).max()
        assert self.unclear <= SHARE * self.decisions, (self.unclear, self.decisions)


def same_where_clear(found, expected, *, margins, clear):
    """Fail unless decisions are equal wherever the margin is clear, which is nearly everywhere."""
    found, expected, sure = (np.array(part) for part in (found, expected, np.abs(margins) > clear))
    assert found.shape == expected.shape == sure.shape
    assert (found == expected)[sure].all()
    assert (~sure).sum() <= SHARE * sure.size, int((~sure).sum())
