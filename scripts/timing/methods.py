"""The first table: each method, plain open_clip, and the released GEM.

Each row is a process of its own, so that the peak memory is its own; the rows take turns for
several rounds, so that a busy moment of the machine hits all of them; each begins its round with a
pass that is not timed.
"""

import json
import multiprocessing
import platform
import statistics
import subprocess
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from reference.record import make_environment
from rich.table import Table
from timing.clock import Run, Timing, empty_table, forget_peak, noise, peak, timed

from evaluation.launch import MISTAKES, sentence

PLAIN = "plain open_clip"
ROWS = {
    PLAIN: "one ordinary forward pass",
    "clip": "ours",
    "maskclip": "ours",
    "clip_surgery": "ours, 6 blocks",
    "gem": "ours, 4 blocks, K=1 (the paper)",
    "gem_released": "ours, 6 blocks, K=1",
}
Found = dict[str, dict[str, float]]
"""Of each row: ``ms``, the median milliseconds an image, and ``peak``, MiB."""


def methods_table(timing: Timing, *, release: bool) -> Table:
    """Measure all rows; with `release` those of the released code too."""
    python = _release_python() if release else None
    ours = measure(timing)
    title = f"{timing.model} at {timing.size} x {timing.size}, batch {timing.batch}"
    table = empty_table(f"{title}, {timing.precision}, {platform.machine()}", "x plain", "peak MiB")
    for row, what in ROWS.items():
        table.add_row(row, what, *_numbers(ours[row], ours[PLAIN]["ms"]))
    if python:
        theirs = released(timing, python)
        old = theirs["plain"]["ms"]
        table.add_section()
        table.add_row("plain open_clip 2.23", "the release's own", *_numbers(theirs["plain"], old))
        table.add_row("GEM, released", "6 blocks, K=1", *_numbers(theirs["release"], old))
    return table


def measure(timing: Timing) -> Found:
    """Median time and peak memory of each row. Raises ValueError for what a row cannot do."""
    context = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    for row in ROWS:
        lines[row], other = context.Pipe()
        context.Process(target=child, args=(timing, row, other), daemon=True).start()
        other.close()
        _answer(lines[row])  # it stands: the next is not built while another is
    taken: dict[str, list[float]] = {row: [] for row in ROWS}
    peaks: dict[str, float] = {}
    for _ in range(timing.rounds):
        for row, line in lines.items():
            line.send("a round")
            found = _answer(line)
            taken[row] += found["ms"]
            peaks[row] = found["peak"]
    return {row: {"ms": statistics.median(taken[row]), "peak": peaks[row]} for row in ROWS}


def child(timing: Timing, row: str, line: Connection) -> None:
    """Time one row in this process: answer once when it stands, then a round for each word."""
    import torch

    try:
        run = forward(timing, row)
        images = noise(timing, (timing.size, timing.size))
        with torch.inference_mode(), suppress(EOFError):
            run(images)
            forget_peak(images.device.type)
            line.send({})
            while line.recv():
                run(images)  # the process has waited: its caches are cold
                taken = timed(run, images, timing.repeats)
                line.send({"ms": taken, "peak": peak(images.device.type)})
    except MISTAKES as error:
        line.send({"error": sentence(error)})


def forward(timing: Timing, row: str) -> Run:
    """What is timed."""
    from gem import Clip, ClipSurgery, Gem, MaskClip, Method, OpenClip

    backbone = OpenClip(model=timing.model, precision=timing.precision)  # type: ignore[arg-type]
    if row == PLAIN:
        import open_clip

        model: Any = open_clip.create_model(
            timing.model,
            force_image_size=timing.size,
            precision=timing.precision,
            device=backbone.torch_device,
        )
        encode: Run = model.eval().encode_image
        return encode
    methods: dict[str, Method] = {
        "clip": Clip(), "maskclip": MaskClip(), "clip_surgery": ClipSurgery(),
        "gem": Gem(), "gem_released": Gem(blocks=6),
    }  # fmt: skip
    method = methods[row]
    keep = method.reads(backbone.shape.num_blocks)
    return lambda images: method(backbone.trace(images, keep=keep))


def released(timing: Timing, python: Path) -> Found:
    """The released GEM and the open_clip that it needs, in their own environment."""
    inner = Path(__file__).parents[1] / "reference" / "speed.py"
    words = [
        f"model={timing.model}", f"size={timing.size}", f"batch={timing.batch}",
        f"repeats={timing.repeats * timing.rounds}",
    ]  # fmt: skip
    command = [str(python), "-I", "-W", "ignore", str(inner), *words]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise OSError(f"{inner}: ended with exit code {done.returncode}; release=false goes on")
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        way: {"ms": found[way]["ms_per_image"], "peak": found[way]["peak_mib"]}
        for way in ("release", "plain")
    }


def _release_python() -> Path:
    """The interpreter of the release's environment, before anything is measured in vain."""
    try:
        return make_environment()
    except OSError as error:
        raise OSError(f"{error}; release=false measures without the released code") from error


def _answer(line: Connection) -> dict[str, Any]:
    found: dict[str, Any] = line.recv()
    if "error" in found:
        raise ValueError(found["error"])
    return found


def _numbers(row: dict[str, float], base: float) -> tuple[str, str, str]:
    return f"{row['ms']:.0f}", f"{row['ms'] / base:.2f}", f"{row['peak']:.0f}"
