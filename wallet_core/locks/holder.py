"""Keeps a granted lease alive, and stops the task that holds it once it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from redis.exceptions import RedisError

# The last part of a lease's life is not trusted: the store's clock and ours are two.
_TRUSTED_PART = 0.95


class Loss(StrEnum):
    """How a lease was lost."""

    TO_OTHER = "the store no longer knows it"
    UNRENEWED = "the store did not answer in time to renew it"


class LeaseHolder:
    """One grant: renewed at a third of its life, and given up for lost before it can end.

    Losing it cancels the task that was current when this was made, as a time-out does.
    """

    def __init__(
        self,
        *,
        sent_at: float,
        ttl_s: float,
        renew: Callable[[], Awaitable[bool]],
        on_loss: Callable[[Loss], None],
    ) -> None:
        """`sent_at` is the loop's time, in seconds, just before the lease was asked for."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a lease can only be held by a task")
        self.loss: Loss | None = None
        self._task = task
        self._cancelled_before = task.cancelling()
        self._took_back = False
        self._ended = False
        self._ttl_s = ttl_s
        self._renew = renew
        self._on_loss = on_loss
        self._loop = asyncio.get_running_loop()
        self._renewal: asyncio.Task[None] | None = None
        self._lost_at: asyncio.TimerHandle | None = None
        self._plan(sent_at)

    def stop(self) -> None:
        """Ends the renewals; whatever happens to the lease no longer concerns the task."""
        self._ended = True
        self._renew_at.cancel()
        self._cancel_loss()
        if self._renewal is not None:
            self._renewal.cancel()
        if self.loss is not None and not self._took_back:
            self._take_back()

    def was_cancelled_by_loss(self) -> bool:
        """Whether a CancelledError came from here and from nobody else."""
        return self.loss is not None and self._take_back() <= self._cancelled_before

    def _take_back(self) -> int:
        self._took_back = True
        return self._task.uncancel()

    def _plan(self, sent_at: float) -> None:
        self._ends_at = sent_at + self._ttl_s * _TRUSTED_PART
        self._renew_at = self._loop.call_at(sent_at + self._ttl_s / 3, self._start_renewal)

    def _cancel_loss(self) -> None:
        if self._lost_at is not None:
            self._lost_at.cancel()
            self._lost_at = None

    def _start_renewal(self) -> None:
        # Most leases are over long before their first renewal and never need the second clock.
        if self._lost_at is None:
            self._lost_at = self._loop.call_at(self._ends_at, self._lose, Loss.UNRENEWED)
        self._renewal = asyncio.create_task(self._renewed())

    async def _renewed(self) -> None:
        sent_at = self._loop.time()
        try:
            still_ours = await self._renew()
        except (RedisError, TimeoutError):
            if self.loss is None:  # there is time for more tries
                self._renew_at = self._loop.call_later(self._ttl_s / 10, self._start_renewal)
            return
        if self._ended:
            return
        if still_ours:
            self._cancel_loss()
            self._plan(sent_at)
        else:
            self._lose(Loss.TO_OTHER)

    def _lose(self, loss: Loss) -> None:
        if self._ended or self.loss is not None:
            return
        self._renew_at.cancel()
        self._cancel_loss()
        self.loss = loss
        self._on_loss(loss)
        self._task.cancel()
