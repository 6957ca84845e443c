"""What can be saved of an answer, as bytes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from evaluation.playground.answer import Answer
from evaluation.playground.drawing import hexadecimal, labelled
from gem.sheet import PAPER, draw


def maps_file(answer: Answer) -> bytes:
    """An ``.npz`` without pickles: the maps of all methods, as they are shown.

    scores: float32 [methods, words, y, x]. labels: uint8 [methods, y, x], 0 for none of the words.
    methods, options, words, model: text. size: width and height of the picture as it came.
    """
    written = BytesIO()
    np.savez_compressed(
        written,
        scores=np.stack([one.scores for one in answer.found]),
        labels=np.stack([one.labels for one in answer.found]).astype(np.uint8),
        methods=np.array([one.title for one in answer.found]),
        options=np.array([one.variant for one in answer.found]),
        words=np.array(answer.question.words),
        model=np.array(answer.model),
        size=np.array(answer.picture.size),
    )
    return written.getvalue()


def picture_file(answer: Answer) -> bytes:
    """A PNG: for each method the label map, the heat maps and their scale."""
    words = answer.question.words
    marks = {word: hexadecimal(place) for place, word in enumerate(words)}
    sheets = [
        draw(
            answer.picture.shown, words, one.scores, marks=marks,
            caption=f"{one.title} {one.variant}".strip() + f", {answer.model}",
            beside={"labels": labelled(answer.picture.shown, one.labels)},
        )
        for one in answer.found
    ]  # fmt: skip
    size = max(one.width for one in sheets), sum(one.height for one in sheets)
    whole, top = Image.new("RGB", size, PAPER), 0
    for one in sheets:
        whole.paste(one, (0, top))
        top += one.height
    written = BytesIO()
    whole.save(written, format="PNG")
    return written.getvalue()
