"""Sends scripts to the store in the order of the calls, many in one round trip."""

import asyncio
from collections import deque
from dataclasses import dataclass

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from wallet_core.locks.scripts import CALLS, CALLS_DIGEST, ROUTING_KEY

_BATCH_CALLS_MAX = 256

Answer = list[int | str]

_read_answers = msgspec.json.Decoder(list[Answer]).decode


@dataclass(slots=True)
class _Call:
    """A step and its words in JSON, who waits for the answer, until when by the loop's time."""

    future: asyncio.Future[Answer]
    words: bytes
    overdue_at: float


class ScriptPipe:
    """One connection to the store; while one round trip is under way the next one gathers.

    A call is queued at once, before anything is awaited. So whoever is cancelled while he waits
    for an answer can queue what takes his call back, and the store does both in that order.
    """

    def __init__(self, client: Redis, *, answer_within_s: float) -> None:
        """A call that is not answered within `answer_within_s` seconds fails with TimeoutError."""
        self._client = client
        self._answer_within_s = answer_within_s
        self._queued: deque[_Call] = deque()
        self._under_way: list[_Call] = []
        self._sender: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False

    def call(self, step: str, *words: str | int) -> asyncio.Future[Answer]:
        """Queues a step of `scripts`; the future gets its answer, a RedisError or a TimeoutError.

        Whether or not anybody still waits for it, the step is run. Raises ValueError, with nothing
        queued, for words that are not Unicode: they would take the round trip's other calls along.
        """
        encoded = msgspec.json.encode((step, *map(str, words)))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if self._closed:
            _fail(future, RedisConnectionError("the leases are closed"))
            return future
        overdue_at = loop.time() + self._answer_within_s
        self._queued.append(_Call(future, encoded, overdue_at))
        if self._watch is None:
            self._watch = loop.call_at(overdue_at, self._give_up_overdue)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return future

    async def close(self) -> None:
        """Sends what is queued and takes no more."""
        self._closed = True
        if self._sender is not None:
            await asyncio.wait([self._sender])
        if self._watch is not None:
            self._watch.cancel()
        await self._client.aclose()

    def _give_up_overdue(self) -> None:
        """One clock for all calls: those that are too old fail, the oldest other sets it anew."""
        loop = asyncio.get_running_loop()
        now, self._watch = loop.time(), None
        for call in (*self._under_way, *self._queued):
            if call.future.done():
                continue
            if call.overdue_at <= now:
                _fail(call.future, TimeoutError())
            elif self._watch is None:
                self._watch = loop.call_at(call.overdue_at, self._give_up_overdue)

    async def _send(self) -> None:
        while self._queued:
            taken = min(len(self._queued), _BATCH_CALLS_MAX)
            calls = self._under_way = [self._queued.popleft() for _ in range(taken)]
            try:
                answers = await self._answers([call.words for call in calls])
            except Exception as error:  # noqa: BLE001 - else those who wait would do so for ever
                for call in calls:
                    if not call.future.done():
                        _fail(call.future, _as_redis_error(error))
            else:
                for call, answer in zip(calls, answers, strict=True):
                    if not call.future.done():
                        call.future.set_result(answer)
            self._under_way = []

    async def _answers(self, calls: list[bytes]) -> list[Answer]:
        words = b"[" + b",".join(calls) + b"]"
        try:
            text = await self._client.evalsha(CALLS_DIGEST, 1, ROUTING_KEY, words)
        except NoScriptError:
            # After a restart the store has forgotten its scripts and has done nothing yet.
            text = await self._client.eval(CALLS, 1, ROUTING_KEY, words)
        answers = _read_answers(text)
        if len(answers) != len(calls):
            raise RedisError(f"{len(calls)} calls got {len(answers)} answers")
        return answers


def connected_to(url: str, *, answer_within_s: float) -> Redis:
    """A client that never sends anything twice.

    By default the library repeats a command whose answer got lost; here only the caller knows
    whether a repetition is harmless.
    """
    client: Redis = Redis.from_url(
        url,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=answer_within_s,
        socket_connect_timeout=answer_within_s,
    )
    return client


def _as_redis_error(error: Exception) -> RedisError:
    if isinstance(error, RedisError):
        return error
    told = RedisConnectionError(f"{type(error).__name__}: {error}")
    told.__cause__ = error
    return told


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    future.set_exception(error)
    # Not every call has somebody left who asks for its outcome.
    future.exception()
