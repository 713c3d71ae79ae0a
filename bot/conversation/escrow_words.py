"""Words about money that is held for whoever proves a host that nobody has claimed."""

from datetime import UTC, datetime

from bot.cards import Button, Card, Line, Role, Tone
from wallet_core.commerce.news import HostClaimed, OrderChanged
from wallet_core.commerce.records import Order, OrderState
from wallet_core.ledger.commits import Hold
from wallet_core.ledger.posting import MICROSECONDS


def held_for_owner_card(order: Order, hold: Hold, host: str, undo: Button) -> Card:
    """What the payer sees while nobody has claimed the host."""
    price = order.price.format()
    until = datetime.fromtimestamp(hold.due_at_us // MICROSECONDS, UTC).strftime("%Y-%m-%d")
    return Card(
        title=f"{price} is held for the owner of {host}",
        lines=(
            Line(order.title),
            Line(
                f"Nobody has claimed {host} yet. If its owner does by {until}, the money is his; "
                "if nobody does, it comes back to you by itself."
            ),
            Line("You can undo as long as nobody has claimed it.", Role.HINT),
            Line(f"Order {order.number}", Role.HINT),
        ),
        buttons=(undo,),
        tone=Tone.WAITING,
    )


def claimed_card(news: HostClaimed) -> Card:
    """To the payer: the owner has come."""
    order = news.order
    return Card(
        title=f"{news.host} has an owner: {news.merchant.name}",
        lines=(
            Line(f"The {order.price.format()} that you paid for “{order.title}” goes to them now."),
            Line(f"They got your order {order.number} and can refund it.", Role.HINT),
        ),
        tone=Tone.GOOD,
    )


def unclaimed_card(news: OrderChanged) -> Card | None:
    """To the payer: nobody has come in time; None for other news."""
    order = news.order
    if not news.host or news.merchant is not None or order.state != OrderState.EXPIRED:
        return None
    return Card(
        title=f"{order.price.format()} is back in your wallet",
        lines=(
            Line(f"Nobody claimed {news.host} in time to get it for “{order.title}”."),
            Line(f"Order {order.number}", Role.HINT),
        ),
    )
