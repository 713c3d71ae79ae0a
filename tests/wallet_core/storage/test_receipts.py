"""A receipt tells what the books and the quote say, and no more than a stranger may know."""

import json
from hashlib import sha256

import msgspec
import pytest

from tests.wallet_core.world import CNY, PRICE_MINOR, SHOP, World
from wallet_core.audit.auditing import audit
from wallet_core.audit.receipts import (
    KIND,
    Receipt,
    ReceiptFacts,
    opened_receipt,
    quote_digest,
    receipt_of,
    receipt_words,
    signed_receipt,
)
from wallet_core.audit.signing import NotProven, SigningKey
from wallet_core.commerce.records import taken_text
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit, Update
from wallet_core.ledger.transfers import Capture, Leg, named
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.receipts import ReceiptReader

KEY = SigningKey.new()


async def facts_of(world: World, *, refund_minor: int = 0) -> ReceiptFacts:
    seller = await world.open_shop()
    await world.offer(stock=5)
    await world.quote()
    anna = await world.person("anna", 90_000)
    order = await world.paid(anna, "tap")
    if refund_minor:
        assert await world.refund(seller, "refund", order, refund_minor) == "done"
        order = await world.order(order.id)
    return await ReceiptReader(world.database).facts(order)


async def test_a_receipt_tells_price_payee_consent_and_transfers(world: World) -> None:
    facts = await facts_of(world, refund_minor=900)
    receipt, key = opened_receipt(signed_receipt(KEY, facts), KEY.public)
    order = facts.order
    assert key == KEY.public
    assert (receipt.price.amount_minor, receipt.price.currency) == (PRICE_MINOR, "CNY")
    assert receipt.price.exponent == 2
    assert msgspec.structs.astuple(receipt.payee) == ("Tea House", "shop.example", SHOP)
    assert receipt.order == order.number
    assert receipt.consent.quote == msgspec.to_builtins(await world.reader.quote("q_1"))
    assert receipt.consent.tap_blake2b == named("tap").hex
    assert [step.kind for step in receipt.transfers] == ["authorise", "capture", "post"]
    assert receipt.transfers[0].id == str(order.hold_id)
    assert receipt.transfers[1].id == str(named("capture", order.hold_id))
    assert (receipt.captured_minor, receipt.refunded_minor) == (PRICE_MINOR, 900)


async def test_a_receipt_names_neither_payer_nor_tap(world: World) -> None:
    facts = await facts_of(world)
    said = msgspec.json.encode(receipt_of(facts)).decode()
    for secret in (facts.order.wallet_id, "anna", "lobby", '"tap"'):
        assert secret not in said


async def test_words_say_what_it_proves_and_whose_key_is_not_known(world: World) -> None:
    receipt, key = opened_receipt(signed_receipt(KEY, await facts_of(world)))
    words = " ".join(receipt_words(receipt, key, key_is_known=False))
    for part in ("cannot prove", "CNY 199.00", "Tea House", "shop.example", "q_1", "who paid"):
        assert part in words
    words = " ".join(receipt_words(receipt, key, key_is_known=True))
    assert "the key that you named" in words


async def test_a_receipt_that_contradicts_itself_proves_nothing(world: World) -> None:
    receipt = receipt_of(await facts_of(world))
    dearer = msgspec.structs.replace(
        receipt, price=msgspec.structs.replace(receipt.price, amount_minor=1)
    )
    with pytest.raises(NotProven, match="The price is not the one"):
        opened_receipt(KEY.sign(KIND, dearer))
    quote = {**receipt.consent.quote, "seller": "Somebody else"}
    other = msgspec.structs.replace(receipt.consent, quote=quote)
    with pytest.raises(NotProven, match="not the one whose digest"):
        opened_receipt(KEY.sign(KIND, msgspec.structs.replace(receipt, consent=other)))


async def test_another_payee_or_other_decimals_than_all_know_prove_nothing(world: World) -> None:
    receipt = receipt_of(await facts_of(world))
    payee = msgspec.structs.replace(receipt.payee, merchant_id="m_other")
    with pytest.raises(NotProven, match="The payee is not the one"):
        opened_receipt(KEY.sign(KIND, msgspec.structs.replace(receipt, payee=payee)))
    for exponent in (0, 3, -1, 10**9):
        price = msgspec.structs.replace(receipt.price, exponent=exponent)
        with pytest.raises(NotProven, match=f"It states {exponent} decimals for 'CNY'"):
            opened_receipt(KEY.sign(KIND, msgspec.structs.replace(receipt, price=price)))


def with_quote(receipt: Receipt, quote: dict[str, object]) -> Receipt:
    consent = msgspec.structs.replace(
        receipt.consent, quote=quote, quote_sha256=quote_digest(quote)
    )
    return msgspec.structs.replace(receipt, consent=consent)


