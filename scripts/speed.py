"""Time and memory of each method, of plain open_clip, of the released GEM, and of a sweep.

    python scripts/speed.py                         ViT-B/16 at 448 x 448, one image at a time
    python scripts/speed.py --no-release            without making the release's environment
    python scripts/speed.py --no-release --only cells

Random weights: they cost the same. Each row is a process of its own, so that the peak memory is
its own; the rows take turns for several rounds, so that a busy moment of the machine hits all of
them; each begins its round with a pass that is not timed. `plain` is open_clip's own
`encode_image` of a model made for that size. The release runs in the environment of
`scripts/record_reference.py`, which is made if it is missing.

The second table is what the cells of the paper's Tables 1, 4 and 6 cost over one shared trace, on
a VOC-sized image with its shorter side at `--size`: features of all settings, without text,
upsampling and counting, which are of each setting. Its rows take turns in this one process: one
that waits long for its turn is slowed by what the machine took from it meanwhile.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from gem import Gem
    from gem.trace import Projection

REPOSITORY = Path(__file__).parents[1]
RELEASE = REPOSITORY / ".venv-reference" / "bin" / "python"
ROWS = {
    "plain open_clip": "one ordinary forward pass",
    "clip": "ours",
    "maskclip": "ours",
    "clip_surgery": "ours, 6 blocks",
    "gem": "ours, 4 blocks, K=1 (the paper)",
    "gem_released": "ours, 6 blocks, K=1",
}
CELLS = {
    "one GEM run": "K=1, 4 blocks",
    "cells without MLP": "Tables 1, 4, 6 on one data set",
    "all cells": "and Table 6 with MLP",
}
VOC = (375, 500)  # height and width of a usual image


def arguments() -> argparse.Namespace:
    """Read the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--model", default="ViT-B-16", help="a model of open_clip")
    parser.add_argument("--size", type=int, default=448, help="height and width in pixels")
    parser.add_argument("--batch", type=int, default=1, help="images a forward pass")
    parser.add_argument("--repeats", type=int, default=5, help="timed passes a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    parser.add_argument("--no-release", action="store_true", help="leave the released GEM out")
    parser.add_argument("--only", choices=["methods", "cells"], help="one of the two tables")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)  # a child process
    return parser.parse_args()


def forward(args: argparse.Namespace) -> tuple[Callable[[Any], Any], tuple[int, int]]:
    """What is timed: images of one batch in, features out; and the images' size."""
    from gem import Clip, ClipSurgery, Gem, MaskClip, Method, OpenClip, Patches
    from gem.resize import ShortSide

    square = (args.size, args.size)
    backbone = OpenClip(model=args.model, precision=args.precision)
    if args.row == "plain open_clip":
        import open_clip

        model: Any = open_clip.create_model(
            args.model,
            force_image_size=args.size,
            precision=args.precision,
            device=backbone.torch_device,
        )
        encode: Callable[[Any], Any] = model.eval().encode_image
        return encode, square
    if args.row in CELLS:
        some = cells()[args.row]
        segmenters = [Patches(backbone=backbone, method=one) for one in some]
        size = ShortSide(size=args.size).fit(*VOC, backbone.shape.patch_size)
        first = segmenters[0]
        return lambda images: first.encode_together(segmenters, images, windows=None), size
    methods: dict[str, Method] = {
        "clip": Clip(), "maskclip": MaskClip(), "clip_surgery": ClipSurgery(),
        "gem": Gem(), "gem_released": Gem(blocks=6),
    }  # fmt: skip
    method = methods[args.row]
    return lambda images: method(backbone.trace(images, keep=method.num_blocks)), square


def cells() -> dict[str, "list[Gem]"]:
    """The distinct settings of GEM in Tables 1, 4 and 6, without and with those that have the MLP.

    CLIP is the ordinary pass itself, CLIP Surgery (6 blocks) reads as v-v does. Table 1 with norm
    and adaptive temperature has K=0, as its 45.1 is the K=0 of Table 4.
    """
    from gem import Gem

    ways: list[tuple["Projection", ...]] = [("v",), ("k",), ("q",), ("q", "k", "v")]
    some = [Gem(projections=way, iters=0, normalize=False, temperature="standard") for way in ways]
    some += [Gem(projections=way, iters=0) for way in ways]
    some += [Gem(iters=iters) for iters in range(4)]
    some += [Gem(blocks=blocks) for blocks in range(1, 12)]
    distinct = list(dict.fromkeys(some))
    with_mlp = [Gem(blocks=blocks, mlp=True) for blocks in range(1, 12)]
    return dict(zip(CELLS, ([Gem()], distinct, [*distinct, *with_mlp]), strict=True))


def child(args: argparse.Namespace) -> None:
    """Time one row in this process, a round for every line that arrives; print JSON lines."""
    import torch

    run, images = prepare(args)
    with torch.inference_mode():
        run(images)
        _forget_peak(images.device.type)
        for _ in sys.stdin:
            run(images)  # the process has waited: its caches are cold
            taken = timed(run, images, args.repeats)
            print(json.dumps({"ms": taken, "peak_mib": _peak(images.device.type)}), flush=True)


