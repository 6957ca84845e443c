"""The readings of p-mIoU by name; what they mean is said in `evaluation.metrics.points`."""

AGGREGATIONS = ("image", "class", "pair")
SIDES = ("fg", "both")
PAIRS = ("positive", "all")
HEADLINE = "pmiou"


def reading_name(aggregation: str, side: str, pairs: str) -> str:
    """``pmiou`` for the headline; what differs from it is appended: ``pmiou_class_both_all``."""
    changed = [
        value
        for value, usual in zip(
            (aggregation, side, pairs), ("image", "fg", "positive"), strict=True
        )
        if value != usual
    ]
    return "_".join([HEADLINE, *changed])
