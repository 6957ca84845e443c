"""The page itself, in gradio: fields, and which of them ask again. The rest of the room needs none.

Pictures come as text and go as text (``data:`` addresses): gradio's own uploads and its cache of
files are not used.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import time_ns
from typing import Any

import gradio as gr

from evaluation.launch.errors import MISTAKES, sentence
from evaluation.playground import html
from evaluation.playground.files import maps_file, picture_file
from evaluation.playground.model import Playground
from evaluation.playground.picture import LARGEST
from evaluation.playground.session import Session

HERE = Path(__file__).parent
TITLE = "Words in a picture"
LIVE: dict[str, Any] = {
    "trigger_mode": "always_last", "show_progress": "hidden", "concurrency_id": "model",
    "api_visibility": "private",
}  # fmt: skip
"""Of events: one at a time for the model, and of many moves of a slider the last one counts."""
FAILURES = (*MISTAKES, RuntimeError, MemoryError)
"""Those of the reader, and of a machine that is too small."""
WRAPPED = '<div class="gem">${value}</div>'


def read(name: str) -> str:
    """A file of this folder."""
    return (HERE / name).read_text(encoding="utf-8")


class Page:
    """The fields of the page and what they do."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as self.blocks:
            self._lay_out()
            self._connect()

    def _lay_out(self) -> None:
        self.session = gr.State(time_to_live=3600)
        gr.Markdown(f"# {TITLE}\n{self.playground.said}")
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                self._picture_and_words()
                self._settings()
            with gr.Column(scale=3, min_width=320):
                self.status = gr.HTML(html_template=WRAPPED, apply_default_css=False)
                self.ranking = gr.HTML(html_template=WRAPPED, apply_default_css=False)
                self.results = gr.HTML(
                    html_template=WRAPPED, js_on_load=read("pointing.js"), apply_default_css=False
                )
                with gr.Row():
                    self.save_picture = gr.Button("Save the picture (PNG)", size="sm")
                    self.save_maps = gr.Button("Save the maps (npz)", size="sm")
                self.saved = gr.HTML(
                    html_template="", js_on_load=read("saving.js"), visible="hidden"
                )

    def _picture_and_words(self) -> None:
        self.picture = gr.HTML(
            html_template=read("taking.html"), apply_default_css=False, largest=LARGEST,
            js_on_load=read("pointing.js") + read("taking.js"),
        )  # fmt: skip
        self.words = gr.Textbox(
            label="Words", lines=4, max_lines=12, elem_id="words",
            info="One a line, or between ; . Shift+Enter asks. Add some that are not there.",
        )  # fmt: skip
        self.button = gr.Button("Ask", variant="primary")

    def _settings(self) -> None:
        playground, own = self.playground, self.playground.gem
        self.methods = gr.CheckboxGroup(
            choices=list(playground.methods), value=list(playground.first), label="Methods",
            elem_id="methods",
        )  # fmt: skip
        self.iters = gr.Slider(
            0, max(10, own.iters), own.iters, step=1, label="K", elem_id="iters",
            info="GEM's refining steps before the values are read",
        )  # fmt: skip
        self.scale = gr.Slider(
            min(0.1, own.temperature_scale), max(5.0, own.temperature_scale),
            own.temperature_scale, step=0.1, label="Temperature scale", elem_id="scale",
            info="Multiplies GEM's inverse temperature: higher is sharper",
        )  # fmt: skip
        self.blocks_read = gr.Slider(
            1, playground.depth, min(own.blocks, playground.depth), step=1, label="Depth",
            elem_id="depth", info="Last blocks of GEM's second path",
        )  # fmt: skip
        self.background = gr.Slider(
            0, 1, playground.protocol.background or 0, step=0.01, label="Background",
            elem_id="background",
            info="Label maps leave out a pixel whose best word is less probable",
        )  # fmt: skip

    def _connect(self) -> None:
        self.fields = [
            self.words, self.methods, self.iters, self.scale, self.blocks_read, self.background,
        ]  # fmt: skip
        shown = [self.session, self.status, self.picture, self.results, self.ranking]
        given = [self.session, *self.fields]
        self.blocks.load(self.start, given, [*shown, self.words], **LIVE)
        self.picture.scene(self.start, given, [*shown, self.words], **LIVE)
        self.picture.taken(self.taken, given, shown, **LIVE)
        for event in (
            self.button.click, self.words.submit, self.methods.input,
            self.iters.input, self.scale.input, self.blocks_read.input, self.background.input,
        ):  # fmt: skip
            event(self.asked, given, shown, **LIVE)
        for pointed in (self.picture.point, self.results.point):
            pointed(self.pointed, self.session, [self.session, self.status, self.ranking], **LIVE)
        quiet = {name: value for name, value in LIVE.items() if name != "trigger_mode"}
        self.save_picture.click(
            self.picture_saved, self.session, [self.saved, self.status], **quiet
        )
        self.save_maps.click(self.maps_saved, self.session, [self.saved, self.status], **quiet)

    def start(self, session: Session | None, _: str, *fields: Any) -> tuple[Any, ...]:
        """Show a drawn scene and ask for what is in it."""
        session = session or Session()
        text = session.scene(self.playground)
        return (*self.asked(session, text, *fields), text)

    def taken(self, session: Session | None, event: gr.EventData, *fields: Any) -> tuple[Any, ...]:
        """Show a picture of the reader and ask the words that are there."""
        session = session or Session()
        sent = event._data  # noqa: SLF001 there is no public way to all of it
        return self._answered(session, lambda: session.take(self.playground, sent), *fields)

    def asked(self, session: Session | None, *fields: Any) -> tuple[Any, ...]:
        """Ask again."""
        return self._answered(session or Session(), lambda: None, *fields)

    def _answered(
        self, session: Session, first: Callable[[], None], *fields: Any
    ) -> tuple[Any, ...]:
        """The page after something was done first; of a mistake a sentence.

        What is shown of the same picture stays.
        """
        before, picture = session.picture, gr.skip()
        try:
            first()
            if session.picture and (session.picture is not before or session.answer is None):
                picture = html.picture_html(session.picture, session.point)
            answer = session.ask(self.playground, *fields)
        except FAILURES as error:
            rest = gr.skip() if session.answer else ""
            return session, html.problem_html(sentence(error)), picture, rest, rest
        return (
            session, html.status_html(answer), picture,
            html.answer_html(answer, session.point), html.ranking_html(answer, session.point),
        )  # fmt: skip

    def pointed(self, session: Session | None, event: gr.EventData) -> tuple[Any, ...]:
        """The ranking at the point."""
        session = session or Session()
        try:
            session.click(event.x, event.y)
        except (ValueError, AttributeError) as error:
            return session, html.problem_html(sentence(error)), gr.skip()
        if session.answer is None:
            return session, gr.skip(), gr.skip()
        return session, gr.skip(), html.ranking_html(session.answer, session.point)

    def picture_saved(self, session: Session | None) -> tuple[Any, ...]:
        """What the browser saves as a picture."""
        return self._saved(session, "words.png", "image/png", picture_file)

    def maps_saved(self, session: Session | None) -> tuple[Any, ...]:
        """What the browser saves as maps."""
        return self._saved(session, "words.npz", "application/octet-stream", maps_file)

    def _saved(
        self, session: Session | None, name: str, kind: str, make: Callable[[Any], bytes]
    ) -> tuple[Any, ...]:
        """The file as text, with the time: the browser does not see a value that is as it was."""
        if session is None or session.answer is None:
            return gr.skip(), html.problem_html("there is no answer to save: ask something")
        data = b64encode(make(session.answer)).decode()
        saved = {"name": name, "kind": kind, "at": time_ns(), "data": data}
        return json.dumps(saved), gr.skip()
