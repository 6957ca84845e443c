"""Every chunk is counted once, whatever happens to the workers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.engines.schedule import TRIES, LostTooOftenError, Schedule

EVENTS = st.lists(st.tuples(st.sampled_from(["chunk", "lot", "lost"]), st.integers(0, 6)))


@given(
    workers=st.integers(1, 7),
    passes=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    events=EVENTS,
    seconds=st.sampled_from([None, 0.01, 1.0, 100.0]),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_every_chunk_is_counted_once(workers, passes, events, seconds):  # noqa: C901
    schedule = Schedule(workers)
    for work, chunks in enumerate(passes):
        schedule.add(work, chunks)
    counted, held = [], {}
    names = list(range(workers))

    def hand_out():
        for worker in names:
            if worker not in held and (lot := schedule.next(worker)):
                held[worker] = [lot.work, list(lot.chunks)]

    def finish_chunk(worker):
        work, chunks = held[worker]
        if chunks:
            chunk = chunks.pop(0)
            assert schedule.done(worker, chunk, seconds)
            counted.append((work, chunk))

    def leave(worker):
        schedule.free(worker)
        del held[worker]

    hand_out()
    for kind, number in events:
        worker = names[number % workers]
        if worker not in held:
            continue
        if kind == "lost":
            try:
                schedule.lost(worker)
            except LostTooOftenError:
                return
            del held[worker]
            names[number % workers] = max(names) + 1
        else:
            finish_chunk(worker)
            if kind == "lot":
                while held[worker][1]:
                    finish_chunk(worker)
            if not held[worker][1]:
                leave(worker)
        hand_out()
    while held:
        for worker in list(held):
            while held[worker][1]:
                finish_chunk(worker)
            leave(worker)
        hand_out()
    assert sorted(counted) == [(work, n) for work, many in enumerate(passes) for n in range(many)]
    assert not any(schedule.has(work) for work in range(len(passes)))


def test_a_worker_stays_with_its_pass():
    schedule = Schedule(2)
    schedule.add(0, 4)
    schedule.add(1, 4)
    assert schedule.next(0).work == 0
    assert schedule.next(1).work == 1  # nobody is at it
    for worker in (0, 1):
        schedule.done(worker, 0)
        schedule.free(worker)
    assert schedule.next(1).work == 1


def test_lots_grow_with_the_speed_and_shrink_to_the_end():
    schedule = Schedule(2)
    schedule.add(0, 100)
    assert schedule.next(0).chunks == (0,)  # nobody knows yet how long a chunk takes
    schedule.done(0, 0, seconds=0.001)
    schedule.free(0)
    sizes = []
    while lot := schedule.next(0):
        sizes.append(len(lot.chunks))
        for chunk in lot.chunks:
            schedule.done(0, chunk, seconds=0.001)
        schedule.free(0)
    assert sizes[0] == 25
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    assert sum(sizes) == 99


def test_slow_chunks_are_given_one_by_one():
    schedule = Schedule(1)
    schedule.add(0, 100)
    schedule.next(0)
    schedule.done(0, 0, seconds=50.0)
    schedule.free(0)
    assert len(schedule.next(0).chunks) == 1


def test_what_a_lost_worker_had_comes_first():
    schedule = Schedule(2)
    schedule.add(0, 8)
    lost = schedule.next("a").chunks
    schedule.lost("a")
    assert schedule.next("b").chunks == lost


def test_a_chunk_that_takes_workers_with_it_ends_its_pass():
    schedule = Schedule(1)
    schedule.add(7, 2)
    for worker in range(TRIES - 1):
        schedule.next(worker)
        schedule.lost(worker)
    schedule.next("last")
    with pytest.raises(LostTooOftenError) as told:
        schedule.lost("last")
    assert (told.value.work, told.value.chunk) == (7, 0)


def test_a_pass_that_was_dropped_counts_nothing_more():
    schedule = Schedule(1)
    schedule.add(0, 3)
    lot = schedule.next("a")
    schedule.drop(0)
    assert not schedule.done("a", lot.chunks[0])
    schedule.free("a")
    assert schedule.next("a") is None
