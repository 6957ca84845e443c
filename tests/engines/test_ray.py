"""Ray's workers find what one process finds, however many they are and whatever happens to them."""

import os
import random
import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from drawn import Noise
from standing_in import IMAGES, Failing, Hidden, numbers, settings_of, swept

from evaluation.data import Words
from evaluation.engines import Local, Ray, worker
from evaluation.run.checkpoint import States
from evaluation.run.save_images import ImageWriter
from evaluation.run.save_predictions import PredictionWriter
from evaluation.run.sweep import run_sweep
from evaluation.run.tune import search

ray = pytest.importorskip("ray")
from evaluation.engines.ray_session import RaySession  # noqa: E402
from evaluation.engines.ray_session import _Task as Task  # noqa: E402
from evaluation.engines.worker import Worker  # noqa: E402

HERE = Path(__file__).parent
MOST = 5 if "GEM_KILLS" in os.environ else 3  # workers (5: make engines): seconds to start one


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One for the whole file: it takes seconds to start."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    with pytest.MonkeyPatch.context() as patch:
        path = os.pathsep.join([str(HERE), str(HERE.parent), str(HERE.parents[1])])
        patch.setenv("PYTHONPATH", path)
        ray.init(
            address="local", num_cpus=8, include_dashboard=False, logging_level="ERROR",
            log_to_driver=False,
        )  # fmt: skip
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return swept(settings_of(), tmp_path_factory.mktemp("alone"), Local())


@pytest.fixture(scope="module")
def pool():
    """Workers that serve many sessions."""
    actor = ray.remote(num_cpus=1)(Worker)
    found = [actor.remote(1) for _ in range(MOST)]
    yield found
    for one in found:
        ray.kill(one)


@pytest.fixture
def pooled(pool, monkeypatch):
    """Let sessions take their workers from the pool, and leave them there."""

    def hire(session):
        number = next(session._numbers)
        session._actors[number] = pool[number]
        session._tasks[pool[number].started.remote()] = Task(number)

    monkeypatch.setattr(RaySession, "_hire", hire)
    monkeypatch.setattr(RaySession, "__exit__", lambda *_: None)


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("workers", [1, 2, MOST])
def test_any_number_of_workers(workers, alone, tmp_path):
    engine = Ray(workers=workers, threads=1)
    assert swept(settings_of(), tmp_path, engine) == alone
    assert not list(tmp_path.glob(".*.state"))


@pytest.mark.usefixtures("pooled")
def test_more_workers_than_images(tmp_path):
    few = settings_of(images=2)
    expected = swept(few, tmp_path / "alone", Local())
    assert swept(few, tmp_path / "ray", Ray(workers=MOST, threads=1)) == expected


@pytest.mark.usefixtures("pooled")
def test_it_goes_on_from_what_another_engine_has_counted(alone, tmp_path, monkeypatch):
    """A pass that was stopped in one process is ended by workers, and the other way round."""
    settings = settings_of()[:2]
    for first, second in ((Local(), Ray(workers=2)), (Ray(workers=2), Local())):
        folder = tmp_path / type(first).__name__
        with monkeypatch.context() as patch:
            stop_after_saving(patch, 2)
            with pytest.raises(Stopped):
                swept(settings, folder, first, save_every=1e-9)
        assert list(folder.glob(".*.state"))
        seen = watched(monkeypatch)
        assert swept(settings, folder, second) == alone[:2]
        assert seen[0] > 0


class Stopped(BaseException):
    """As a signal: nothing catches it."""


def stop_after_saving(patch, times):
    """Let the n-th saving of counts be the last thing that a process does."""
    real, left = States.save, [times]

    def save(self, counting):
        done = real(self, counting)
        left[0] -= 1
        if not left[0]:
            raise Stopped
        return done

    patch.setattr(States, "save", save)


def watched(patch):
    """How many samples each pass had when it began."""
    real, found = States.restore, []
    patch.setattr(States, "restore", lambda *given: found.append(real(*given)) or found[-1])
    return found


@pytest.mark.usefixtures("pooled")
def test_a_broken_sample_is_told_as_by_one_process(tmp_path):
    """And the other settings of the sweep have their records."""
    broken = replace(settings_of()[0], dataset=Noise(broken="3"), vocabulary=Words())
    told = []
    for engine in (Local(), Ray(workers=2)):
        found = run_sweep([broken, *settings_of()[3:]], tmp_path / str(engine), engine=engine)
        told.append([one.error for one in found])
    assert told[0] == told[1] == ["3.jpg cannot be read as an image: it is broken", None]


@pytest.mark.usefixtures("pooled")
def test_a_setting_that_fails_leaves_those_that_share_its_pass(tmp_path):
    good, lower, *_ = settings_of()
    both = [replace(lower, metric=Failing()), good]
    found = run_sweep(both, tmp_path, engine=Ray(workers=2))
    assert found[0].error == "this metric cannot count"
    assert numbers(found[1].record) == swept([good], tmp_path / "alone", Local())[0]


