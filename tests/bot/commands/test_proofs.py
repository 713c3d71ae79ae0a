"""What people get to show to others is theirs alone, and holds outside the conversation."""

import re

import msgspec

from tests.bot.commands.chat import Chat, Said
from wallet_core.audit.liabilities import PersonalProof, checked_proof
from wallet_core.audit.receipts import opened_receipt
from wallet_core.commerce.records import Order

TEXT_LENGTH_MAX = 4096


async def bought(chat: Chat) -> Order:
    """Anna's order of Mei's tea, whose money is held."""
    shop = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 50000)
    offer = await chat.offer(shop)
    await chat.tap("anna", offer.actions[0])
    (order,) = await chat.desk.reader.recent_orders((await chat.meet("anna")).wallet_id, 5)
    return order


def signed_in(said: Said) -> str:
    (text,) = re.findall(r"eyJ\S+\.\S+\.\S+", said.text)
    return str(text)


async def test_a_paid_order_has_a_receipt_for_its_payer(chat: Chat) -> None:
    order = await bought(chat)
    await chat.settle()
    said = await chat.ask("anna", f"/receipt {order.number.lower()}")
    receipt, _ = opened_receipt(signed_in(said), chat.desk.evidence.key.public)
    assert (receipt.order, receipt.price.amount_minor) == (order.number, 19900)
    assert receipt.payee.name == "Tea House"
    assert receipt.payee.host == "tea.example"
    assert "Paid to Tea House (tea.example)" in said.text
    assert len(said.text) < TEXT_LENGTH_MAX


async def test_nobody_else_gets_it_or_learns_that_it_is_there(chat: Chat) -> None:
    order = await bought(chat)
    await chat.settle()
    for who, room in (("ben", "lobby"), ("mei", "kitchen")):
        said = await chat.ask(who, f"/receipt {order.number}", room=room)
        assert f"You have no order {order.number}" in said.text
    assert "You have no order 99999999" in (await chat.ask("anna", "/receipt 99999999")).text
    assert "Say which order" in (await chat.ask("anna", "/receipt")).text


async def test_what_was_not_paid_has_no_receipt(chat: Chat) -> None:
    order = await bought(chat)
    assert "is not paid yet" in (await chat.ask("anna", f"/receipt {order.number}")).text
    await chat.write("anna", "/undo")
    assert "there is no receipt" in (await chat.ask("anna", f"/receipt {order.number}")).text


async def test_a_refund_stands_in_the_receipt(chat: Chat) -> None:
    order = await bought(chat)
    await chat.settle()
    await chat.write("mei", f"/merchant refund {order.number}", room="kitchen")
    receipt, _ = opened_receipt(signed_in(await chat.ask("anna", f"/receipt {order.number}")))
    assert (receipt.captured_minor, receipt.refunded_minor) == (19900, 19900)
    assert [step.kind for step in receipt.transfers] == ["authorise", "capture", "post"]


async def test_without_a_proof_or_a_balance_it_says_so(chat: Chat) -> None:
    assert "has been published yet" in (await chat.ask("anna", "/proof")).text
    await chat.fund("anna", 500)
    await chat.desk.evidence.liabilities.publish(chat.desk.evidence.key)
    assert "so you are not in it" in (await chat.ask("ben", "/proof")).text


async def test_everybody_gets_the_paths_of_his_own_balances(chat: Chat) -> None:
    await bought(chat)
    await chat.settle()
    evidence = chat.desk.evidence
    public = await evidence.liabilities.publish(evidence.key)
    seen = {}
    for who, room in (("anna", "lobby"), ("mei", "kitchen")):
        said = await chat.ask(who, "/proof", room=room)
        (block,) = [line.text for line in said.card.lines if line.text.startswith("{")]
        proof = msgspec.json.decode(block, type=PersonalProof)
        checked_proof(proof, evidence.key.public, public)
        assert len(said.text) < TEXT_LENGTH_MAX
        seen[who] = (proof.owner.partition(":")[0], proof.amount_minor)
    assert seen == {"anna": ("person", 30100), "mei": ("merchant", 19900)}
