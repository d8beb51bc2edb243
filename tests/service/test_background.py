"""What goes on beside a block begins with it, is told to stop, is given time, and never outlives it."""

import asyncio

import pytest

from service.background import beside, rest


async def test_what_goes_on_beside_is_told_to_stop_and_may_end_what_it_began() -> None:
    done: list[str] = []

    async def worker(stop: asyncio.Event) -> None:
        while not stop.is_set():
            done.append("looked")
            await rest(stop, 60)
        await asyncio.sleep(0)
        done.append("ended")

    async with beside(worker, worker, grace=60):
        await asyncio.sleep(0)
        assert done == ["looked", "looked"]
    assert done[2:] == ["ended", "ended"]


async def test_what_does_not_end_in_time_is_cut_off() -> None:
    cut: list[bool] = []

    async def deaf(_: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.append(True)

    async with beside(deaf, grace=0.01):
        await asyncio.sleep(0)
    assert cut == [True]


async def test_what_fails_beside_takes_nobody_along_and_hides_no_error_of_the_block() -> None:
    async def failing(_: asyncio.Event) -> None:
        raise ValueError

    with pytest.raises(KeyError):
        async with beside(failing, grace=0.01):
            await asyncio.sleep(0)
            raise KeyError
    async with beside(grace=0):
        pass


async def test_a_rest_is_over_when_its_time_is_and_at_once_when_all_is() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    await rest(stop, 0.001)
    assert not stop.is_set()
    stop.set()
    begun = loop.time()
    await rest(stop, 60)
    assert loop.time() - begun < 30
