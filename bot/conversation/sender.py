"""Says what stands in the outbox: in order in each room, and rooms beside each other.

A message is sent at least once under its send id. One that a network refuses for good is dropped
and reported; one that it cannot take now waits, and holds up no other room.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

import msgspec
import structlog

from bot.adapters.base import (
    Adapter,
    AdapterError,
    Capabilities,
    Edits,
    NetworkDown,
    RateLimited,
    SendRejected,
    Unreachable,
    Varied,
)
from bot.cards import Card, Outgoing, Role
from bot.conversation.presenter import fit
from bot.conversation.speech import is_echo
from bot.conversation.views import Views
from wallet_core.errors import StorageUnavailable
from wallet_core.storage.outbox import Due, Outbox, Sent

_log = structlog.get_logger(__name__)
_decode: msgspec.json.Decoder[Card] = msgspec.json.Decoder(Card)
_encode = msgspec.json.Encoder().encode
#: Network, room, and the person for whom alone it is: within it, order is kept.
_Lane = tuple[str, str, str]

_OFFER = "offer"

#: How often the outbox is looked at when nobody rings.
IDLE_S = 0.5
#: The shortest time from one round to the next: what comes together goes together, and of several
#: changes to one card the last is said. The first message after a rest waits for nothing. Somebody
#: who has tapped waits for half of it; a round costs a tenth.
ROUND_EVERY_S = 0.003
ROUND_MAX = 200
#: Rooms in which speaking begins before others have their turn: a tap does not wait for a crowd.
BEGUN_AT_ONCE = 8
#: How long it may take until what was sent is noted: until then a reaction to it finds no card.
NOTE_EVERY_S = 0.05
#: The longest pause: a network that is back is spoken to this soon.
PAUSE_S_MAX = 15.0
#: A message that fails this often for a reason that nobody foresaw is given up.
ODD_TRIES_MAX = 5


@dataclass
class Sender:
    """Sends for the adapters of this process. `ring` makes it look at once.

    `pay_page` is the address below which each quote has its page, once it is known.
    """

    outbox: Outbox
    views: Views
    adapters: Mapping[str, Adapter]
    pay_page: str = ""
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: set[_Lane] = field(default_factory=set)

    def ring(self) -> None:
        """Something new is in the outbox."""
        self._bell.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as lanes:
            while True:
                self._bell.clear()
                began_at = time.monotonic()
                try:
                    due = await self.outbox.take(list(self.adapters), ROUND_MAX)
                except StorageUnavailable as error:
                    _log.warning("outbox_unavailable", error=str(error)[:300])
                    due = []
                for n, (lane, rows) in enumerate(_by_lane(due), 1):
                    lanes.create_task(self._lane(lane, rows), name=f"send:{lane}")
                    if n % BEGUN_AT_ONCE == 0:
                        await asyncio.sleep(0)
                if due:
                    await asyncio.sleep(began_at + ROUND_EVERY_S - time.monotonic())
                    continue
                try:
                    async with asyncio.timeout(IDLE_S):
                        await self._bell.wait()
                except TimeoutError:
                    continue

    async def _lane(self, lane: _Lane, rows: Sequence[Due]) -> None:
        if lane in self._busy:
            # An earlier round is still sending there: order is kept by waiting for it.
            await self._later(rows, 0.2)
            return
        self._busy.add(lane)
        try:
            await self.outbox.sent(await self._say_all(rows))
        except StorageUnavailable as error:
            # What was sent is sent again under the same send id once the claim runs out.
            _log.warning("outbox_unavailable", error=str(error)[:300])
        finally:
            self._busy.discard(lane)

    async def _say_all(self, rows: Sequence[Due]) -> list[Sent]:
        """Say what stands in a lane, in order; gives the outcomes that are not noted yet."""
        outcomes: list[Sent] = []
        noted_at = time.monotonic()
        for index, row in _without_repetition(rows, outcomes):
            try:
                outcomes.append(await self._say(row))
                if time.monotonic() - noted_at > NOTE_EVERY_S:
                    noted = outcomes.copy()
                    outcomes.clear()
                    await self.outbox.sent(noted)
                    noted_at = time.monotonic()
            except (NetworkDown, RateLimited, _TooEarly) as error:
                await self._later(rows[index:], _pause_s(error, row.tries))
                break
            except StorageUnavailable:
                raise
            except Exception:  # noqa: BLE001 - one odd message must not silence the bot
                _log.exception("message_failed", send_id=row.send_id, tries=row.tries)
                if row.tries >= ODD_TRIES_MAX:
                    outcomes.append(_dropped(row))
                    continue
                await self._later(rows[index:], _pause_s(NetworkDown(), row.tries))
                break
        return outcomes

    async def _later(self, rows: Sequence[Due], pause_s: float) -> None:
        await self.outbox.later([row.seq for row in rows], pause_s)

    async def _say(self, row: Due) -> Sent:
        adapter = self.adapters[row.network]
        dropped = _dropped(row)
        if not _may_say(adapter, row):
            return dropped
        if row.edits is not None and row.edits_ref is None:
            if row.original_state == "due":
                raise _TooEarly
            return dropped
        card = await self._card(row)
        if card is None:
            return dropped
        try:
            fitted = fit(card, await _capabilities(adapter, row), self.pay_page)
        except (Unreachable, SendRejected) as error:
            _log.warning("message_dropped", send_id=row.send_id, error=str(error)[:300])
            return dropped
        shown = _encode(fitted)
        if row.edits is not None and adapter.capabilities.edits is Edits.NONE:
            return await self._say_anew(adapter, row, fitted)
        # An earlier try may have sent this live card in an older state, and a network answers a
        # repeated send id with what it was sent first: the card is brought up to date then.
        repeated = row.body is None and row.tries > 1
        if row.edits is not None and shown == row.shown and not repeated:
            return dropped
        fresh_id = f"{row.send_id}:{row.tries}"
        outgoing = Outgoing(
            send_id=fresh_id if repeated and row.edits is not None else row.send_id,
            network=row.network,
            room_id=row.room_id,
            card=fitted,
            person_id=row.person_id,
            edits_ref=row.edits_ref,
            reply_to_ref=row.reply_to_ref,
        )
        try:
            ref = await adapter.send(outgoing)
            if repeated and row.edits is None and adapter.capabilities.edits is not Edits.NONE:
                edit = msgspec.structs.replace(outgoing, send_id=fresh_id, edits_ref=ref)
                await adapter.send(edit)
        except (Unreachable, SendRejected) as error:
            _log.warning("message_dropped", send_id=row.send_id, error=str(error)[:300])
            return dropped
        return Sent(
            seq=row.seq,
            send_id=row.send_id,
            edits=row.edits,
            message_ref=ref,
            shown=shown,
            live=adapter.capabilities.edits is Edits.LIVE,
        )

    async def _say_anew(self, adapter: Adapter, row: Due, card: Card) -> Sent:
        """A card that changed, in a network without edits: said again if it is news."""
        before = _decode.decode(row.shown) if row.shown is not None else None
        if before is None or _news_of(before) == _news_of(card):
            return _dropped(row)
        outgoing = Outgoing(
            send_id=row.send_id,
            network=row.network,
            room_id=row.room_id,
            card=card,
            person_id=row.person_id,
            reply_to_ref=row.edits_ref,
        )
        try:
            ref = await adapter.send(outgoing)
        except (Unreachable, SendRejected) as error:
            _log.warning("message_dropped", send_id=row.send_id, error=str(error)[:300])
            return _dropped(row)
        # A message of its own: a reply to it is looked up under its own reference.
        return Sent(
            seq=row.seq, send_id=row.send_id, edits=None, message_ref=ref, shown=_encode(card)
        )

    async def _card(self, row: Due) -> Card | None:
        if row.body is not None:
            return _decode.decode(row.body)
        return await self.views.card(row.view, row.ref)


def _without_repetition(rows: Sequence[Due], outcomes: list[Sent]) -> Iterator[tuple[int, Due]]:
    """The rows of a room and their places; those that would show nothing new are dropped.

    A live card is made when it is sent. So of several edits of one message the last is enough, and
    after a message that was sent just now there is nothing to bring up to date.
    """
    newest = {(row.edits, row.settled): row.seq for row in rows}
    shown_now: set[str | None] = set()
    for index, row in enumerate(rows):
        overtaken = newest[row.edits, row.settled] != row.seq
        if row.edits is not None and (overtaken or row.edits in shown_now):
            outcomes.append(_dropped(row))
            continue
        yield index, row
        if row.body is None and row.edits is None:
            last = outcomes[-1] if outcomes else None
            if last is not None and last.seq == row.seq and last.shown is not None:
                shown_now.add(row.send_id)


class _TooEarly(AdapterError):
    """The message that is to be edited has not been sent yet."""


async def _capabilities(adapter: Adapter, row: Due) -> Capabilities:
    """What can be shown where the message goes."""
    if _varies(type(adapter)) and isinstance(adapter, Varied):
        return await adapter.capabilities_in(row.room_id, row.person_id)
    return adapter.capabilities


@cache
def _varies(kind: type[Adapter]) -> bool:
    # Asking a protocol takes longer than fitting the card; a class answers the same for ever.
    return issubclass(kind, Varied)


def _dropped(row: Due) -> Sent:
    return Sent(seq=row.seq, send_id=row.send_id, edits=row.edits, message_ref=None, shown=None)


def _news_of(card: Card) -> tuple[str, ...]:
    """What of a card is news when it changes: its title, and how things stand."""
    return card.title, *(line.text for line in card.lines if line.role is Role.STATUS)


def _may_say(adapter: Adapter, row: Due) -> bool:
    edits = adapter.capabilities.edits
    if row.edits is None:
        # A changed card that is said anew tells of its change by itself.
        return edits is not Edits.NONE or not is_echo(row.send_id)
    if edits is Edits.NONE:
        # What cannot be changed is said anew to the one whom it concerns, but no offer to all.
        return row.settled and (row.person_id is not None or row.view != _OFFER)
    return edits is Edits.LIVE or row.settled


def _pause_s(error: AdapterError, tries: int) -> float:
    if isinstance(error, RateLimited):
        return error.retry_after_s
    if isinstance(error, _TooEarly):
        return 0.3
    return min(PAUSE_S_MAX, 0.5 * 2.0 ** min(tries, 10))


def _by_lane(due: Sequence[Due]) -> list[tuple[_Lane, list[Due]]]:
    def lane(row: Due) -> _Lane:
        return row.network, row.room_id, row.person_id or ""

    ordered = sorted(due, key=lambda row: (*lane(row), row.seq))
    lanes = [(key, list(rows)) for key, rows in groupby(ordered, key=lane)]
    # Who waits for an answer of his own gets it before what has changed is brought up to date.
    return sorted(lanes, key=lambda lane: (lane[1][0].edits is not None, lane[1][0].seq))
