"""One model with all the methods that it can be asked with; what it has computed is kept."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

import gem
from evaluation.measure.decision import label_map
from evaluation.playground.answer import Answer, Found, Spent
from evaluation.playground.picture import Picture, prepared
from evaluation.playground.watched import Watched, wait
from gem import Gem, Method, Patches, Vocabulary, methods
from gem.backbones.kept import Kept
from gem.image import upsample
from gem.methods.method import blocks_read
from gem.segmenter import in_range
from gem.vocabulary import Queries

if TYPE_CHECKING:
    from PIL import Image

    from evaluation.playground.question import Question
    from evaluation.setting import EvalProtocol, Setting
    from gem.tower import TowerShape

FIRST = ("CLIP", "MaskCLIP", "CLIP Surgery", "GEM")


class Playground:
    """A backbone, its methods and a protocol. One question at a time, whoever asks.

    The trace of the last picture and the embeddings of words are kept (`gem.backbones.kept`), so
    that another setting of a method costs what it changes. The protocol decides label maps as it
    does in evaluations, but for its rule of small areas, which needs words for the background.
    """

    def __init__(self, setting: Setting) -> None:
        """Raise ValueError for a segmenter that is no backbone with a method."""
        segmenter = setting.segmenter
        if not isinstance(segmenter, Patches):
            said = f"{segmenter.title} has no methods to compare, expected segmenter=patches"
            raise ValueError(said)  # noqa: TRY004 a mistake on the command line
        self.watched = Watched(segmenter.backbone)
        self.backbone = Kept(self.watched)
        self.protocol = replace(setting.protocol, area_threshold=None)
        self.prompts = setting.prompts
        self.provenance = segmenter.provenance
        self.methods = usable(segmenter.method, segmenter.backbone.shape)
        self.gem = next((one for one in self.methods.values() if isinstance(one, Gem)), Gem())
        self._own = segmenter.title
        self._lock = Lock()

    @property
    def depth(self) -> int:
        """How many blocks the image tower has."""
        found: int = self.backbone.shape.num_blocks
        return found

    @property
    def first(self) -> tuple[str, ...]:
        """The methods that the page begins with."""
        return tuple(title for title in self.methods if title in (*FIRST, self._own))

    def take(self, image: Image.Image, name: str) -> Picture:
        """A picture, ready to be asked about."""
        segmenter = Patches(backbone=self.backbone, method=self.gem)
        return prepared(image, name, segmenter=segmenter, resize=self.protocol.resize)

    def ask(self, picture: Picture, question: Question, last: Answer | None = None) -> Answer:
        """What the methods find; what is as it was in the last answer is taken from there.

        Raises ValueError for a word that the text tower cannot read.
        """
        with self._lock:
            begun = perf_counter()
            self.watched.reset()
            queries = self._queries(question.words)
            known = held(last, picture, question)
            asked = [self._method(one, question) for one in self._asked(question)]
            found = tuple(
                known.get(method) or self._found(method, picture, question, queries)
                for method in asked
            )
            for one in found:
                _ = one.drawn  # here, so that the time is that of all that is waited for
            new = tuple(method.title for method in asked if method not in known)
            watched, total = self.watched, perf_counter() - begun
            spent = Spent(total, watched.passes, watched.seconds, watched.texts, new)
        return Answer(
            picture, question, found, spent, model=self.caption,
            logit_scale=self.protocol.logit_scale, random=self.provenance.random,
        )  # fmt: skip

    def _asked(self, question: Question) -> list[str]:
        """The titles of the methods, in their order. Raises ValueError for one that is not here."""
        if unknown := set(question.methods) - set(self.methods):
            known = ", ".join(self.methods)
            raise ValueError(f"the method {min(unknown)!r} is not here, expected one of {known}")
        return [title for title in self.methods if title in question.methods]

    @property
    def caption(self) -> str:
        """The model and its weights."""
        return f"{self.provenance.model}, {self.provenance.source}"

    @property
    def said(self) -> str:
        """What a reader must know of the model, in sentences."""
        forms = self.prompts.templates
        asked = (
            f'"{forms[0].replace("{}", "...")}"' if len(forms) == 1 else f"{len(forms)} sentences"
        )
        known = " It knows drawn scenes only." if self.provenance.model == "tiny" else ""
        return f"Model: {self.caption}.{known} Words are asked in {asked}."

    def _queries(self, words: tuple[str, ...]) -> Queries:
        vocabulary = Vocabulary(names=words, words=words)
        segmenter = Patches(backbone=self.backbone, method=self.gem)
        return vocabulary.with_text(segmenter.embed(vocabulary, self.prompts))

    def _found(
        self, method: Method, picture: Picture, question: Question, queries: Queries
    ) -> Found:
        before, begun = self.watched.seconds, perf_counter()
        segmenter = Patches(backbone=self.backbone, method=method)
        ((image,),) = segmenter.encode_together(
            [segmenter], picture.pixels[None], windows=self.protocol.tiling
        )
        size = (picture.shown.height, picture.shown.width)
        scores = upsample(image.scores(queries), size)
        if not in_range(scores):
            raise ValueError(f"{method.title} gives scores for this picture that are not finite")
        rule, background = self._rule(question)
        labels = label_map(image, queries, rule, size, background=background)
        if not background:
            labels = labels + 1
        wait(scores)
        seconds = perf_counter() - begun - (self.watched.seconds - before)
        return Found(method, picture, scores.float().cpu().numpy(), labels.cpu().numpy(), seconds)

    def _method(self, title: str, question: Question) -> Method:
        method = self.methods[title]
        if not isinstance(method, Gem):
            return method
        return replace(
            method, iters=question.iters, blocks=question.blocks,
            temperature_scale=question.temperature_scale,
        )  # fmt: skip

    def _rule(self, question: Question) -> tuple[EvalProtocol, bool]:
        """The protocol with the question's threshold, and whether there is a background."""
        threshold = question.background or None
        return replace(self.protocol, background=threshold), threshold is not None


def held(last: Answer | None, picture: Picture, question: Question) -> dict[Method, Found]:
    """What the last answer has by method, if picture, words and threshold are the same."""
    if last is None or last.picture is not picture:
        return {}
    was = last.question
    if (was.words, was.background) != (question.words, question.background):
        return {}
    return {one.method: one for one in last.found}


def usable(own: Method, shape: TowerShape) -> dict[str, Method]:
    """The methods that a tower serves by their titles, with their defaults, the oldest first.

    ``own`` takes the place of the one of its title. Not there is a method that reads blocks or a
    class token that the tower lacks, and one that needs a second model, unless it is ``own``.
    """
    found = {own.title: own}
    for name in methods.__all__:
        try:
            method = gem.method_of(name) if name != "Method" else own
            blocks_read(method, shape)
        except ValueError:
            continue
        found.setdefault(method.title, method)
    return dict(sorted(found.items(), key=lambda one: one[1].published))
