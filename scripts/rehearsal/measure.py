"""What a rehearsal measures: reading alone, and a whole pass with all that comes after it."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from rehearsal.states import merge_seconds, save_state

from evaluation.engines import Local
from evaluation.engines.engine import Engine
from evaluation.measure.batches import Prepared, chunks_of, read_ahead
from evaluation.measure.work import Work
from evaluation.records.checked import CheckedSetting, check_setting
from evaluation.run.job import PassJob
from evaluation.run.state_files import part_paths, state_path
from evaluation.setting import Setting
from evaluation.setting.identity import fingerprint
from evaluation.setting.sharing import bare

STATUS = Path("/proc/self/status")
WARNING = "REHEARSAL: drawn images in the layout of {}; these scores mean nothing"
TENTHS = 10

Advance = Callable[[int], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """Images decoded, with their truth, and resized, by so many threads; ``cpu_ms`` of an image."""

    workers: int
    images: int
    images_per_second: float
    cpu_ms: float


@dataclass(frozen=True)
class Passed:
    """A pass over all images, and its end.

    first_image: seconds from the setting to the first batch that is counted. memory: MiB of this
    process at each tenth of the images; of all engines but the local one that is who adds up.
    cpu_ms: of an image, in this process; None if others count. state, record: bytes of the file,
    write_state and write_record seconds. merge: seconds to add up as many states as there are
    chunks. outcome: seconds to compute scores of counts. counts: a hash of all counts, by which two
    rehearsals are compared.
    """

    images: int
    first_image: float
    seconds: float
    images_per_second: float
    cpu_ms: float | None
    memory: list[int]
    peak: int
    device: str
    threads: int
    processes: int
    chunks: int
    state: int
    write_state: float
    merge: float
    outcome: float
    record: int
    write_record: float
    counts: str


@dataclass
class Watch:
    """Seconds since it was made, and memory whenever another tenth is done."""

    images: int
    start: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)
    done: int = 0
    first: float = 0.0
    memory: list[int] = field(default_factory=list)

    def advance(self, images: int) -> None:
        """So many more are counted."""
        self.done += images
        self.first = self.first or (self.seconds if images else 0.0)
        while len(self.memory) < TENTHS * self.done // self.images:
            self.memory.append(resident())

    @property
    def seconds(self) -> float:
        """Until now."""
        return time.perf_counter() - self.start


def read_alone(setting: Setting, count: int, workers: int) -> Reading:
    """Read some samples, from all over the data set, as a pass does but without a model."""
    ids = setting.ids[:: max(1, len(setting.ids) // count)][:count]

    def prepare(sample_id: str) -> Prepared:
        sample = setting.dataset[sample_id]
        resize = setting.protocol.resize
        pixels = setting.segmenter.prepare(sample.image, resize=resize, sample_id=sample.id)
        return Prepared(sample.id, pixels, sample.truth)

    watch = Watch(len(ids))
    for _ in read_ahead(ids, prepare, workers=workers):
        pass
    cpu = time.process_time() - watch.cpu
    return Reading(workers, len(ids), len(ids) / watch.seconds, 1000 * cpu / len(ids))


def run_pass(
    setting: Setting, engine: Engine, folder: Path, save_every: float, advance: Advance
) -> Passed:
    """Evaluate from the beginning, write the record of a rehearsal, and time all of it.

    Raises what the data, the segmenter and the engine raise.
    """
    setting = bare(setting)
    watch = Watch(len(setting.ids))
    checked = as_rehearsal(check_setting(setting))
    for old in (state_path(checked, folder), *part_paths(checked, folder)):
        old.unlink(missing_ok=True)
    job = PassJob([checked], folder, save_every)
    work = job.work()
    with engine.open() as session:
        session.add(work)
        for step in session.steps():
            if step.error:
                raise step.error
            watch.advance(step.images)
            advance(step.images)
    cpu = 1000 * (time.process_time() - watch.cpu) / watch.images
    return _end(job, work, watch, cpu if isinstance(engine, Local) else None)


def as_rehearsal(checked: CheckedSetting) -> CheckedSetting:
    """The same setting under a name, a key and a warning that no record of real data has."""
    name = checked.names["dataset"]
    return replace(
        checked,
        key=fingerprint(["rehearsal", checked.key]),
        names={**checked.names, "dataset": f"rehearsal_{name}"},
        warnings=(WARNING.format(name), *checked.warnings),
    )


def _end(job: PassJob, work: Work, watch: Watch, cpu: float | None) -> Passed:
    """What comes after a pass: scores of the counts, a last state file, merging, the record."""
    counting, chunks = work.counting[0], len(chunks_of(work.settings[0]))
    outcome, (result,) = timed(work.results)
    write_state, state = timed(lambda: save_state(job, work))
    merge = merge_seconds(counting, chunks)
    write_record, (done,) = timed(lambda: job.finish([result]))
    seconds, machine = result.seconds, result.machine
    counts = json.dumps(done.record.counts).encode()
    return Passed(
        watch.images, watch.first, seconds, watch.images / seconds, cpu, watch.memory,
        peak=machine.peak.size >> 20, device=machine.device, threads=machine.threads,
        processes=machine.processes, chunks=chunks, state=state, write_state=write_state,
        merge=merge, outcome=outcome, record=done.path.stat().st_size, write_record=write_record,
        counts=hashlib.sha256(counts).hexdigest(),
    )  # fmt: skip


def timed(do: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what it gave."""
    start = time.perf_counter()
    found = do()
    return time.perf_counter() - start, found


def resident() -> int:
    """MiB of this process in memory; 0 where Linux does not say."""
    if not STATUS.is_file():
        return 0
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:"))) >> 10
