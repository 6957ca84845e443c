"""What one open page has: its picture, its last answer, the point that was clicked."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.playground.answer import Answer
from evaluation.playground.html import Point
from evaluation.playground.model import Playground
from evaluation.playground.picture import (
    LARGEST,
    Picture,
    drawn_scene,
    read_picture,
)
from evaluation.playground.question import Question, chosen, read_words


@dataclass
class Session:
    """One reader's page; it lives in memory, as long as the page is open.

    seed: of the next drawn scene; the first has three things, far from each other.
    """

    picture: Picture | None = None
    answer: Answer | None = None
    point: Point | None = None
    seed: int = 5

    def scene(self, playground: Playground) -> str:
        """Take the next drawn scene; returns its words, one a line."""
        image, words = drawn_scene(self.seed)
        self._take(playground.take(image, f"drawn scene {self.seed}"))
        self.seed += 1
        return "\n".join(words)

    def warm(self, playground: Playground) -> None:
        """Load the model and ask once, so that the first reader does not wait for it."""
        words = self.scene(playground)
        self.ask(playground, words, list(playground.first), 1, 1.0, 1, 0.0)

    def take(self, playground: Playground, sent: Mapping[str, Any]) -> None:
        """Take what the page sends: ``name``, ``size`` in bytes, and ``data`` in base64.

        Raises ValueError, naming it, for what is no image or too large.
        """
        name = str(sent.get("name", "picture"))[:200]
        if problem := sent.get("problem"):
            raise ValueError(f"{name}: {problem}")
        size = sent.get("size", 0)
        if isinstance(size, int) and size > LARGEST:
            raise ValueError(
                f"{name} has {size / 1e6:.0f} MB, expected {LARGEST / 1e6:.0f} at most"
            )
        try:
            content = b64decode(str(sent.get("data", "")), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{name} did not arrive whole") from error
        self._take(playground.take(read_picture(content, name), name))

    def ask(
        self, playground: Playground, text: str, titles: list[str] | None, *sliders: float
    ) -> Answer:
        """The answer to what the page's fields say.

        sliders: K, temperature scale, depth, and the threshold of the background. Raises
        ValueError for what cannot be asked.
        """
        if self.picture is None:
            raise ValueError("there is no picture: open one")
        iters, scale, blocks, background = sliders
        question = Question(
            words=read_words(text), methods=chosen(titles), iters=int(iters),
            temperature_scale=float(scale), blocks=int(blocks), background=float(background),
        )  # fmt: skip
        self.answer = playground.ask(self.picture, question, self.answer)
        return self.answer

    def click(self, across: object, down: object) -> None:
        """Remember a point. Raises ValueError for what is no point."""
        if not isinstance(across, int | float) or not isinstance(down, int | float):
            raise ValueError("a point is two numbers in [0, 1]")  # noqa: TRY004 sent by a page
        self.point = (min(max(float(across), 0.0), 1.0), min(max(float(down), 0.0), 1.0))

    def _take(self, picture: Picture) -> None:
        self.picture, self.answer, self.point = picture, None, None
