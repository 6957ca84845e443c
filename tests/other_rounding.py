"""Another machine, played on this one: its float32 products are rounded in another way.

Libraries choose their order of summation by the CPU, the number of threads and the shape of what
they are given, so that the same image in another batch has features that differ in their last
bits. Here every result of `ROUNDED` is off by about that much, by its shape alone: the same
operation on the same shapes gives the same bits again, another batch does not. A test that fails
then, but not without, would fail on some machine. ``GEM_TEST_ROUNDING=1`` turns it on, and other
numbers play other machines.
"""

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

RELATIVE = 1e-7  # about the distance of neighbouring float32 numbers
FEW_BITS = 2**10  # what is a multiple of 1 / 1024 was computed without rounding on every machine
ROUNDED = {
    "linear", "matmul", "__matmul__", "einsum", "conv2d", "scaled_dot_product_attention",
    "softmax", "logsumexp", "layer_norm", "normalize", "norm", "interpolate",
}  # fmt: skip


class OtherRounding(TorchFunctionMode):
    """Every result of `ROUNDED` is off by its last bits; each ``number`` is another machine."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Call the function, and round its result in another way."""
        found = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        if name in ROUNDED and isinstance(found, Tensor) and found.dtype == torch.float32:
            if name == "interpolate":  # rows are promised to be the same in bands of any height
                return shaken(found, found.abs(), found.shape[-1:], self.number)
            # sums are rounded as their terms are, which are larger where they cancel
            size = found.abs().clamp_min(found.square().mean().sqrt())
            return shaken(found, size, found.shape, self.number)
        return found


def shaken(values, size, shape, number):
    """The values, off by up to `RELATIVE` of ``size``; how far, ``shape`` and ``number`` say."""
    seed = hash((number, *shape)) % 2**32  # of integers: the same in every process
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    exact = (values * FEW_BITS).round() / FEW_BITS == values
    return torch.where(exact, values, values + RELATIVE * size * noise)