@pytest.mark.usefixtures("pooled")
def test_predictions_are_written_by_the_workers(tmp_path):
    settings = settings_of()[:1]
    for engine in (Local(), Ray(workers=2)):
        folder = tmp_path / type(engine).__name__
        swept(settings, folder, engine, writer=PredictionWriter(folder / "maps", "predictions"))
    local, ours = (sorted((tmp_path / name).rglob("*.png")) for name in ("Local", "Ray"))
    assert len(local) == len(ours) == IMAGES
    assert [one.read_bytes() for one in local] == [one.read_bytes() for one in ours]


@pytest.mark.usefixtures("pooled")
def test_counts_by_image_are_written_by_the_workers(tmp_path):
    masks, _, _, points = settings_of()
    for engine in (Local(), Ray(workers=2)):
        folder = tmp_path / type(engine).__name__
        swept([masks, points], folder, engine, writer=ImageWriter(folder))
    local, ours = (sorted((tmp_path / name).glob("*.images.npz")) for name in ("Local", "Ray"))
    assert len(local) == len(ours) == 2
    assert [one.read_bytes() for one in local] == [one.read_bytes() for one in ours]
    assert not list((tmp_path / "Ray").glob(".*"))


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("name", ["data", "weights", "the code", "torch", "Python"])
def test_a_machine_with_other_things_is_refused(name, tmp_path, monkeypatch):
    real = worker.look_at
    monkeypatch.setattr(worker, "look_at", lambda one: real(one) | {name: "another"})
    found = run_sweep(settings_of()[:1], tmp_path, engine=Ray(workers=2))
    assert found[0].error.startswith("the machine ")
    assert f"has another {name}: " in found[0].error
    assert found[0].error.endswith("expected another as on the one that gave the order")
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.usefixtures("pooled")
def test_data_that_a_worker_cannot_see(tmp_path):
    """It is here, so that the driver finds it, and not where the workers look."""
    hidden = replace(settings_of()[0], dataset=Hidden(mine=os.getpid()), vocabulary=Words())
    found = run_sweep([hidden], tmp_path, engine=Ray(workers=2))
    assert found[0].error == (
        f"dataset.root=nowhere: there is no such folder (on the machine {socket.gethostname()})"
    )


@pytest.mark.usefixtures("pooled")
def test_thresholds_are_tuned_alike():
    setting = settings_of()[2]
    found = [
        search(setting, logit_scales=[50.0, 100.0], temperature_scales=(), engine=engine)
        for engine in (Local(), Ray(workers=2))
    ]
    assert found[0] == found[1]


def test_more_workers_than_gpus():
    with pytest.raises(ValueError, match=r"engine\.gpus=true: the machines of Ray have no GPU"):
        Ray(gpus=True)._sizes({"CPU": 8.0})
    with pytest.raises(ValueError, match=r"^engine\.workers=5: the machines of Ray have 4 GPUs"):
        Ray(workers=5)._sizes({"CPU": 8.0, "GPU": 4.0})


@pytest.mark.parametrize(
    ("options", "there", "sizes"),
    [
        ({}, {"CPU": 32.0, "GPU": 4.0}, (4, 8, 1)),
        ({"workers": 2}, {"CPU": 32.0, "GPU": 4.0}, (2, 8, 1)),
        ({"gpus": False}, {"CPU": 32.0, "GPU": 4.0}, (8, 4, 0)),
        ({}, {"CPU": 2.0}, (1, 2, 0)),
        ({"workers": 3}, {"CPU": 2.0}, (3, 1, 0)),
        ({"threads": 1}, {"CPU": 6.0}, (6, 1, 0)),
    ],
)
def test_how_many_workers_there_are(options, there, sizes):
    assert Ray(**options)._sizes(there) == sizes


def worker_processes():
    """Those of this cluster, by what Linux says of them."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            mine = line.read_bytes().startswith(b"ray::Worker") and descends(line.parent)
        except OSError:  # it has just ended
            continue
        if mine:
            found.append(int(line.parent.name))
    return found


def descends(process):
    """Whether a process was started by this one, or by what this one has started."""
    while process.name not in {"0", "1"}:
        status = (process / "status").read_text().splitlines()
        parent = next(line.split()[1] for line in status if line.startswith("PPid:"))
        if parent == str(os.getpid()):
            return True
        process = process.parent / parent
    return False


KILLS = int(os.environ.get("GEM_KILLS", "2"))


def test_workers_are_killed(alone, tmp_path):
    """Each kill at a random moment of the pass; whoever is lost is replaced."""
    rng, killed, end = random.Random(0), [], threading.Event()  # noqa: S311

    def kill():
        while len(killed) < KILLS and not end.is_set():
            time.sleep(rng.uniform(0.2, 1.5))
            if found := worker_processes():
                killed.append(rng.choice(found))
                os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        for number in range(100):
            assert swept(settings_of(), tmp_path / str(number), Ray(workers=3, threads=1)) == alone
            if len(killed) >= KILLS:
                break
    finally:
        end.set()
        thread.join()
    assert len(killed) == KILLS
