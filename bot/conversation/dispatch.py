"""From an event to its answer: plain tables, one entry a kind of event and a verb of a button."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.adapters.base import Capabilities
from bot.cards import Card, Line, Role, Tone
from bot.conversation.external import External
from bot.conversation.likes import offer_liked
from bot.conversation.quiet import is_quiet, keep_quiet
from bot.conversation.reactions import action_of
from bot.conversation.replies import action_of_reply, empty_wallet_card
from bot.conversation.shared_links import SharedLinks
from bot.conversation.speech import send_id
from bot.conversation.turn import Desk, Turn, sentence
from bot.conversation.words import plain_words, wants_quiet
from bot.events import (
    Event,
    ExternalPaid,
    ExternalRefunded,
    Joined,
    Liked,
    Message,
    Migrated,
    PreCheckout,
    Tap,
    Unreadable,
    Untap,
)
from wallet_core.commerce.checkout import TapOn
from wallet_core.commerce.records import Order, OrderState
from wallet_core.errors import PayontapError, Refusal
from wallet_core.ledger.commits import Notice
from wallet_core.money import Money

Press = Callable[[Desk, Turn, str], Awaitable[None]]
RunCommand = Callable[[Desk, Turn, str, str], Awaitable[bool]]


class TapNotAnsweredYet(PayontapError):
    """An undo came before its tap was answered; it is worked on again after a pause."""


@dataclass(frozen=True)
class Dispatch:
    """Finds who answers an event.

    `presses`: verb of a button → what it does. `run_command`: answers `/name args`, False if
    there is no such command. `prefixes`: network → what its commands begin with; `capabilities`:
    network → what it can do, where that changes what is understood. `external`: answers what
    networks tell about money that they collect themselves. `nearest_command`: the one that looks
    most like a name, of those that an admin (or not) may use.
    """

    desk: Desk
    links: SharedLinks
    presses: Mapping[str, Press]
    run_command: RunCommand
    prefixes: Mapping[str, tuple[str, ...]]
    now_us: Callable[[], int]
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    external: External | None = None
    nearest_command: Callable[[str, bool], str | None] | None = None

    async def answer(self, event: Event, *, again: bool = True) -> None:
        """Answer one event; it is done when this returns, and may come again if it raises.

        `again`: whether it was begun before. One that was heard just now has no answer yet; if it
        had one nevertheless, its own commit would say so.
        """
        person = await self.desk.people.meet(event.network, event.person_id, event.room_id)
        turn = Turn(event, person, self.now_us())
        if again and await self.desk.writer.written(turn.key) is not None:
            # Answered before, by a process that could say so only to the database.
            await self.desk.close(turn)
            return
        match event:
            case Message():
                await self._message(turn, event)
            case Tap():
                await self._tap(turn, event)
            case Untap(tap_ref=tap_ref):
                await self._untap(turn, tap_ref)
            case Liked():
                await self._liked(turn, event)
            case Joined():
                await self.desk.answer(turn, self._greeting(event), private=False)
            case PreCheckout() | ExternalPaid() | ExternalRefunded() if self.external is not None:
                await self.external.answer(self.desk, turn, event)
            case Unreadable():
                await self.desk.tell_admins(turn, _unreadable_card(event))
            case Migrated(network=network, room_id=room_id, to_room_id=to_room_id):
                await self.desk.moves.follow(network, room_id, to_room_id)
                await self.desk.close(turn)
            case _:
                await self.desk.close(turn)

    def _greeting(self, joined: Joined) -> Card:
        prefix = self.prefixes.get(joined.network, ("/",))[0]
        greeting = sentence(_GREETING.format(help=f"{prefix}help"))
        if not joined.note:
            return greeting
        return Card(lines=(*greeting.lines, Line(joined.note, Role.WARNING)))

    async def _message(self, turn: Turn, message: Message) -> None:
        able = self.capabilities.get(message.network)
        if message.unasked:
            if await is_quiet(self.desk, turn):
                await self.desk.close(turn)
                return
            await self.links.answer(self.desk, turn, message)
            return
        if able is not None and not able.proves_people:
            # Whoever wrote this may not be who he says: links are looked at, nothing else is done.
            await self.links.answer(self.desk, turn, message)
            return
        if able is not None and able.reply_words and await self._words(turn, message, able):
            return
        prefixes = self.prefixes.get(message.network, ("/",))
        text = message.text.strip()
        prefix = next((p for p in prefixes if text.startswith(p)), None)
        if prefix is not None:
            after = text.removeprefix(prefix)
            name, *args = after.split(None, 1) or [""]
            plain = name.isascii() and name.replace("-", "").isalpha()
            # "/ratio 3" in a sentence about something else must not be answered as a command; what
            # nobody else was shown must be answered.
            if message.aside or (plain and after.startswith(name)):
                if not await self.run_command(self.desk, turn, name.lower(), "".join(args).strip()):
                    await self._unknown_command(turn, prefix, name)
                return
        await self.links.answer(self.desk, turn, message)

    async def _words(self, turn: Turn, message: Message, able: Capabilities) -> bool:
        """Answer a message that is nothing but words for the bot; False when it is none."""
        words = plain_words(message.text)
        quiet = wants_quiet(words)
        if quiet or (quiet is False and await is_quiet(self.desk, turn)):
            await keep_quiet(self.desk, turn, quiet=bool(quiet))
            return True
        action = await action_of_reply(self.desk.outbox, message, words)
        if action is not None:
            await self._press(turn, action, able)
            return True
        if not message.private or message.text.lstrip().startswith(able.command_prefixes):
            return False
        # Where nobody else listens, a command needs no prefix.
        name, _, args = message.text.strip().partition(" ")
        return name.isalpha() and await self.run_command(
            self.desk, turn, name.lower(), args.strip()
        )

    async def _liked(self, turn: Turn, liked: Liked) -> None:
        able = self.capabilities.get(liked.network)
        if able is None or not able.proves_people:
            await self.desk.close(turn)
            return
        liking = await offer_liked(self.desk, turn, liked)
        if liking is None or (able.pay_links and await self._is_poor(turn, liking.quote_id)):
            return
        tap = tap_on(turn, liking.quote_id, day_max=liking.day_max)
        await self.desk.checkout.tap(tap)

    async def _unknown_command(self, turn: Turn, prefix: str, name: str) -> None:
        near = self.nearest_command and self.nearest_command(name.lower(), turn.person.admin)
        meant = f" Did you mean {prefix}{near}?" if near else ""
        text = f"There is no command {prefix}{name[:30]}.{meant} {prefix}help lists them all."
        await self.desk.answer(turn, sentence(text))

    async def _tap(self, turn: Turn, tap: Tap) -> None:
        action = tap.action
        if action is None:
            action = await action_of(self.desk.outbox, tap)
        if action is None:
            await self.desk.close(turn)
            return
        able = self.capabilities.get(tap.network)
        if able is not None and not able.proves_people:
            await self.desk.close(turn)
            return
        await self._press(turn, action, able)

    async def _press(self, turn: Turn, action: str, able: Capabilities | None) -> None:
        verb, _, ref = action.partition(":")
        if verb == "pay" and able is not None and able.pay_links and await self._is_poor(turn, ref):
            return
        press = self.presses.get(verb)
        if press is None:
            await self.desk.answer(
                turn, sentence("That button is too old to work. No money moved.")
            )
            return
        await press(self.desk, turn, ref)

    async def _is_poor(self, turn: Turn, quote_id: str) -> bool:
        """Whether somebody never had money here, and was told where to pay instead."""
        empty = await empty_wallet_card(self.desk, turn, quote_id)
        if empty is not None:
            await self.desk.answer(turn, empty, refusal=Refusal.NO_FUNDS)
        return empty is not None

    async def _untap(self, turn: Turn, tap_ref: str) -> None:
        network = f"{turn.event.network}:"
        tap_event_id = network + tap_ref.removeprefix(network)
        if await self.desk.lookups.is_waiting(tap_event_id):
            # Another process has the tap, or had it when it died: first the tap, then its undo.
            raise TapNotAnsweredYet(tap_ref)
        order = await self.desk.reader.order_of_tap(tap_ref, turn.person.id)
        if order is None or order.state == OrderState.UNDONE:
            await self.desk.close(turn)
            return
        payer = await self.desk.payer_of(turn, order)
        await self.desk.checkout.undo(turn.event.id, order, payer, turn.place)


def _unreadable_card(event: Unreadable) -> Card:
    return Card(
        title="Something that was heard could not be read and was put aside.",
        lines=(Line(f"{event.network}: {event.error[:200]}"), Line(event.raw[:300], Role.HINT)),
        tone=Tone.BAD,
    )


_GREETING = (
    "Hello! Share a link to a product here and I answer with a card that pays in one tap. "
    "Write {help} to see what else I do."
)


async def press_pay(desk: Desk, turn: Turn, quote_id: str) -> None:
    """A tap on Pay."""
    await desk.checkout.tap(tap_on(turn, quote_id))


def tap_on(turn: Turn, quote_id: str, *, day_max: Money | None = None) -> TapOn:
    """A turn as a tap on a quote; `day_max` as `TapOn` has it."""
    return TapOn(
        event_id=turn.event.id,
        quote_id=quote_id,
        payer=turn.payer,
        place=turn.place,
        at_us=turn.now_us,
        tap_ref=turn.event.tap_ref if isinstance(turn.event, Tap) else None,
        day_max=day_max,
    )


async def press_undo(desk: Desk, turn: Turn, order_id: str) -> None:
    """A tap on Undo."""
    order = await desk.reader.order(order_id)
    payer = await desk.payer_of(turn, order)
    await desk.checkout.undo(turn.event.id, order, payer, turn.place)


async def press_undo_mine(desk: Desk, turn: Turn, quote_id: str) -> None:
    """Undo on the card that everybody sees: it takes back what the one who taps has paid."""
    facts = await desk.reader.tap_facts(quote_id, turn.person.wallet_id)
    order = facts.order if facts is not None else None
    payer = await desk.payer_of(turn, order)
    await desk.checkout.undo(turn.event.id, order, payer, turn.place)


async def press_show(desk: Desk, turn: Turn, quote_id: str) -> None:
    """Somebody followed a link to an offer: it is shown to him alone."""
    if await desk.reader.quote(quote_id) is None:
        await desk.answer(turn, sentence("That offer is gone. Share the link once more."))
        return
    await desk.say(turn, _offer_at(turn, quote_id, turn.event.person_id))


async def press_place(desk: Desk, turn: Turn, quote_id: str) -> None:
    """Somebody put an offer into a place of his own: from now on it is kept up to date there."""
    if await desk.reader.quote(quote_id) is None:
        await desk.close(turn)
        return
    await desk.say(turn, _offer_at(turn, quote_id, None))


def _offer_at(turn: Turn, quote_id: str, person_id: str | None) -> Notice:
    return Notice(
        send_id=send_id(turn.event.id, "offer"),
        network=turn.event.network,
        room_id=turn.event.room_id,
        person_id=person_id,
        view="offer",
        ref=quote_id,
    )


async def _known_order(desk: Desk, turn: Turn, order_id: str) -> Order | None:
    """The order that a button names; where there is none, that is said."""
    order = await desk.reader.order(order_id)
    if order is None:
        await desk.answer(turn, sentence("That order is not known. No money moved."))
    return order


async def press_accept(desk: Desk, turn: Turn, order_id: str) -> None:
    """The seller takes an order."""
    order = await _known_order(desk, turn, order_id)
    if order is not None:
        await desk.fulfilment.accept(turn.event.id, order, turn.person.id, turn.place)


async def press_decline(desk: Desk, turn: Turn, order_id: str) -> None:
    """The seller turns an order down."""
    order = await _known_order(desk, turn, order_id)
    if order is not None:
        await desk.fulfilment.decline(turn.event.id, order, turn.person.id, turn.place)


async def press_refund(desk: Desk, turn: Turn, order_id: str) -> None:
    """The seller gives back all that is left of an order."""
    order = await _known_order(desk, turn, order_id)
    if order is not None:
        amount, seller_id = order.refundable, turn.person.id
        await desk.fulfilment.refund(turn.event.id, order, amount, seller_id, turn.place)


async def press_again(desk: Desk, turn: Turn, quote_id: str, links: SharedLinks) -> None:
    """Buy another, or look an old price up again: a new quote for this person alone."""
    quote = await desk.reader.quote(quote_id)
    if quote is None:
        await desk.answer(turn, sentence("That offer is gone. Share the link once more."))
        return
    await links.offer_again(desk, turn, quote.url)


PRESSES: dict[str, Press] = {
    "pay": press_pay,
    "undo": press_undo,
    "undomine": press_undo_mine,
    "show": press_show,
    "place": press_place,
    "accept": press_accept,
    "decline": press_decline,
    "refund": press_refund,
}
