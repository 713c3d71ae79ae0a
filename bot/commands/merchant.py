"""/merchant: a shop's own counter."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.cards import Card, Line, Role, Tone
from bot.commands.command import Command, prefix_of, split_word
from bot.commands.funding import asked_amount, begin, cancelled
from bot.commands.merchant_catalogue import catalogue
from bot.commands.merchant_hosts import claim_host, host_lines, list_hosts, verify_host
from bot.conversation.speech import also_saying
from bot.conversation.turn import Desk, Turn, sentence
from bot.conversation.views import net_words
from bot.links.lookalikes import names_a_host
from wallet_core.commerce.fulfilment import Fulfilment
from wallet_core.commerce.merchants import NAME_LENGTH_MAX
from wallet_core.commerce.numbers import as_typed
from wallet_core.commerce.records import Merchant, Order, OrderState
from wallet_core.errors import Refused
from wallet_core.ledger.accounts import Purpose
from wallet_core.money import Money, amount_text

ORDERS_SHOWN = 10

_USAGES = (
    "merchant open NAME",
    "merchant host HOST",
    "merchant verify HOST",
    "merchant hosts",
    "merchant accept on|off",
    "merchant catalogue add URL",
    "merchant orders",
    "merchant ship NUMBER [AMOUNT]",
    "merchant release NUMBER",
    "merchant refund NUMBER [AMOUNT]",
    "merchant withdraw [AMOUNT|cancel CODE]",
)

Counter = Callable[[Desk, Turn, Merchant, str], Awaitable[None]]


async def merchant(desk: Desk, turn: Turn, args: str) -> None:
    """The shop's status, or what the first word asks for."""
    word, rest = split_word(args)
    prefix = prefix_of(turn)
    if word == "open":
        await _open(desk, turn, rest)
        return
    counter = _COUNTERS.get(word)
    if word and counter is None:
        text = f"There is no {prefix}merchant {word[:30]}. {prefix}merchant lists what there is."
        await desk.answer(turn, sentence(text))
        return
    shop = await _shop_meant(desk, turn)
    if shop is None:
        text = (
            f"You have no shop yet. Write {prefix}merchant open NAME in the room "
            "that should get its orders."
        )
        await desk.answer(turn, sentence(text))
        return
    await (counter or _status)(desk, turn, shop, rest)


async def _shop_meant(desk: Desk, turn: Turn) -> Merchant | None:
    """The asker's shop whose room this is, or else the one that he opened first."""
    shops = await desk.reader.merchants_of(turn.person.id)
    here = (turn.event.network, turn.event.room_id)
    return next((s for s in shops if (s.network, s.room_id) == here), next(iter(shops), None))


async def _status(desk: Desk, turn: Turn, shop: Merchant, _rest: str) -> None:
    prefix = prefix_of(turn)
    balances = await desk.reader.balances(f"merchant:{shop.id}")
    claims = await desk.reader.host_claims(shop.id)
    shops = await desk.reader.merchants_of(turn.person.id)
    here = (shop.network, shop.room_id) == (turn.event.network, turn.event.room_id)
    sums = {
        purpose: [
            amount_text(b.balance_minor, b.currency) for b in balances if b.purpose == purpose
        ]
        for purpose in (Purpose.AVAILABLE, Purpose.HELD, Purpose.PENDING)
    }
    free = sums[Purpose.AVAILABLE] or [amount_text(0, desk.currency)]
    lines = [
        Line(" + ".join(free), Role.PRICE),
        *(Line(f"{held} more is held for withdrawals.") for held in sums[Purpose.HELD]),
        *(Line(f"{due} more is earned and not yet available.") for due in sums[Purpose.PENDING]),
        Line("Orders come to this room." if here else f"Orders go to the room {shop.room_id}."),
        Line(_standing_words(on=shop.standing_acceptance)),
    ]
    for claim in claims:
        lines += host_lines(claim, prefix, turn.now_us)
    if not claims:
        lines.append(Line(f"No host yet: {prefix}merchant host shop.example adds one."))
    others = [other.name for other in shops if other.id != shop.id]
    if others:
        lines.append(Line(f"Your other shops answer in their own rooms: {', '.join(others)}."))
    lines += [Line(prefix + usage, Role.HINT) for usage in _USAGES]
    await desk.answer(turn, Card(title=shop.name, lines=tuple(lines)))


