"""Give a tiny model cosines as small as CLIP's, so that the paper's logit scale of 100 fits it.

    python scripts/tiny/narrow.py model=outputs/tiny out=outputs/narrow

The protocol multiplies cosines by 100, where the training of CLIP ended. A training of an hour ends
near 25: its softmax is four times too sharp at 100, and sure of a word everywhere. No weight that
reads images or texts changes (`narrow` in scripts/tiny/model.py). Ends with the scores of
scripts/tiny/scores.py.
"""

from collections.abc import Sequence
from pathlib import Path

from scores import SCENES, print_scores

from evaluation.data.toy.backdrops import BACKDROPS
from evaluation.data.toy.scenes import KINDS, vocabulary_words
from evaluation.launch.words import Key, command, read_keys

DRAWN = 96  # training scenes that lengths of features are measured on
KEYS = {
    "model": Key(None, "folder of a trained model; must be given", kind=Path),
    "out": Key(None, "folder of the new one; must be given", kind=Path),
    "scale": Key(20.0, "the logit scale that its cosines should have had", least=1),
    "scenes": Key(SCENES, "how many scenes are scored", least=1),
}


def main(words: Sequence[str] | None = None) -> None:
    """Narrow a model, and score what came of it."""
    own = read_keys(__doc__, KEYS, words)
    for name in ("model", "out"):
        if own[name] is None:
            raise ValueError(f"{name}: say which folder, such as {name}=outputs/{name}")
    write_narrowed(own["model"], own["out"], scale=own["scale"])
    print_scores(own["out"], own["scenes"])


def write_narrowed(trained: Path, out: Path, *, scale: float) -> None:
    """Read the model, narrow it, write it."""
    import numpy as np
    import torch
    from model import CONTEXT, narrow, save, write_folder
    from open_clip import create_model
    from scenes import SIZE, View, draw_batch, render

    from gem.backbones.word_tokenizer import WordTokenizer

    torch.set_num_threads(1)
    model = create_model(f"local-dir:{trained}").eval()
    tokenizer = WordTokenizer(vocabulary_words(), CONTEXT)
    scenes, rng = render(DRAWN, rank=0, processes=1, cache=None), np.random.default_rng(0)
    batch = draw_batch(scenes, tokenizer, rng, batch=DRAWN, view=View(SIZE, SIZE, 1.0, 1.0))
    with torch.no_grad():
        seen, read = model.encode_image(batch.images), model.encode_text(tokenizer(_texts()))
    narrow(model, seen, read, scale=scale)
    write_folder(out, vocabulary_words())
    save(model, out)


def _texts() -> list[str]:
    """What is asked of the model: every kind and every backdrop, in a few wordings."""
    forms = ("a photo of a {}.", "a photo of a {}", "a {}", "{}", "a picture of a {}.")
    kinds = [form.format(kind) for form in forms for kind in KINDS]
    return kinds + [f"a {backdrop} background" for backdrop in BACKDROPS]


if __name__ == "__main__":
    command(main)
