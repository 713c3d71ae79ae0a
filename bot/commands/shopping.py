"""/buy and /undo: the two taps, for where there is nothing to tap."""

from dataclasses import replace

from bot.commands.command import Command
from bot.conversation.dispatch import press_pay
from bot.conversation.speech import also_saying
from bot.conversation.turn import Desk, Turn, sentence
from bot.events import Message
from wallet_core.commerce.records import OrderState


async def buy(desk: Desk, turn: Turn, _args: str) -> None:
    """Pay the offer that the asker replies to, or else the newest one in this room."""
    quote_id = await _quote_meant(desk, turn)
    if quote_id is None:
        text = "There is no offer here to buy. Share a link to a product first. No money moved."
        await desk.answer(turn, sentence(text))
        return
    await press_pay(desk, turn, quote_id)


async def _quote_meant(desk: Desk, turn: Turn) -> str | None:
    event = turn.event
    if isinstance(event, Message) and event.reply_to_ref is not None:
        answered = await desk.outbox.shown(event.network, event.reply_to_ref)
        if answered is not None and answered.view == "offer":
            mine = answered.person_id in (None, event.person_id)
            return answered.ref if mine else None
    newest = await desk.outbox.latest_shown(event.network, event.room_id, "offer", event.person_id)
    return newest.ref if newest else None


async def undo(desk: Desk, turn: Turn, _args: str) -> None:
    """Take back the asker's newest order whose money is still held."""
    order = await desk.lookups.newest_held_order(turn.person.id)
    if order is not None:
        payer = await desk.payer_of(turn, order)
        text = (
            f"Undone: {order.price.format()} for “{order.title}” is back in your wallet. "
            f"Order {order.number}."
        )
        announce = also_saying(
            desk.checkout.announce, turn.notice(sentence(text), echoes=order.place.network)
        )
        checkout = replace(desk.checkout, announce=announce)
        await checkout.undo(turn.event.id, order, payer, turn.place)
        return
    latest = next(iter(await desk.reader.recent_orders(turn.person.wallet_id, 1)), None)
    text = "There is nothing to undo. No money moved just now."
    if latest is not None and latest.state == OrderState.PAID:
        text = (
            f"It is too late to undo “{latest.title}”: it is paid. No money moved just now. "
            f"Ask the seller for a refund of order {latest.number}."
        )
    await desk.answer(turn, sentence(text))


COMMANDS = (
    Command("buy", "buy", "Pay the newest offer here, or the one you reply to.", buy),
    Command("undo", "undo", "Take your last payment back while it is still held.", undo),
)
