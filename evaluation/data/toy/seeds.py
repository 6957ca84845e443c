"""Which seeds are drawn for what: known without what draws them."""

EVAL = range(1_000_000)
"""Seeds of the scenes that results are reported on."""
TUNE = range(1_000_000, 2_000_000)
"""Seeds of the scenes on which a person may look at numbers and choose."""
TRAIN = range(2_000_000, 3_000_000)
"""Seeds of the scenes that the tiny model learns from."""