async def test_a_receipt_holds_whatever_fields_quotes_had_when_it_was_made(world: World) -> None:
    receipt = receipt_of(await facts_of(world))
    quote = receipt.consent.quote
    later = ("read_at_us", "title", "sku", "url")
    earlier = {name: said for name, said in quote.items() if name not in later}
    for other in (earlier, {**quote, "variant": {"size": '茶 "L"', "at": 1}}):
        text = KEY.sign(KIND, with_quote(receipt, other))
        found, _ = opened_receipt(text, KEY.public)
        assert found.consent.quote == other
        as_documented = json.dumps(other, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert found.consent.quote_sha256 == sha256(as_documented.encode()).hexdigest()
        assert "on the quote q_1" in " ".join(receipt_words(found, KEY.public, key_is_known=True))


async def test_a_quote_that_states_no_price_proves_nothing(world: World) -> None:
    receipt = receipt_of(await facts_of(world))
    for quote in ({}, {**receipt.consent.quote, "amount_minor": "1"}):
        with pytest.raises(NotProven, match="none that this program can read"):
            opened_receipt(KEY.sign(KIND, with_quote(receipt, quote)))


async def test_a_receipt_of_another_version_proves_nothing(world: World) -> None:
    receipt = receipt_of(await facts_of(world))
    with pytest.raises(NotProven, match="It is of version 2, which this program does not know"):
        opened_receipt(KEY.sign(KIND, msgspec.structs.replace(receipt, v=2)))


@pytest.mark.parametrize(
    ("captured_minor", "refunded_minor"), [(-5, 0), (5, -1), (5, 6), (PRICE_MINOR + 1, 0)]
)
async def test_a_receipt_of_sums_that_cannot_be_proves_nothing(
    world: World, captured_minor: int, refunded_minor: int
) -> None:
    receipt = msgspec.structs.replace(
        receipt_of(await facts_of(world)),
        captured_minor=captured_minor,
        refunded_minor=refunded_minor,
    )
    with pytest.raises(NotProven, match="which cannot be"):
        opened_receipt(KEY.sign(KIND, receipt))


async def test_a_communitys_points_are_told_by_a_stranger_who_never_heard_of_them(
    world: World,
) -> None:
    receipt = receipt_of(await facts_of(world))
    quote = {**receipt.consent.quote, "currency": "MOONS"}
    consent = msgspec.structs.replace(
        receipt.consent, quote=quote, quote_sha256=quote_digest(quote)
    )
    price = msgspec.structs.replace(receipt.price, currency="MOONS", exponent=1)
    in_points = msgspec.structs.replace(receipt, price=price, consent=consent)
    words = " ".join(receipt_words(*opened_receipt(KEY.sign(KIND, in_points)), key_is_known=False))
    assert "for MOONS 1,990.0, paid to" in words
    assert "MOONS 1,990.0 was paid for it" in words
    endless = msgspec.structs.replace(
        in_points, price=msgspec.structs.replace(price, exponent=10**9)
    )
    with pytest.raises(NotProven, match="It states 1000000000 decimals for 'MOONS'"):
        opened_receipt(KEY.sign(KIND, endless))


async def test_whoever_signed_it_a_receipt_cannot_write_over_what_is_said_of_it(
    world: World,
) -> None:
    receipt = receipt_of(await facts_of(world))
    title = "Tea\x1b[2J\x1b[HThe signature is good\nand it was made with the key that you named"
    forged = KEY.sign(KIND, msgspec.structs.replace(receipt, title=title))
    for line in receipt_words(*opened_receipt(forged), key_is_known=False):
        assert line.isprintable()


async def test_a_receipt_of_what_was_captured_in_parts_tells_each_of_them(world: World) -> None:
    await world.open_shop()
    await world.offer(stock=5)
    await world.quote()
    order = await world.bought(await world.person("anna", 90_000), "tap")
    for part, taken_minor, last in ((12_000, 100, False), (3_000, 200, True)):
        fee = Leg(accounts.fees(CNY), 100)
        await world.writer.commit(
            Commit(
                key=f"part {part}",
                transfers=(
                    Capture(
                        id=named(part),
                        hold_id=order.hold_id,
                        amount_minor=part,
                        shares=(fee,),
                        last=last,
                        subject=f"order:{order.id}",
                    ),
                ),
                rows=(
                    Update(
                        table="orders",
                        where={"id": order.id},
                        values={
                            "state": "paid" if last else "authorised",
                            "taken": taken_text({fee.account.id: (taken_minor, 0)}),
                        },
                        add={"captured_minor": part},
                    ),
                ),
            )
        )
    facts = await ReceiptReader(world.database).facts(await world.order(order.id))
    receipt, key = opened_receipt(signed_receipt(KEY, facts), KEY.public)
    assert [step.kind for step in receipt.transfers] == ["authorise", "capture", "capture"]
    assert (receipt.price.amount_minor, receipt.captured_minor) == (PRICE_MINOR, 15_000)
    words = " ".join(receipt_words(receipt, key, key_is_known=True))
    assert "CNY 150.00 was paid for it, whatever shares of that were for others" in words
    async with books_of(world.database) as books:
        assert (await audit(books)).order_count == 1
