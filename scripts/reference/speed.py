"""Time the released GEM and plain open_clip 2.23 with random weights; print one line of JSON.

Runs in the environment that `scripts/reference/record.py only_environment=true` makes, not in
ours, and so imports nothing of ours:

    .venv-reference/bin/python -I scripts/reference/speed.py model=ViT-B-16 size=448 repeats=10

`release` is the forward of the vision tower that `GEMWrapper` changed (K=1 and depth=7 unless
told otherwise; depth counts layers + 1), `plain` is `encode_image` of a model made for that size.
The two take turns, so that a busy machine slows both. Memory, in MiB, of a process for each: what
is held once the model stands (`built`), and the most that one forward holds (`peak`); resident
memory on a CPU (Linux), allocated device memory on a GPU.

Keys: model of open_clip, size in pixels, batch, repeats, depth (of the release: layers + 1), iters
(K), threads, device; memory=release or memory=plain is for the processes that it starts.
"""

import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import open_clip
import torch
from torch import Tensor

WAYS = ("release", "plain")
WARM_UP = 2
MIB = 2**20


def options(words: Sequence[str]) -> SimpleNamespace:
    """The words ``KEY=VALUE`` of the command line, which our own reader has for other scripts."""
    own = {
        "model": "ViT-B-16", "size": 448, "batch": 1, "repeats": 10, "depth": 7, "iters": 1,
        "threads": torch.get_num_threads(), "memory": "",
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }  # fmt: skip
    for word in words:
        key, _, text = word.partition("=")
        whole = isinstance(own.get(key), int)
        if key not in own or (whole and not text.isdecimal()):
            what = f"{key}= a whole number" if whole else f"KEY=VALUE of {', '.join(own)}"
            sys.exit(f"error: {word}: expected {what}")
        own[key] = int(text) if whole else text
    return SimpleNamespace(**own)


def build(way: str, args: SimpleNamespace) -> Callable[[Tensor], Any]:
    """The forward of the vision tower, released or plain, with random weights."""
    size = args.size if way == "plain" else None
    model: Any = open_clip.create_model(args.model, device=args.device, force_image_size=size)
    model.eval()
    if way == "plain":
        encode: Callable[[Tensor], Any] = model.encode_image
        return encode
    # by name, not by `import`: tools that read this file would take it for our own package
    released: Any = importlib.import_module("gem.gem_wrapper")
    wrapper = released.GEMWrapper(model, None, depth=args.depth, ss_attn_iter=args.iters)
    forward: Callable[[Tensor], Any] = wrapper.to(args.device).model.visual
    return forward


def milliseconds(forward: Callable[[Tensor], Any], image: Tensor) -> float:
    """Wall time of one forward."""
    start = time.perf_counter()
    forward(image)
    if image.is_cuda:
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start)


def resident(field: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (peak) of this process, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith(field))
    return int(line.split()[1]) / 1024


def memory_here(args: SimpleNamespace, image: Tensor) -> dict[str, float]:
    """Memory of this process before and at the peak of one forward of the way ``memory``."""
    forward = build(args.memory, args)
    if image.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        built = torch.cuda.memory_allocated() / MIB
        forward(image)
        peak = torch.cuda.max_memory_allocated() / MIB
    else:
        # building holds more than a forward does: forget that peak
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        built = resident("VmRSS")
        forward(image)
        peak = resident("VmHWM")
    return {"built_mib": round(built, 1), "peak_mib": round(peak, 1)}


def memory(way: str) -> dict[str, float]:
    """The same for ``way`` in a fresh process."""
    command = [sys.executable, "-I", "-W", "ignore", *sys.argv, f"memory={way}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def times(args: SimpleNamespace, image: Tensor) -> dict[str, dict[str, float]]:
    """Median and least milliseconds per image of both ways, which take turns."""
    forwards = {way: build(way, args) for way in WAYS}
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(WARM_UP + args.repeats):
        for way in WAYS:
            taken[way].append(milliseconds(forwards[way], image) / args.batch)
    return {
        way: {
            "ms_per_image": round(statistics.median(all_times[WARM_UP:]), 3),
            "least_ms_per_image": round(min(all_times[WARM_UP:]), 3),
        }
        for way, all_times in taken.items()
    }


def main() -> None:
    """Measure, and print one line of JSON."""
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return
    args = options(sys.argv[1:])
    torch.set_num_threads(args.threads)
    with torch.inference_mode():
        image = torch.randn(args.batch, 3, args.size, args.size, device=args.device)
        if args.memory:
            print(json.dumps(memory_here(args, image)))
            return
        found = times(args, image)
    settings = {key: value for key, value in vars(args).items() if key != "memory"}
    settings["device_name"] = torch.cuda.get_device_name() if image.is_cuda else "cpu"
    settings["packages"] = {p: version(p) for p in ("gem_torch", "open_clip_torch", "torch")}
    both = {way: found[way] | memory(way) for way in WAYS}
    print(json.dumps({**settings, "dtype": "float32", **both}))


if __name__ == "__main__":
    main()
