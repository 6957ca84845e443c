"""A page to play with: words in a picture, by several methods side by side, as fast as a slider.

    python scripts/app.py
    python scripts/app.py backbone=clip_vit_b16 short_side=336 port=7861
    python scripts/app.py backbone=clip_vit_l14 method=proxyclip companion=dino_vitb16

Needs the extra [app]: pip install 'gem-bench[app]'. Without words it has the embedded model, which
knows drawn scenes only; the words of run.py choose another backbone, its own method, prompts and
protocol. The methods are those that the backbone serves, with their defaults.

A picture comes by upload, drop, paste or camera. It is passed through the backbone once; then
other words, methods, K, temperature and depth cost what they change. Heat maps are the cosines of
a method on one scale for all words; label maps are the protocol's decision, as in evaluations.

The page is for this machine alone unless host= says otherwise, and nothing is sent elsewhere.
Pictures stay in memory, and no file is made of them.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec

from evaluation.launch import compose_setting
from evaluation.launch.words import Key, command, read_words, split_overrides, unknown

KEYS = {
    "host": Key("127.0.0.1", "address that the page is served on; 0.0.0.0 is for everyone"),
    "port": Key(None, "null takes the first one that is free from 7860 on", kind=int, least=1),
}
OF_RUN = (
    "backbone", "method", "companion", "gem", "protocol", "prompts", "short_side", "experiment",
    "segmenter",
)  # fmt: skip
EXTRA = "the package gradio is not installed; pip install 'gem-bench[app]' gets it"


def main(words: Sequence[str] | None = None) -> None:
    """Load the model, open the page, and wait until it is closed."""
    own, others = read_words(__doc__, KEYS, words)
    overrides, rest = split_overrides(others, KEYS, OF_RUN)
    for word in rest:
        raise ValueError(unknown(word, KEYS, OF_RUN))
    if find_spec("gradio") is None:
        raise ValueError(EXTRA)
    setting = compose_setting(overrides)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    from evaluation.console import say
    from evaluation.playground.model import Playground
    from evaluation.playground.serving import serve
    from evaluation.playground.session import Session

    playground = Playground(setting)
    say("loading ", playground.caption)
    Session().warm(playground)
    page = serve(playground, host=own["host"], port=own["port"])
    say("open ", page.blocks.local_url, "  (Ctrl-C ends it)")
    page.blocks.block_thread()


if __name__ == "__main__":
    command(main)