def prepare(args: argparse.Namespace) -> tuple[Callable[[Any], Any], Any]:
    """`forward` and a batch of images."""
    import torch

    run, size = forward(args)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    return run, torch.randn((args.batch, 3, *size), device=device, dtype=types[args.precision])


def timed(run: Callable[[Any], Any], images: Any, repeats: int) -> list[float]:
    """Milliseconds an image of each repetition."""
    import torch

    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run(images)
        if images.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(1000 * (time.perf_counter() - start) / len(images))
    return taken


def _forget_peak(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _peak(device: str) -> float:
    """Peak of the forward passes in MiB: resident on a CPU (Linux), allocated on a GPU."""
    import torch

    if device == "cuda":
        return float(torch.cuda.max_memory_allocated() / 2**20)
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def measure(args: argparse.Namespace, rows: Collection[str]) -> dict[str, dict[str, float]]:
    """Of each row: median milliseconds an image over the rounds, and peak memory."""
    words = [word for word in sys.argv[1:] if word != "--no-release"]
    children = {
        row: subprocess.Popen(
            [sys.executable, __file__, *words, "--row", row],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for row in rows
    }
    found: dict[str, dict[str, Any]] = {row: {"ms": []} for row in rows}
    for _ in range(args.rounds):
        for row, process in children.items():
            assert process.stdin and process.stdout  # noqa: S101, PT018
            process.stdin.write("\n")
            process.stdin.flush()
            line = json.loads(process.stdout.readline())
            found[row]["ms"] += line["ms"]
            found[row]["peak"] = line["peak_mib"]
    for process in children.values():
        process.communicate()
    return {
        row: {"ms": statistics.median(one["ms"]), "peak": one["peak"]} for row, one in found.items()
    }


def release(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The released GEM and the open_clip that it needs, in their own environment."""
    here = Path(__file__).parent
    recorder = str(here / "record_reference.py")
    subprocess.run([sys.executable, recorder, "--only-environment"], check=True)
    command = [
        str(RELEASE), "-I", "-W", "ignore", str(here / "speed_reference.py"),
        "--model", args.model, "--size", str(args.size), "--batch", str(args.batch),
        "--repeats", str(args.repeats * args.rounds),
    ]  # fmt: skip
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        way: {"ms": found[way]["ms_per_image"], "peak": found[way]["peak_mib"]}
        for way in ("release", "plain")
    }


def show_methods(args: argparse.Namespace) -> None:
    """Measure and print the first table."""
    ours = measure(args, ROWS)
    title = (
        f"{args.model} at {args.size} x {args.size}, batch {args.batch}, {args.precision}, "
        f"{platform.machine()}"
    )
    table = _table(title, "x plain", "peak MiB")
    plain = ours["plain open_clip"]["ms"]
    for row, what in ROWS.items():
        table.add_row(row, what, *_numbers(ours[row], plain))
    if not args.no_release:
        theirs = release(args)
        old = theirs["plain"]["ms"]
        table.add_section()
        table.add_row("plain open_clip 2.23", "the release's own", *_numbers(theirs["plain"], old))
        table.add_row("GEM, released", "6 blocks, K=1", *_numbers(theirs["release"], old))
    Console().print(table)


def show_cells(args: argparse.Namespace) -> None:
    """Measure and print the second table."""
    import torch

    counts = {name: len(some) for name, some in cells().items()}
    runs = {row: prepare(argparse.Namespace(**vars(args) | {"row": row})) for row in CELLS}
    taken: dict[str, list[float]] = {row: [] for row in CELLS}
    with torch.inference_mode():
        for turn in range(args.rounds + 1):
            for row, (run, images) in runs.items():
                found = timed(run, images, args.repeats if turn else 1)
                taken[row] += found if turn else []
    median = {row: statistics.median(times) for row, times in taken.items()}
    title = f"{args.model}, a VOC-sized image, shorter side {args.size}, one shared trace"
    table = _table(title, "x one run")
    for row, what in CELLS.items():
        name = row if counts[row] == 1 else f"{counts[row]} {row}"
        ratio = median[row] / median["one GEM run"]
        table.add_row(name, what, f"{median[row]:.0f}", f"{ratio:.2f}")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    args = arguments()
    if args.row:
        child(args)
        return
    if args.only != "cells":
        show_methods(args)
    if args.only != "methods":
        show_cells(args)


def _table(title: str, ratio: str, *more: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("", "what", "ms/image", ratio, *more):
        table.add_column(heading, justify="left" if heading in {"", "what"} else "right")
    return table


def _numbers(row: dict[str, float], base: float) -> tuple[str, str, str]:
    return f"{row['ms']:.0f}", f"{row['ms'] / base:.2f}", f"{row['peak']:.0f}"


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
