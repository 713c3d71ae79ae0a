"""Sends scripts to the store in the order of the calls, many in one round trip."""

import asyncio
from collections import deque

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from wallet_core.locks.scripts import ROUTING_KEY, Script

_BATCH_CALLS_MAX = 256

Answer = list[int | str]
_Call = tuple[Script, tuple[str | int, ...]]


class ScriptPipe:
    """One connection to the store; while one round trip is under way the next one gathers.

    A call is queued at once, before anything is awaited. So whoever is cancelled while he waits
    for an answer can queue what takes his call back, and the store does both in that order.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._queued: deque[tuple[asyncio.Future[Answer], _Call]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._closed = False

    def call(self, script: Script, *arguments: str | int) -> asyncio.Future[Answer]:
        """Queues a script; the future gets its answer, or a RedisError.

        Await it through asyncio.shield, because the script runs whoever still waits for it.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # Not every call has somebody left who asks for its outcome.
        future.add_done_callback(_looked_at)
        if self._closed:
            future.set_exception(RedisConnectionError("the leases are closed"))
            return future
        self._queued.append((future, (script, arguments)))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return future

    async def close(self) -> None:
        """Sends what is queued and takes no more."""
        self._closed = True
        if self._sender is not None:
            await asyncio.wait([self._sender])
        await self._client.aclose()

    async def _send(self) -> None:
        while self._queued:
            taken = min(len(self._queued), _BATCH_CALLS_MAX)
            batch = [self._queued.popleft() for _ in range(taken)]
            answers: list[Answer | RedisError]
            try:
                answers = await self._answers([call for _, call in batch])
            except (RedisError, OSError) as error:
                answers = [_as_redis_error(error)] * taken
            for (future, _), answer in zip(batch, answers, strict=True):
                if isinstance(answer, RedisError):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _answers(self, calls: list[_Call]) -> list[Answer | RedisError]:
        async with self._client.pipeline(transaction=False) as pipeline:
            for script, words in calls:
                pipeline.evalsha(script.digest, 1, ROUTING_KEY, *words)
            answers: list[Answer | RedisError] = await pipeline.execute(raise_on_error=False)
            # After a restart the store has forgotten its scripts and has done nothing yet.
            unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            for number in unknown:
                script, words = calls[number]
                pipeline.eval(script.text, 1, ROUTING_KEY, *words)
            if unknown:
                again = await pipeline.execute(raise_on_error=False)
                for number, answer in zip(unknown, again, strict=True):
                    answers[number] = answer
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
    return error if isinstance(error, RedisError) else RedisConnectionError(str(error))


def _looked_at(future: asyncio.Future[Answer]) -> None:
    if not future.cancelled():
        future.exception()
