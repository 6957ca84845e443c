"""Run the RELEASED GEM code on seeded models and store what it returns as golden tensors.

`scripts/reference/record.py` makes an environment with gem_torch 1.0.1 and open_clip_torch 2.23.0
and runs this file there. It never runs in our environment, where `gem` is our own package:
    <env>/bin/python -I scripts/reference/inner.py tests/reference OUT
The settings, and what the release means by them, stand in `tests/reference/cases.py`; the folder
OUT gets the golden tensors.

`create_model_and_transforms` of the release passes arguments by position past two that it forgot,
and `create_gem_model` does so to open_clip, so `GEMWrapper` is built directly on a model made by
open_clip 2.23 (later versions put the batch first, which the release does not notice). Where a
text tower would only cost room, `encode_text` is replaced by stored embeddings. What the release
does not return is read where its forward hands it to einops `rearrange`: the logits before
upsampling, and, with the identity matrix as text, the L2-normalised patch features.
"""

import copy
import functools
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from safetensors.numpy import save_file
from torch import Tensor

Arrays = dict[str, npt.NDArray[np.float32]]

PACKAGES = ("gem_torch", "open_clip_torch", "torch", "torchvision", "einops", "timm", "numpy")


@functools.cache
def released() -> Any:
    """The release's wrapper; by name: tools that read an `import` would take it for our package."""
    return importlib.import_module("gem.gem_wrapper")


def load(path: Path) -> Any:
    """The module at ``path``, without its folder on the search path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{path} is not a Python file")
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def beside() -> tuple[Any, Any]:
    """The modules `cases` and `fill` of the first folder on the command line."""
    return sys.modules["cases"], sys.modules["fill"]


@functools.cache
def build(name: str) -> Any:
    """The open_clip model ``name`` for evaluation, every parameter filled from its own name."""
    cases, fill = beside()
    settings = cases.MODELS.get(name) or open_clip.get_model_config(name)
    model = open_clip.CLIP(**settings).eval().requires_grad_(requires_grad=False)
    for key, value in model.named_parameters():
        value.copy_(torch.from_numpy(fill.parameter(key, tuple(value.shape))))
    return model


def at_rearrange(call: Callable[[], Any]) -> Tensor:
    """The logits [b n w] that a forward of the release hands to `rearrange`."""
    with mock.patch.object(released(), "rearrange", wraps=released().rearrange) as spy:
        call()
    logits: Tensor = spy.call_args.args[0]
    return logits


def heat_maps(case: Any, wrapper: Any, image: Tensor, names: list[str]) -> dict[str, Tensor]:
    """All that the two public forwards of the release return for one case."""
    batched = functools.partial(wrapper.batched_forward, image, case.asked())
    return {
        "forward": wrapper(image, names, normalize=False),
        "forward_minmax": wrapper(image, names),
        "forward_original": wrapper(image, names, normalize=False, return_ori=True),
        "batched": torch.cat(batched(normalize=False)),
        "batched_minmax": torch.cat(batched()),
    }


def measure(case: Any, wrapper: Any, image: Tensor, text: Tensor) -> dict[str, Tensor]:
    """Everything that is recorded of one case, whose classes have the embeddings ``text`` [w e]."""
    names = list(beside()[0].NAMES)
    new, old = wrapper.model.visual(image)
    out = {"patches": new[:, 1:], "original": old[:, 1:]}

    def embed(asked: list[str]) -> Tensor:
        return text[[names.index(name) for name in asked]][None]

    identity = torch.eye(text.shape[1], dtype=text.dtype)[None]
    with mock.patch.object(wrapper, "encode_text", return_value=identity):
        out["unit"] = at_rearrange(lambda: wrapper(image, names, normalize=False))
    with mock.patch.object(wrapper, "encode_text", embed):
        out["logits"] = at_rearrange(lambda: wrapper(image, names))
        return out | (heat_maps(case, wrapper, image, names) if case.maps else {})


def thin(tensors: dict[str, Tensor], steps: dict[str, int]) -> Arrays:
    """Every ``steps``-th token, channel or pixel of each tensor."""
    tokens, channels, pixels = steps["tokens"], steps["channels"], steps["pixels"]
    cut: dict[str, Any] = {"logits": np.s_[:, ::tokens]}
    cut |= dict.fromkeys(("patches", "original", "unit"), np.s_[:, ::tokens, ::channels])
    maps = np.s_[..., ::pixels, ::pixels]
    return {k: np.ascontiguousarray(v.numpy()[cut.get(k, maps)]) for k, v in tensors.items()}


def run(case: Any, text: npt.NDArray[np.float32], dtype: torch.dtype) -> Arrays:
    """Wrap a copy of the case's model with the release and measure it in ``dtype``."""
    cases, fill = beside()
    batch, height, width = case.image
    images = fill.images(f"images/{case.family()}", cases.IMAGES[case.family()])
    image = torch.from_numpy(images)[:batch, :, :height, :width].to(dtype)
    wrapper = released().GEMWrapper(
        copy.deepcopy(build(case.model)).to(dtype),
        tokenizer=None,
        depth=case.gem_depth,
        ss_attn_iter=case.ss_attn_iter,
        ss_attn_temp=case.ss_attn_temp,
    )
    found = measure(case, wrapper, image, torch.from_numpy(text).to(dtype))
    return thin(found, cases.STEPS[case.family()])


