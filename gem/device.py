"""Where a model is, the GPU if there is one; and how exactly float32 is multiplied there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""What towers compute in, by the word of the config."""


def pick_device(name: str, part: str = "backbone", option: str = "device") -> torch.device:
    """``auto`` is the GPU if there is one. Raises ValueError for one that is not there.

    ``part`` is the key of the model in the config, ``option`` that of its device there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{part}.{option}={name} is not available: {reason}") from error
    return device


@contextmanager
def float32_products(*, tf32: bool) -> Iterator[None]:
    """Around what multiplies float32 on a GPU: 10 bits of each factor if ``tf32``, else all 23.

    torch takes all for matrices unless it is told otherwise, but not for convolutions. CPUs always
    take all.
    """
    matrices: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = matrices.fp32_precision, convolutions.fp32_precision
    matrices.fp32_precision = convolutions.fp32_precision = "tf32" if tf32 else "ieee"
    try:
        yield
    finally:
        matrices.fp32_precision, convolutions.fp32_precision = before
