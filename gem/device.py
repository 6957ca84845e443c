"""Where a model is: the GPU if there is one."""

import torch


def pick_device(name: str, part: str = "backbone") -> torch.device:
    """``auto`` is the GPU if there is one. Raises ValueError for one that is not there.

    ``part`` is the key of the model in the config.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{part}.device={name} is not available: {reason}") from error
    return device