def texts() -> Arrays:
    """Unit text embeddings [w e]: noise for the small models, the release's own for ViT-B/16."""
    cases, fill = beside()
    noise = fill.noise("texts/small", (len(cases.NAMES), cases.SMALL["embed_dim"]))
    tokenizer = open_clip.get_tokenizer("ViT-B-16")
    wrapper = released().GEMWrapper(copy.deepcopy(build("ViT-B-16")), tokenizer)
    return {
        "small": torch.nn.functional.normalize(torch.from_numpy(noise), dim=-1).numpy(),
        "ViT-B-16": wrapper.encode_text(list(cases.NAMES))[0].numpy(),
    }


def record(folder: Path) -> list[dict[str, Any]]:
    """Write weights, inputs and golden tensors into ``folder``; return one entry per case.

    An entry carries the release's own error: its float32 against its float64 result, relative to
    the largest value, so that a reader knows what agreement to expect.
    """
    cases, fill = beside()
    table, entries = texts(), []
    goldens: Arrays = {}
    for case in cases.cases():
        text = table[case.family()]
        single, double = run(case, text, torch.float32), run(case, text, torch.float64)
        error = {k: float(abs(single[k] - v).max() / abs(v).max()) for k, v in double.items()}
        goldens |= {f"{case.name}/{k}": v for k, v in single.items()}
        rounded = {k: float(f"{v:.1e}") for k, v in error.items()}
        entries.append({**asdict(case), "asked": case.asked(), "float32_error": rounded})
        print(f"{case.name}: float32 is {max(error.values()):.1e} from float64", flush=True)
    goldens |= {f"texts/{k}": v for k, v in table.items()}
    goldens["images/small"] = fill.images("images/small", cases.IMAGES["small"])
    save_file(goldens, folder / "goldens.safetensors")
    weights = {k: v.numpy() for k, v in build("small").state_dict().items()}
    save_file(weights, folder / "small.safetensors")
    return entries


def main() -> None:
    """Record into the second folder on the command line, and describe it in manifest.json."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    torch.set_grad_enabled(mode=False)
    reference, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    cases, _ = load(reference / "cases.py"), load(reference / "fill.py")
    manifest = {
        "recorded_by": "scripts/reference/record.py",
        "packages": {p: importlib.metadata.version(p) for p in PACKAGES},
        "python": sys.version.split()[0],
        "tensors": cases.WHAT,
        "names": cases.NAMES,
        "images": cases.IMAGES,
        "steps": cases.STEPS,
        "models": cases.MODELS,
        "cases": record(out),
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
