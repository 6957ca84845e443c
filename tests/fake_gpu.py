"""A GPU that is not there: tensors without data that know where they are.

Under torch's FakeTensorMode an operation of tensors on two devices raises, and so does everything
that needs a value on the host: `item`, `tolist`, an `if` of a tensor, a mask that selects.
"""

from contextlib import contextmanager
from dataclasses import replace

import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from gem.backbones import OpenClip, TimmVit

CUDA = torch.device("cuda", 0)


@contextmanager
def fake_gpu():
    """Within it a tensor of the device ``cuda`` can be made, and computes nothing."""
    pin, torch.Tensor.pin_memory = torch.Tensor.pin_memory, lambda self: self  # it has no fake
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
            yield
    finally:
        torch.Tensor.pin_memory = pin


def moved(model):
    """Let the parameters and buffers of a module be on the fake GPU; within `fake_gpu` only."""
    for module in model.modules():
        for name, value in module._parameters.items():
            if value is not None:
                fake = torch.empty(value.shape, dtype=value.dtype, device=CUDA)
                module._parameters[name] = torch.nn.Parameter(fake, requires_grad=False)
        for name, value in module._buffers.items():
            if value is not None:
                module._buffers[name] = torch.empty(value.shape, dtype=value.dtype, device=CUDA)
    return model


def backbone_on(folder, **options):
    """A model of open_clip, whose towers were built here and then moved."""
    with unset_fake_temporarily(), torch.inference_mode(mode=False):
        towers = OpenClip(model=str(folder), device="cpu", **options).towers
    found = OpenClip(model=str(folder), device="cuda", **options)
    vars(found)["towers"] = replace(towers, model=moved(towers.model), device=CUDA)
    return found


def companion_on(folder, **options):
    """A companion of timm in the same way."""
    with unset_fake_temporarily(), torch.inference_mode(mode=False):
        tower = TimmVit(model=str(folder), device="cpu", **options).tower
        found = TimmVit(model=str(folder), device="cuda", **options)
        assert found.shape  # of an empty model, which is built for it
    vars(found)["tower"] = replace(tower, model=moved(tower.model), device=CUDA)
    return found
