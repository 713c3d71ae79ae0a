"""Updates on their way to the bot: kept until they are confirmed, or brought by the webhook."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.peers.telegram_api.refusals import Refused
from tests.peers.telegram_api.state import QUERY_VALID_S

_SHORT_LIVED = ("callback_query", "inline_query", "pre_checkout_query", "chosen_inline_result")


@dataclass
class Waiting:
    """An update that is not confirmed. `lane`: within it the webhook keeps the order."""

    update_id: int
    body: dict[str, Any]
    lane: str
    at_s: float = field(default_factory=time.time)

    def stale(self, now_s: float) -> bool:
        """Whether it is of no use to anybody any more."""
        return now_s - self.at_s > QUERY_VALID_S and any(k in self.body for k in _SHORT_LIVED)


class Delivery:
    """The queue of one bot. `reach`: public address → where it is really found."""

    def __init__(self) -> None:
        self.waiting: list[Waiting] = []
        self.delivered: list[dict[str, Any]] = []
        self.tries: dict[int, int] = defaultdict(int)
        self.webhook: dict[str, Any] = {}
        self.reach: dict[str, str] = {}
        self.retry_scale = 0.02
        self.allowed: list[str] = []
        self.last_error = ""
        self._next_id = 700_000_001
        self._more = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None
        self._repeats: list[dict[str, Any]] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def put(self, kind: str, content: Mapping[str, Any], lane: str) -> int:
        """Something happened; gives the update's number."""
        update_id, self._next_id = self._next_id, self._next_id + 1
        self.waiting.append(Waiting(update_id, {"update_id": update_id, kind: content}, lane))
        self._more.set()
        if self.webhook:
            self._bring(lane)
        return update_id

    def put_raw(self, body: dict[str, Any], lane: str = "raw") -> int:
        """An update with whatever content."""
        update_id, self._next_id = self._next_id, self._next_id + 1
        self.waiting.append(Waiting(update_id, {"update_id": update_id, **body}, lane))
        self._more.set()
        if self.webhook:
            self._bring(lane)
        return update_id

    def repeat(self, count: int) -> None:
        """Deliver the newest so many once more, as if their confirmation had been lost."""
        self._repeats = self.delivered[-count:]
        self._more.set()

    async def updates(
        self, offset: int, limit: int, timeout_s: float, now_s: float
    ) -> list[dict[str, Any]]:
        """What `getUpdates` answers. Raises `Refused` where somebody else reads."""
        if self.webhook:
            text = "can't use getUpdates method while webhook is active; use deleteWebhook"
            raise Refused(409, f"Conflict: {text} to delete the webhook first")
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(_terminated())
        mine = self._poll = asyncio.get_running_loop().create_future()
        mine.add_done_callback(lambda poll: poll.cancelled() or poll.exception())
        # What is below the offset is confirmed, and forgotten for good.
        self.waiting = [w for w in self.waiting if w.update_id >= offset and not w.stale(now_s)]
        end_s = time.monotonic() + timeout_s
        while not self.waiting and not self._repeats and time.monotonic() < end_s:
            self._more.clear()
            more = asyncio.ensure_future(self._more.wait())
            left_s = end_s - time.monotonic()
            await asyncio.wait({more, mine}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            if mine.done():
                mine.result()
        if mine.done():
            mine.result()
        mine.cancel()
        repeats, self._repeats = self._repeats, []
        found = [w.body for w in self.waiting[:limit]]
        self.delivered += found
        return [*repeats, *found]

    async def set_webhook(self, webhook: dict[str, Any]) -> None:
        """Bring updates from now on; an empty one ends that."""
        self.webhook = webhook
        if webhook:
            for lane in {w.lane for w in self.waiting}:
                self._bring(lane)

    def _bring(self, lane: str) -> None:
        task = self._tasks.get(lane)
        if task is None or task.done():
            self._tasks[lane] = asyncio.create_task(self._lane(lane))

    async def _lane(self, lane: str) -> None:
        """Bring the updates of a lane in their order; the first that is refused holds the rest."""
        delay_s = 0.0
        while self.webhook:
            first = next((w for w in self.waiting if w.lane == lane), None)
            if first is None:
                return
            self.tries[first.update_id] += 1
            if await self._post(first.body):
                self.waiting.remove(first)
                self.delivered.append(first.body)
                delay_s = 0.0
                continue
            await asyncio.sleep(delay_s * self.retry_scale)
            delay_s = min(60.0, max(2.0, delay_s * 2))

    async def _post(self, body: dict[str, Any]) -> bool:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        parts = urlsplit(self.webhook["url"])
        where = self.reach.get(f"{parts.scheme}://{parts.netloc}", "http://127.0.0.1:9")
        headers = {
            "Host": parts.netloc,
            "X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token") or "",
        }
        try:
            async with self._session.post(
                f"{where}{parts.path}", json=body, headers=headers
            ) as answer:
                said = answer.status
        except aiohttp.ClientError as error:
            self.last_error = f"Connection failed: {type(error).__name__}"
            return False
        if said != 200:
            self.last_error = f"Wrong response from the webhook: {said}"
        return said == 200

    async def close(self) -> None:
        """Bring nothing more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _terminated() -> Refused:
    text = "terminated by other getUpdates request; make sure that only one bot instance is running"
    return Refused(409, f"Conflict: {text}")