def _standing_words(*, on: bool) -> str:
    if on:
        return "Standing acceptance is on: orders are taken at once, without you."
    return "Standing acceptance is off: you accept or decline each order."


async def _open(desk: Desk, turn: Turn, name: str) -> None:
    prefix = prefix_of(turn)
    if names_a_host(name):
        # It would stand beside the tick, as if it were the host that is proven.
        text = (
            "A shop's name is no web address: cards show the host that you have proven beside it. "
            f"Write it like this: {prefix}merchant open Tea House. Nothing was opened."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    here = (turn.event.network, turn.event.room_id)
    known = await desk.reader.merchants_of(turn.person.id)
    taken = next((shop for shop in known if (shop.network, shop.room_id) == here), None)
    if taken is not None:
        # Of two in one room the second could never be meant.
        text = (
            f"{taken.name} is your shop in this room; a second one needs a room of its own: write "
            f"{prefix}merchant open there. Nothing was opened."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    try:
        opening = desk.merchants.opening(
            turn.event.id, name, turn.place, turn.person.id, turn.now_us
        )
    except Refused:
        text = (
            f"A shop's name has 1 to {NAME_LENGTH_MAX} characters and no tick mark. "
            f"Write it like this: {prefix}merchant open Tea House. Nothing was opened."
        )
        await desk.answer(turn, sentence(text, Tone.BAD))
        return
    card = Card(
        title=f"{opening.merchant.name} is open",
        lines=(
            Line("Its orders come to this room; everybody here can see them."),
            Line(f"Next, say where it sells: {prefix}merchant host shop.example", Role.HINT),
        ),
        tone=Tone.GOOD,
    )
    await desk.answer(turn, card, rows=opening.rows)


async def _accept(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    word, _ = split_word(rest)
    if word not in ("on", "off"):
        text = f"Say on or off: {prefix_of(turn)}merchant accept on. "
        await desk.answer(turn, sentence(text + _standing_words(on=shop.standing_acceptance)))
        return
    on = word == "on"
    card = sentence(f"{shop.name}: {_standing_words(on=on)}", Tone.GOOD)
    await desk.answer(turn, card, rows=desk.merchants.accepting(shop, on=on))


async def _orders(desk: Desk, turn: Turn, shop: Merchant, _rest: str) -> None:
    orders = await desk.reader.merchant_orders(shop.id, ORDERS_SHOWN)
    if not orders:
        await desk.answer(turn, sentence(f"{shop.name} has no orders yet."))
        return
    lines = tuple(Line(_order_line(order)) for order in orders)
    await desk.answer(turn, Card(title=f"{shop.name}: newest orders", lines=lines))


def _order_line(order: Order) -> str:
    state: str = order.state
    if order.state == OrderState.AUTHORISED:
        state = "accepted, held" if order.accepted else "held, waits for you"
        if order.captured_minor:
            state = f"{order.captured.format()} paid, the rest is held"
    elif order.state == OrderState.PAID and order.refunded_minor:
        state = f"paid, {Money(order.refunded_minor, order.currency).format()} refunded"
    net = f" · {net_words(order)}" if order.fee.amount_minor else ""
    return f"{order.number} · {order.title[:60]} · {order.price.format()} · {state}{net}"


async def _refund(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    example = f"{prefix_of(turn)}merchant refund 4F7K9QX2"
    order, amount = await _order_meant(desk, turn, shop, rest, example)
    if order is None:
        return
    if not order.refundable.amount_minor:
        await desk.answer(turn, sentence(_nothing_to_refund(order), Tone.BAD))
        return
    money = order.refundable
    if amount:
        asked = await asked_amount(desk, turn, amount, f"{example} 10", order.currency)
        if asked is None:
            return
        money = asked
    left = Money(order.refundable.amount_minor - money.amount_minor, order.currency)
    more = f" {left.format()} of it can still be refunded." if left.amount_minor > 0 else ""
    text = f"{money.format()} of order {order.number} went back to its buyer.{more}"
    fulfilment = _telling(desk, turn, shop, text)
    await fulfilment.refund(turn.event.id, order, money, turn.person.id, turn.place)


async def _ship(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    """Capture what was sent of an order: a part, or all that is left."""
    example = f"{prefix_of(turn)}merchant ship 4F7K9QX2"
    order, amount = await _order_meant(desk, turn, shop, rest, example)
    if order is None:
        return
    left = money = Money(order.amount_minor - order.captured_minor, order.currency)
    if amount:
        asked = await asked_amount(desk, turn, amount, f"{example} 12.50", order.currency)
        if asked is None:
            return
        money = asked
    kept = Money(left.amount_minor - money.amount_minor, order.currency)
    more = f" {kept.format()} of it is still held." if kept.amount_minor > 0 else ""
    text = f"{money.format()} of order {order.number} is paid to {shop.name}.{more}"
    fulfilment = _telling(desk, turn, shop, text)
    await fulfilment.capture_part(
        turn.event.id, order, money, turn.person.id, turn.place, turn.now_us
    )


async def _release(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    """Give back what is still held of an order."""
    example = f"{prefix_of(turn)}merchant release 4F7K9QX2"
    order, _ = await _order_meant(desk, turn, shop, rest, example)
    if order is None:
        return
    left = Money(order.amount_minor - order.captured_minor, order.currency)
    text = f"{left.format()} of order {order.number} went back to its buyer."
    fulfilment = _telling(desk, turn, shop, text)
    await fulfilment.release(turn.event.id, order, turn.person.id, turn.place)


def _telling(desk: Desk, turn: Turn, shop: Merchant, text: str) -> Fulfilment:
    """The fulfilment that answers the asker with `text` when it has done what he asked for."""
    notice = turn.notice(sentence(text, Tone.GOOD), echoes=shop.network)
    return replace(desk.fulfilment, announce=also_saying(desk.fulfilment.announce, notice))


async def _order_meant(
    desk: Desk, turn: Turn, shop: Merchant, rest: str, example: str
) -> tuple[Order | None, str]:
    """The order with that number, and what stands after it.

    None when there is no such order of this shop, and the asker was told so.
    """
    typed, amount = _number_and_amount(rest)
    if not typed:
        text = f"Say which order: {example}. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return None, amount
    order = await desk.reader.order_by_number(as_typed(typed))
    if order is None or not await desk.reader.is_member(order.merchant_id, turn.person.id):
        # Another shop's order is as unknown as one that does not exist.
        text = f"{shop.name} has no order {as_typed(typed)[:20]}. No money moved."
        await desk.answer(turn, sentence(text, Tone.BAD))
        return None, amount
    return order, amount


def _number_and_amount(rest: str) -> tuple[str, str]:
    typed, _, amount = rest.partition(" ")
    return typed, amount.strip()


def _nothing_to_refund(order: Order) -> str:
    if order.state == OrderState.AUTHORISED:
        how = "it is still held" if order.accepted else "decline it to give the money back"
        return f"Order {order.number} is not paid yet: {how}. No money moved."
    return f"There is nothing left to refund of order {order.number}. No money moved."


async def _withdraw(desk: Desk, turn: Turn, shop: Merchant, rest: str) -> None:
    command = f"{prefix_of(turn)}merchant withdraw"
    if await cancelled(desk, turn, rest, command):
        return
    money = await asked_amount(desk, turn, rest, f"{command} 500")
    if money is not None:
        await begin(desk, turn, desk.funding.ask_payout, f"merchant:{shop.id}", money)


_COUNTERS: Mapping[str, Counter] = {
    "host": claim_host,
    "verify": verify_host,
    "hosts": list_hosts,
    "accept": _accept,
    "catalogue": catalogue,
    "catalog": catalogue,
    "orders": _orders,
    "ship": _ship,
    "release": _release,
    "refund": _refund,
    "withdraw": _withdraw,
}

COMMANDS = (
    Command(
        "merchant",
        "merchant [open|host|verify|hosts|catalogue|accept|orders|ship|release|refund|withdraw]",
        "Your shop: sell, refund, withdraw.",
        merchant,
        aliases=("shop",),
    ),
)
