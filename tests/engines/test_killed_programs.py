"""Whole programs of several processes: equal records, also after being killed again and again."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import REPOSITORY
from standing_in import IMAGES, numbers, settings_of, swept

from evaluation.engines import Local, Torchrun, torchrun
from evaluation.records.record import read_record
from evaluation.run.save_images import ImageWriter

HERE = Path(__file__).parent
PROGRAM = str(HERE / "ranks.py")
WHOLE = "GEM_KILLS" in os.environ  # make engines: a program takes seconds to start
KILLS = int(os.environ.get("GEM_KILLS", "1"))
MANY = 300  # images, so that there is time to be killed in


def start(engine, folder, images, ranks=2, save=()):
    """The program in a process group of its own, its output in a file beside the folder."""
    path = os.pathsep.join(map(str, (REPOSITORY, HERE.parent)))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    launcher = ["-m", "torch.distributed.run", f"--nproc-per-node={ranks}", "--master-port=0"]
    launcher += ["--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"]
    words = [*(launcher if engine == "torchrun" else []), PROGRAM, str(folder), engine, str(images)]
    words += save
    with folder.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, *words], stdout=log, stderr=log, env=environment,
            start_new_session=True,
        )  # fmt: skip


def finish(process, folder):
    assert process.wait(timeout=300) == 0, folder.with_suffix(".log").read_text()


def found_in(folder, expected):
    """The numbers of the records of a folder, in the order of others."""
    records = [numbers(read_record(path)) for path in folder.glob("*.json")]
    by_key = {one["key"]: one for one in records}
    return [by_key[one["key"]] for one in expected]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """By number of images."""
    return {
        images: swept(settings_of(images), tmp_path_factory.mktemp(str(images)), Local())
        for images in (2, IMAGES, MANY)
    }


RANKS = [(3, IMAGES), *([(2, IMAGES), (5, IMAGES), (3, 2)] if WHOLE else [])]
KILLED = [("torchrun", "any")]  # of Ray's, workers: test_ray
KILLED += [("torchrun", "driver"), ("ray", "driver"), ("ray", "any")] if WHOLE else []


@pytest.mark.parametrize(("ranks", "images"), RANKS)
def test_any_number_of_ranks(ranks, images, alone, tmp_path):
    folder = tmp_path / "records"
    finish(start("torchrun", folder, images, ranks), folder)
    assert found_in(folder, alone[images]) == alone[images]
    assert not list(folder.glob(".*.state"))


def test_counts_by_image_of_ranks(tmp_path):
    """A file for each image, whoever counts it; a rank is killed, and the next ones go on."""
    alone, folder = tmp_path / "alone", tmp_path / "records"
    masks, _, _, points = settings_of(IMAGES)
    expected = swept([masks, points], alone, Local(), writer=ImageWriter(alone))
    process = start("torchrun", folder, IMAGES, save=["images"])
    while process.poll() is None and len(list(folder.glob(".*/*.npz"))) < 5:
        time.sleep(0.01)
    kill(processes_of(process.pid)[-1])
    process.wait(timeout=300)
    finish(start("torchrun", folder, IMAGES, save=["images"]), folder)
    assert found_in(folder, expected) == expected
    files = sorted(alone.glob("*.images.npz"))
    assert len(files) == 2
    for one in files:
        assert (folder / one.name).read_bytes() == one.read_bytes()
    assert not list(folder.glob(".*"))


def processes_of(program):
    """A program and all that it has started, and these in turn."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [program]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def wait_for_a_moment(rng, process, folder):
    """Most often of the counting, which has begun when counts are saved; else of the start."""

    def saved():
        found = set()
        for path in folder.glob(".*.state"):
            with suppress(FileNotFoundError):  # since it was listed
                found.add((path, path.stat().st_mtime_ns))
        return found

    if rng.random() < 0.3:
        time.sleep(rng.uniform(0, 12))
        return
    before = saved()
    while process.poll() is None and saved() == before:
        time.sleep(0.02)
    time.sleep(rng.uniform(0, 0.5))


@pytest.mark.parametrize(("engine", "victim"), KILLED)
def test_killed_again_and_again(engine, victim, alone, tmp_path):
    """At random moments: the driver, or any process of the program; then it is started again."""
    rng, folder = random.Random(f"{engine} {victim}"), tmp_path / "records"  # noqa: S311
    kills = 0
    while kills < KILLS:
        process = start(engine, folder, MANY)
        wait_for_a_moment(rng, process, folder)
        every = [one for one in processes_of(process.pid) if not is_agent(one)]
        if process.poll() is not None:  # it was faster: from the beginning
            finish(process, folder)
            shutil.rmtree(folder)
            continue
        kill(process.pid if victim == "driver" else rng.choice(every))
        kills += 1
        process.wait(timeout=300)
        deadline = time.monotonic() + 60
        while any(map(is_alive, every)):  # what it has started ends by itself
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finish(start(engine, folder, MANY), folder)
    assert found_in(folder, alone[MANY]) == alone[MANY]
    assert not list(folder.glob(".*.state"))


def kill(process):
    """kill -9, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def is_agent(process):
    """One of Ray's own, without a model, which looks for its killed machine for a minute."""
    try:
        program = Path(f"/proc/{process}/cmdline").read_text().split("--")[0]
    except OSError:
        return True
    return "/agent" in program or "Agent" in program


def is_alive(process):
    """Whether it is there, and not only waiting for its parent to ask how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_one_rank_needs_no_engine():
    assert not torchrun.launched({"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "1", "RANK": "0"})
    assert torchrun.launched({"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "RANK": "0"})
    assert not torchrun.launched({"WORLD_SIZE": "2", "RANK": "1"})  # of another program


def test_torchrun_that_nobody_started():
    said = r"^engine=torchrun: the environment has no RANK; start it as torchrun "
    with pytest.raises(ValueError, match=said), Torchrun().open():
        pass
