"""The whole loop in a terminal: a link, a card, a tap, an order, the receipt, the books.

Everything is real: an instance of its own with its own data, the demo shop's pages, and people who
speak with it through the web chat's socket.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.app import Instance, running
from bot.demo.opening import DEMO_ROOM
from bot.demo.visitor import NotSeen, Seen, Visitor, browser, claim_admin, visit
from config.settings import load
from wallet_core.commerce.records import Order
from wallet_core.errors import PayontapError
from wallet_core.money import Money

Say = Callable[[str], None]

#: What the buyer has before the tap.
_TOP_UP = "500"
_SETTLE_WITHIN_S = 30.0


class StepFailed(PayontapError):
    """A step of the journey did not hold; the text says which."""


async def walk(say: Say) -> bool:
    """Walk through the loop and say what happens; True only if every step held."""
    with tempfile.TemporaryDirectory(prefix="payontap-demo-") as folder:
        environ = {"PAYONTAP_DATA_DIR": str(Path(folder) / "data"), "PAYONTAP_WEB__PORT": "0"}
        try:
            async with running(load(None, environ)) as instance:
                await _loop(instance, say)
        except (StepFailed, NotSeen) as error:
            say(f"\n  ✗ {error}")
            return False
    say("\n  Every step held.")
    return True


async def _loop(instance: Instance, say: Say) -> None:
    url = instance.url
    async with browser() as anna_session, browser() as admin_session:
        if instance.admin_link is None or instance.sample_url is None:
            raise StepFailed("The instance has no admin link or no demo shop.")
        await claim_admin(admin_session, instance.admin_link)
        async with (
            visit(anna_session, url, "lobby") as anna,
            visit(admin_session, url, "lobby") as admin,
            visit(admin_session, url, DEMO_ROOM) as merchant,
        ):
            await _top_up(anna, admin, say)
            offer = await _share(anna, instance.sample_url, say)
            await _undo(anna, offer, say)
            order = await _buy(instance, anna, offer, merchant, say)
            await _double_tap(anna, offer, say)
            await _receipt(instance, anna, order, say)
            await _refund(merchant, anna, order, say)
            await _books(instance, order, say)


async def _top_up(anna: Visitor, admin: Visitor, say: Say) -> None:
    say("\n  Anna tops up")
    await anna.say(f"/topup {_TOP_UP}")
    asked = await anna.see(lambda seen: "Code" in seen.text and seen.private, "her top-up's code")
    _show(say, "bot → Anna", asked)
    till = await admin.see(lambda seen: seen.has_button("Confirm"), "the admin's card")
    await admin.press(till, "Confirm")
    _show(say, "bot → Anna", await anna.see_text("is in your wallet"))


async def _share(anna: Visitor, url: str, say: Say) -> Seen:
    say("\n  Anna shares a link in the middle of a sentence")
    await anna.say(f"看这个{url}。好看吗？")
    offer = await anna.see(lambda seen: seen.has_button("Pay"), "a card with a Pay button")
    _show(say, "bot → everybody", offer)
    return offer


async def _undo(anna: Visitor, offer: Seen, say: Say) -> None:
    say("\n  She taps Pay, and takes it back")
    await anna.press(offer, "Pay")
    paid = await anna.see(lambda seen: seen.has_button("Undo"), "Paid · Undo")
    _show(say, "bot → Anna", paid)
    await anna.press(paid, "Undo")
    _show(say, "bot → Anna", await anna.see_text("Undone"))


async def _buy(
    instance: Instance, anna: Visitor, offer: Seen, merchant: Visitor, say: Say
) -> Order:
    say("\n  She taps Pay again, and keeps it")
    await anna.press(offer, "Pay")
    await anna.see(lambda seen: seen.has_button("Undo"), "Paid · Undo")
    _show(say, "bot → everybody", await anna.see_text("1 bought"))
    arrived = await merchant.see(
        lambda seen: seen.has_button("Refund"), "the order", within_s=_SETTLE_WITHIN_S
    )
    _show(say, "bot → the shop's room", arrived)
    number = arrived.card.title.removeprefix("Order ")
    order = await instance.desk.reader.order_by_number(number)
    if order is None:
        raise StepFailed(f"There is no order {number} in the database.")
    return order


async def _double_tap(anna: Visitor, offer: Seen, say: Say) -> None:
    say("\n  She taps once more, by mistake")
    await anna.press(offer, "Pay")
    _show(say, "bot → Anna", await anna.see_text("You have this."))


async def _receipt(instance: Instance, anna: Visitor, order: Order, say: Say) -> None:
    say("\n  Her receipt and her balance")
    receipt = await anna.see(
        lambda seen: order.number in seen.text and seen.card.title.startswith("Paid"),
        "the receipt",
    )
    _show(say, "bot → Anna", receipt)
    await anna.say("/balance")
    left = Money(int(_TOP_UP) * 100 - order.amount_minor, instance.settings.currency)
    _show(say, "bot → Anna", await anna.see_text(left.format()))


async def _refund(merchant: Visitor, anna: Visitor, order: Order, say: Say) -> None:
    say("\n  The shop refunds the order")
    arrived = await merchant.see(lambda seen: seen.has_button("Refund"), "the order")
    await merchant.press(arrived, "Refund")
    _show(say, "bot → Anna", await anna.see_text(f"{order.price.format()} refunded"))


async def _books(instance: Instance, order: Order, say: Say) -> None:
    say(f"\n  The books of order {order.number}")
    lines = await instance.desk.reader.entries_of(f"order:{order.id}")
    for line in lines:
        amount = Money(line.amount_minor, order.currency).format()
        after = Money(line.balance_after_minor, order.currency).format()
        say(f"    {line.kind:<10} {line.account_id:<58} {amount:>10}  → {after}")
    if sum(line.amount_minor for line in lines) != 0:
        raise StepFailed("The entries of the order do not sum to zero.")
    sums = await instance.desk.reader.sums()
    if sum(balance.balance_minor for balance in sums) != 0:
        raise StepFailed("The balances of the books do not sum to zero.")
    say("    The entries sum to zero, and so do all balances.")


def _show(say: Say, who: str, seen: Seen) -> None:
    first, *rest = seen.text.splitlines()
    buttons = "  ".join(f"[ {button.label} ]" for button in seen.card.buttons)
    say(f"    {who}: {first}")
    for line in (*rest, *([buttons] if buttons else [])):
        say(f"      {line}")
