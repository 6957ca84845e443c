"""Time and memory of each method, of plain open_clip, and of the released GEM, in one run.

    python scripts/speed.py                         ViT-B/16 at 448 x 448, one image at a time
    python scripts/speed.py --no-release            without making the release's environment

Random weights: they cost the same. Each row is a process of its own, so that the peak memory is
its own; the rows take turns for several rounds, so that a busy moment of the machine hits all of
them. `plain` is open_clip's own `encode_image` of a model made for that size. The release runs in
the environment of `scripts/record_reference.py`, which is made if it is missing.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

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
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)  # the child process
    return parser.parse_args()


def forward(args: argparse.Namespace) -> Callable[[Any], Any]:
    """What is timed: images of one batch in, features out."""
    from gem import Clip, ClipSurgery, Gem, MaskClip, Method, OpenClip

    if args.row == "plain open_clip":
        import open_clip

        device = OpenClip(model=args.model).torch_device
        model: Any = open_clip.create_model(
            args.model, force_image_size=args.size, precision=args.precision, device=device
        )
        encode: Callable[[Any], Any] = model.eval().encode_image
        return encode
    methods: dict[str, Method] = {
        "clip": Clip(), "maskclip": MaskClip(), "clip_surgery": ClipSurgery(),
        "gem": Gem(), "gem_released": Gem(blocks=6),
    }  # fmt: skip
    method = methods[args.row]
    backbone = OpenClip(model=args.model, precision=args.precision)
    return lambda images: method(backbone.trace(images, keep=method.reads))


def child(args: argparse.Namespace) -> None:
    """Time one row in this process, a round for every line that arrives; print JSON lines."""
    import torch

    run = forward(args)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    shape = (args.batch, 3, args.size, args.size)
    images = torch.randn(shape, device=device, dtype=types[args.precision])
    with torch.inference_mode():
        run(images)
        _forget_peak(device)
        for _ in sys.stdin:
            taken = []
            for _ in range(args.repeats):
                start = time.perf_counter()
                run(images)
                if device == "cuda":
                    torch.cuda.synchronize()
                taken.append(1000 * (time.perf_counter() - start) / args.batch)
            print(json.dumps({"ms": taken, "peak_mib": _peak(device)}), flush=True)


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


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """All our rows: median milliseconds an image over the rounds, and peak memory."""
    words = [word for word in sys.argv[1:] if word != "--no-release"]
    children = {
        row: subprocess.Popen(
            [sys.executable, __file__, *words, "--row", row],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for row in ROWS
    }
    found: dict[str, dict[str, Any]] = {row: {"ms": []} for row in ROWS}
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


def main() -> None:
    """Measure and print one table."""
    args = arguments()
    if args.row:
        child(args)
        return
    ours = measure(args)
    title = (
        f"{args.model} at {args.size} x {args.size}, batch {args.batch}, {args.precision}, "
        f"{platform.machine()}"
    )
    table = Table(title=title, title_justify="left")
    for heading in ("", "what", "ms/image", "x plain", "peak MiB"):
        table.add_column(heading, justify="left" if heading in {"", "what"} else "right")
    plain = ours["plain open_clip"]["ms"]
    for row, what in ROWS.items():
        table.add_row(row, what, *_cells(ours[row], plain))
    if not args.no_release:
        theirs = release(args)
        old = theirs["plain"]["ms"]
        table.add_section()
        table.add_row("plain open_clip 2.23", "the release's own", *_cells(theirs["plain"], old))
        table.add_row("GEM, released", "6 blocks, K=1", *_cells(theirs["release"], old))
    Console().print(table)


def _cells(row: dict[str, float], plain: float) -> tuple[str, str, str]:
    return f"{row['ms']:.0f}", f"{row['ms'] / plain:.2f}", f"{row['peak']:.0f}"


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
