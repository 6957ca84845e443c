"""Prompts through a text tower: none is cut, and some hundred at a time.

Shapes: w prompts, e embedding.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

AT_A_TIME = 256


def embed_prompts(
    prompts: Sequence[str],
    encode: Callable[[Sequence[str]], Float[Tensor, "w e"]],
    *,
    count: Callable[[str], int],
    room: int,
) -> Float[Tensor, "w e"]:
    """Unit-length embeddings, float32.

    count: the tokens of a prompt, without those that mark start and end. Raises ValueError for a
    prompt of more than ``room``, which libraries would cut in silence.
    """
    for prompt in prompts:
        if (length := count(prompt)) > room:
            raise ValueError(
                f"the prompt {prompt!r} has {length} tokens, but the text tower reads {room}"
            )
    parts = [
        encode(prompts[start : start + AT_A_TIME]).float()
        for start in range(0, len(prompts), AT_A_TIME)
    ]
    return F.normalize(torch.cat(parts), dim=-1)
