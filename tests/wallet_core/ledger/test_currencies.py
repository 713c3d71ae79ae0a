"""Every number of decimals works through the whole of the books, on both databases."""

import pytest

from tests.wallet_core.world import World
from wallet_core.errors import Refusal, Refused
from wallet_core.funding.points import issuing, taking_back
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    Leg,
    Post,
    Void,
    named,
)
from wallet_core.money import Money, define_currency

define_currency("KUDOS", 0, "kudos")
CURRENCIES = ["JPY", "CNY", "KWD", "CLF", "UYW", "SAT", "KUDOS"]
DECIMALS = {"JPY": 0, "CNY": 2, "KWD": 3, "CLF": 4, "UYW": 4, "SAT": 0, "KUDOS": 0}


@pytest.mark.parametrize("currency", CURRENCIES)
async def test_money_of_any_exponent_is_held_captured_and_given_back(
    world: World, currency: str
) -> None:
    exponent = DECIMALS[currency]
    coin = Money.parse("0." + "0" * (exponent - 1) + "1" if exponent else "1", currency)
    assert coin.amount_minor == 1
    payer = accounts.wallet("w_a", currency)
    payee = accounts.merchant("m_a", currency)
    start = Post(
        id=named("start"), legs=(Leg(accounts.clearing("cash", currency), -3), Leg(payer, 3))
    )
    await world.writer.commit(Commit(transfers=(start,)))
    for name in ("kept", "back"):
        hold = Authorise(
            id=named(name),
            payer=payer,
            payee=payee,
            amount_minor=coin.amount_minor,
            ending=EndingAction.EXPIRE,
            ends_after_s=60,
        )
        await world.writer.commit(Commit(transfers=(hold,)))
    capture = Capture(id=named("capture"), hold_id=named("kept"))
    void = Void(id=named("void"), hold_id=named("back"))
    await world.writer.commit(Commit(transfers=(capture, void)))
    balances = [await world.reader.balance_minor(a) for a in (payer, payer.held, payee)]
    assert balances == [2, 0, 1]


async def test_points_are_issued_and_taken_back_and_the_issuer_knows_how_many_there_are(
    world: World,
) -> None:
    anna = await world.person("anna")
    points = Money(100, "KUDOS")
    issuer = accounts.clearing("points", "KUDOS")
    given = Commit(transfers=(issuing("e1", anna.wallet_id, points),))
    assert (await world.writer.commit(given)).created
    assert not (await world.writer.commit(given)).created
    assert issuer.id == "provider:points/clearing/KUDOS"
    assert await world.reader.balance_minor(issuer) == -100
    taken = taking_back("e2", anna.wallet_id, Money(30, "KUDOS"))
    await world.writer.commit(Commit(transfers=(taken,)))
    assert await world.reader.balance_minor(issuer) == -70
    with pytest.raises(Refused) as refused:
        await world.writer.commit(Commit(transfers=(taking_back("e3", anna.wallet_id, points),)))
    assert refused.value.code is Refusal.NO_FUNDS


@pytest.mark.parametrize("currency", ["CNY", "SAT"])
def test_money_that_others_make_is_not_issued(currency: str) -> None:
    for moving in (issuing, taking_back):
        with pytest.raises(Refused) as refused:
            moving("e", "w_a", Money(1, currency))
        assert refused.value.code is Refusal.NOT_ALLOWED
