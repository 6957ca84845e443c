"""The page on an address of this machine."""

from __future__ import annotations

import gradio as gr

from evaluation.playground.model import Playground
from evaluation.playground.page import Page, read


def serve(playground: Playground, *, host: str, port: int | None) -> Page:
    """Open the page and return; it is never shared by gradio's servers, and takes no uploads."""
    page = Page(playground)
    page.blocks.launch(
        server_name=host, server_port=port, share=False, quiet=True, prevent_thread_lock=True,
        footer_links=[], run_history=False, mcp_server=False, pwa=False, ssr_mode=False,
        enable_monitoring=False, max_file_size=1, css=read("page.css"),
        theme=theme(),
    )  # fmt: skip
    return page


def theme() -> gr.themes.Base:
    """Gradio's own with the reader's fonts, and small text that can be read."""
    plain = gr.themes.Default(
        primary_hue="indigo", font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )  # fmt: skip
    return plain.set(
        body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_400",
    )  # fmt: skip
