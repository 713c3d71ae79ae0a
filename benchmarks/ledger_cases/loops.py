"""How load is made: callers who wait for their answer, or arrivals that wait for nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from uuid import UUID

#: Does one thing, and answers the id under which it now stands.
Act = Callable[[], Awaitable[UUID]]


@dataclass(frozen=True)
class Timing:
    """How long is measured, after how long a warm-up."""

    warm_s: float
    seconds: float


@dataclass(frozen=True)
class Measured:
    """One measurement. `acknowledged` holds every answered id, those of the warm-up too.

    `cpu_s` is the processor time of the measuring process within the window.
    """

    per_s: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_s: float | None = None
    acknowledged: Sequence[int] = field(default=(), repr=False)


async def closed_loop(act: Act, callers: int, timing: Timing) -> Measured:
    """`callers` tasks that each act, wait for the answer, and act again.

    An error ends the measurement: nothing that is measured may fail.
    """
    acknowledged: list[int] = []
    latencies_s: list[float] = []
    ends_at = perf_counter() + timing.warm_s + timing.seconds

    async def caller() -> None:
        now = perf_counter()
        while now < ends_at:
            began = now
            acknowledged.append((await act()).int)
            now = perf_counter()
            latencies_s.append(now - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
        await asyncio.sleep(timing.warm_s)
        first, began_at, began_cpu_s = len(latencies_s), perf_counter(), process_time()
        await asyncio.sleep(max(0.0, ends_at - perf_counter()))
        last, ended_at, ended_cpu_s = len(latencies_s), perf_counter(), process_time()
    inside = sorted(latencies_s[first:last])
    return Measured(
        per_s=len(inside) / (ended_at - began_at),
        p50_ms=percentile_ms(inside, 0.50),
        p99_ms=percentile_ms(inside, 0.99),
        cpu_s=ended_cpu_s - began_cpu_s,
        acknowledged=acknowledged,
    )


async def open_loop(act: Act, rate_per_s: int, timing: Timing) -> Measured:
    """Arrivals at a constant rate, whether those before them were answered or not.

    A latency counts from the moment in which its arrival was due. So nothing is left out when
    whatever is measured stands still (coordinated omission), and what the pacing itself is late
    counts too.
    """
    acknowledged: list[int] = []
    latencies_s: list[float] = []
    total = round(rate_per_s * (timing.warm_s + timing.seconds))
    warm = round(rate_per_s * timing.warm_s)
    began_cpu_s = process_time()
    starts_at = perf_counter()

    async def arrival(number: int, due_at: float) -> None:
        acknowledged.append((await act()).int)
        if number >= warm:
            latencies_s.append(perf_counter() - due_at)

    async with asyncio.TaskGroup() as group:
        number = 0
        while number < total:
            due_at = starts_at + number / rate_per_s
            wait_s = due_at - perf_counter()
            if wait_s > 0:
                # The loop's clock counts whole milliseconds: a shorter sleep would be none, and the
                # pacing take a third of the processor from what it paces.
                await asyncio.sleep(max(wait_s, 0.001))
            else:
                group.create_task(arrival(number, due_at))
                number += 1
    took_s = perf_counter() - starts_at
    inside = sorted(latencies_s)
    return Measured(
        per_s=total / took_s,
        p50_ms=percentile_ms(inside, 0.50),
        p99_ms=percentile_ms(inside, 0.99),
        cpu_s=process_time() - began_cpu_s,
        acknowledged=acknowledged,
    )


def percentile_ms(sorted_s: Sequence[float], part: float) -> float | None:
    """The latency that `part` of all do not exceed; None where there are none."""
    if not sorted_s:
        return None
    return sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * part))] * 1000
