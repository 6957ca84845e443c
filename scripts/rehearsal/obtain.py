"""From a plan to a verified data root: room on the disk, files, masks, a manifest."""

import time
from dataclasses import dataclass

from rehearsal.folder import amount, check_disk
from rehearsal.make import Plan, make

from evaluation.console import counting, progress, say
from evaluation.prepare import context
from evaluation.prepare.command import verify
from evaluation.prepare.layout import survey
from evaluation.prepare.manifest import manifest_path
from evaluation.setting.sharing import bare


@dataclass(frozen=True)
class Made:
    """The files of the root: images, files that were written now, bytes of all, and seconds.

    convert: seconds of making masks of .mat files, which only Context has. verify: seconds; None if
    it was verified before.
    """

    images: int
    written: int
    size: int
    seconds: float
    convert: float
    verify: float | None


def obtain(plan: Plan) -> Made:
    """Make what is missing, and verify it as ``scripts/prepare.py`` does.

    Raises OSError if the disk has no room, and ValueError if the files are not what they should be.
    """
    name, size = plan.wanted.dataset, plan.size()
    free = check_disk(plan.root, size)
    say(
        f"{name}: {len(plan.ids)} images below {plan.root}, {amount(size)} are to be written, "
        f"{amount(free)} are free"
    )
    start = time.perf_counter()
    with progress(f"drawing {name}", len(plan.missing())) as advance:
        written = make(plan, advance)
    made = time.perf_counter()
    if name == "context":
        with counting("converting") as advance:
            context.convert(plan.root, advance)
    converted = time.perf_counter()
    verified = _verify(plan)
    return Made(
        images=len(plan.ids),
        written=written,
        size=sum(path.stat().st_size for path, _, _ in plan.files()),
        seconds=made - start,
        convert=converted - made,
        verify=verified,
    )


def _verify(plan: Plan) -> float | None:
    """Seconds, None if nothing has changed since the last time. Raises ValueError."""
    dataset, path = bare(plan.dataset), manifest_path(plan.root, plan.wanted.dataset)
    before, start = path.stat().st_mtime_ns if path.is_file() else None, time.perf_counter()
    verify(dataset, plan.root)
    if (found := survey(dataset)).present != len(plan.ids):
        raise ValueError(f"root={plan.root}: {found.state}, expected {len(plan.ids)} images")
    return time.perf_counter() - start if path.stat().st_mtime_ns != before else None
