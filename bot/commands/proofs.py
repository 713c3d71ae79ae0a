"""/receipt and /proof: what a person can show to others, and check without trusting the bot."""

import msgspec

from bot.cards import Card, Line, Role
from bot.commands.command import Command, prefix_of
from bot.conversation.turn import Desk, Turn, sentence
from wallet_core.audit.liabilities import PersonalProof, checked_proof, proof_words
from wallet_core.audit.receipts import signed_receipt
from wallet_core.commerce.numbers import as_typed
from wallet_core.commerce.records import Order, OrderState


async def receipt(desk: Desk, turn: Turn, args: str) -> None:
    """The signed receipt of one of the asker's paid orders."""
    number = as_typed(args)
    order = await desk.reader.order_by_number(number) if number else None
    if order is None or order.wallet_id != turn.person.wallet_id:
        said = f"You have no order {number[:20]}." if number else "Say which order."
        prefix = prefix_of(turn)
        text = f"{said} {prefix}history lists your orders; then write {prefix}receipt 4F7K9QX2."
        await desk.answer(turn, sentence(text))
        return
    if order.captured_minor == 0:
        await desk.answer(turn, sentence(_not_paid(order)))
        return
    evidence = desk.evidence
    facts = await evidence.receipts.facts(order)
    card = Card(
        title=f"Receipt of order {order.number}",
        lines=(
            Line(f"“{order.title}” · {order.price.format()}"),
            Line(f"Paid to {facts.merchant_name} ({facts.host})"),
            Line(signed_receipt(evidence.key, facts), Role.CODE),
            Line(
                "Whoever gets the long text can check it with payontap verify-receipt and my key "
                f"{evidence.key.public.text}. It does not name you.",
                Role.HINT,
            ),
        ),
    )
    await desk.answer(turn, card)


def _not_paid(order: Order) -> str:
    if order.state == OrderState.AUTHORISED:
        return (
            f"Order {order.number} is not paid yet: its money is held. There is a receipt once the "
            "seller has it."
        )
    return f"Order {order.number} was not paid, so there is no receipt. You have its money back."


async def proof(desk: Desk, turn: Turn, _args: str) -> None:
    """For each balance of the asker and his shops the way to the published root."""
    liabilities = desk.evidence.liabilities
    if await liabilities.latest() is None:
        text = "No proof of what this instance owes has been published yet. An admin can do that."
        await desk.answer(turn, sentence(text))
        return
    shops = await desk.reader.merchants_of(turn.person.id)
    owners = [f"person:{turn.person.id}", *(f"merchant:{shop.id}" for shop in shops)]
    found = await liabilities.proofs_of(owners)
    if not found:
        text = "You had no money here when the newest proof was made, so you are not in it."
        await desk.answer(turn, sentence(text))
        return
    await desk.answer(turn, *(_proof_card(each) for each in found))


def _proof_card(personal: PersonalProof) -> Card:
    statement, key = checked_proof(personal)
    words = proof_words(personal, statement, key)
    return Card(
        title=f"Your {statement.currency} in what this instance owes",
        lines=(
            *(Line(line) for line in words),
            Line(msgspec.json.encode(personal).decode(), Role.CODE),
            Line("Saved to a file, payontap verify-proof FILE checks the text above.", Role.HINT),
        ),
    )


COMMANDS = (
    Command("receipt", "receipt NUMBER", "A signed receipt of a paid order.", receipt),
    Command("proof", "proof", "Shows that your balance is in the published total.", proof),
)
