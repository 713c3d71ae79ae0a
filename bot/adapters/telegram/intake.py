"""From what Telegram delivers to events in the inbox; nothing is acknowledged before.

What cannot be read, or cannot be kept while everything around it can, is kept as an `Unreadable`
event: the admins hear of it, and nothing waits behind it.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
import structlog

from bot.adapters.base import AdapterError, Hear
from bot.adapters.telegram.answering import OpenTap, OpenTaps
from bot.adapters.telegram.calling import BotApi
from bot.adapters.telegram.hints import BLIND
from bot.adapters.telegram.places import Room
from bot.adapters.telegram.reading import NETWORK, Ear, Heard, with_note
from bot.adapters.telegram.wire import BusinessConnection, Me, Membership, Update, UpdateHead
from bot.events import Event, Tap, Unreadable

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

#: An update that could not be kept this often, while the inbox is well, is put aside.
TRIES_MAX = 4
_RAW_CHARACTERS_MAX = 2_000
_BUSINESS_KNOWN_MAX = 1_000

_decode_update = msgspec.json.Decoder(Update).decode
_decode_head = msgspec.json.Decoder(UpdateHead).decode

Nameless = Callable[[Room], Coroutine[object, object, None]]


class Intake:
    """Hears updates for one bot. `nameless` tells somebody without a name why nothing happens."""

    def __init__(self, api: BotApi, me: Me, hear: Hear, taps: OpenTaps, nameless: Nameless) -> None:
        self._api = api
        self._me = me
        self._ear = Ear(me.id, me.username)
        self._hear = hear
        self._taps = taps
        self._nameless = nameless
        self._business: dict[str, bool] = {}
        self._tries: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def batch(self, raws: Sequence[Any]) -> None:
        """Keep updates as `getUpdates` gives them, in their order.

        Raises what the inbox raises when one of them is not kept; then none is acknowledged.
        """
        understood = [await self._understand(raw) for raw in raws]
        try:
            await self._keep([event for events in understood for event in events])
        except Exception:  # noqa: BLE001 - the inbox's errors are its own; each is tried alone
            # One of them may spoil the others: alone it harms nobody.
            for n, (raw, events) in enumerate(zip(raws, understood, strict=True)):
                body = _body_of(raw)
                try:
                    await self._keep_or_put_aside(_number(body), body, events)
                except Exception:
                    self._not_heard([event for events in understood[n:] for event in events])
                    raise

    async def one(self, body: bytes) -> None:
        """Keep one update as the webhook brings it. Raises what the inbox raises."""
        try:
            update = _decode_update(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            log.warning("telegram_update_unreadable", reason=str(error)[:200])
            await self._keep_or_put_aside(_number(body), body, [self._unreadable(body, error)])
            return
        events = await self._meaning(update, body)
        if not events:
            return
        try:
            await self._keep_or_put_aside(update.update_id, body, events)
        except Exception:
            self._not_heard(events)
            raise

    async def _keep(self, events: Sequence[Event]) -> None:
        if events:
            await self._hear(events)

    def _not_heard(self, events: Sequence[Event]) -> None:
        """These come again, and so do the taps among them."""
        for event in events:
            if isinstance(event, Tap):
                self._taps.not_heard(event.person_id, event.id)

    async def _keep_or_put_aside(self, number: int, body: bytes, events: Sequence[Event]) -> None:
        try:
            await self._keep(events)
        except Exception as error:
            # Where the inbox takes nothing at all, it is not the update's fault.
            await self._hear([])
            tries = self._tries[number] = self._tries.get(number, 0) + 1
            if tries < TRIES_MAX:
                raise
            log.exception("telegram_update_put_aside", update_id=number)
            await self._hear([self._unreadable(body, error)])
        self._tries.pop(number, None)

    async def _understand(self, raw: Any) -> Sequence[Event]:  # noqa: ANN401 - JSON
        try:
            update = msgspec.convert(raw, Update)
        except msgspec.ValidationError as error:
            log.warning("telegram_update_unreadable", reason=str(error)[:200])
            return [self._unreadable(_body_of(raw), error)]
        return await self._meaning(update, raw)

    async def _meaning(self, update: Update, raw: Any) -> Sequence[Event]:  # noqa: ANN401 - JSON, or its bytes
        try:
            return await self._events(update)
        except AdapterError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the admins hear of it
            log.warning("telegram_update_unreadable", reason=str(error)[:200])
            return [self._unreadable(_body_of(raw), error)]

    async def _events(self, update: Update) -> Sequence[Event]:
        if update.business_connection is not None:
            connection = update.business_connection
            self._business[connection.id] = connection.answers
            return ()
        heard = self._ear.heard(update)
        message = update.business_message or update.edited_business_message
        business = message.business_connection_id if message is not None else None
        if business is not None and heard.events and not await self._may_answer(business):
            return ()
        if heard.nameless_command is not None:
            task = asyncio.create_task(self._nameless(heard.nameless_command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if update.callback_query is not None and heard.events:
            self._open_tap(update.callback_query.id, heard.events[0])
        if heard.blind_room is not None:
            heard = await self._look_around(heard, heard.blind_room)
        return heard.events

    def _open_tap(self, query_id: str, event: Event) -> None:
        if isinstance(event, Tap):
            tap = OpenTap(query_id, event.room_id, event.message_ref, event.action or "", event.id)
            self._taps.opened(event.person_id, tap)

    async def _may_answer(self, connection_id: str) -> bool:
        if connection_id not in self._business:
            if len(self._business) >= _BUSINESS_KNOWN_MAX:
                self._business.clear()
            raw = await self._api.call(
                "getBusinessConnection", business_connection_id=connection_id
            )
            self._business[connection_id] = msgspec.convert(raw, BusinessConnection).answers
        return self._business[connection_id]

    async def _look_around(self, heard: Heard, room: Room) -> Heard:
        """With the news, for who brought the bot, that it does not see what is written there."""
        try:
            me = msgspec.convert(await self._api.call("getMe"), Me)
            if me.can_read_all_group_messages:
                return heard
            member = msgspec.convert(
                await self._api.call("getChatMember", chat_id=room.chat_id, user_id=me.id),
                Membership,
            )
        except AdapterError as error:
            log.info("telegram_room_not_looked_at", room_id=room.id, reason=str(error))
            return heard
        return heard if member.status in ("administrator", "creator") else with_note(heard, BLIND)

    def _unreadable(self, body: bytes, error: Exception) -> Unreadable:
        digest = hashlib.sha256(body).hexdigest()[:16]
        return Unreadable(
            id=f"{NETWORK}:{self._me.id}:unreadable:{digest}",
            network=NETWORK,
            room_id="",
            # Nobody is to get a wallet for it: the bot speaks of itself.
            person_id=str(self._me.id),
            error=f"{type(error).__name__}: {error}"[:500],
            raw=body.decode("utf-8", "replace")[:_RAW_CHARACTERS_MAX],
        )

    async def close(self) -> None:
        """Wait for nothing more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _number(body: bytes) -> int:
    """The number of an update of which nothing else may be readable."""
    try:
        return _decode_head(body).update_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _body_of(raw: Any) -> bytes:  # noqa: ANN401 - JSON, or its bytes
    if isinstance(raw, bytes):
        return raw
    # With half characters escaped, which could not be written otherwise.
    return json.dumps(raw).encode("ascii")
