"""The published total is what is owed, and each one's path shows that his balance is in it."""

from collections.abc import Callable

import msgspec
import pytest

from tests.wallet_core.busy_books import PARTS, convert, earn, sell_in_parts, trade
from tests.wallet_core.world import SHOP, World
from wallet_core.audit.auditing import audit
from wallet_core.audit.liabilities import (
    PersonalProof,
    RootFile,
    checked_proof,
    proof_words,
)
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import NotProven, SigningKey
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage import audit_tables as at
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.liabilities import KEPT_PROOFS, Liabilities, root_file_text

KEY = SigningKey.new()


async def published(world: World) -> tuple[Liabilities, RootFile]:
    liabilities = Liabilities(world.database)
    return liabilities, await liabilities.publish(KEY)


async def test_the_total_is_what_the_till_holds_and_each_path_leads_to_it(world: World) -> None:
    await trade(world)
    liabilities, public = await published(world)
    (statement,) = public.statements
    till = await world.reader.balance_minor(accounts.clearing("cash", "CNY"))
    assert statement.total_minor == -till
    anna, ben = await world.person("anna"), await world.person("ben")
    owners = [f"person:{anna.person_id}", f"person:{ben.person_id}", f"merchant:{SHOP}"]
    proofs = await liabilities.proofs_of(owners)
    assert statement.leaf_count == len(proofs) == 3
    for proof in proofs:
        assert checked_proof(proof, KEY.public, public) == (statement, KEY.public)
    amounts = {proof.owner: proof.amount_minor for proof in proofs}
    assert amounts[owners[0]] == sum(await world.balance(anna))
    assert amounts[owners[1]] == sum(await world.balance(ben))
    assert amounts[owners[2]] == await world.earned()
    assert sum(amounts.values()) == statement.total_minor


async def test_a_path_is_of_the_moment_and_not_of_what_came_after(world: World) -> None:
    anna = await world.person("anna", 500)
    liabilities, public = await published(world)
    await world.top_up(anna.wallet_id, 1, "one more")
    owner = f"person:{anna.person_id}"
    (before,) = await liabilities.proofs_of([owner])
    assert before.amount_minor == 500
    later = await liabilities.publish(KEY)
    (after,) = await liabilities.proofs_of([owner])
    assert after.amount_minor == 501
    checked_proof(after, KEY.public, later)
    with pytest.raises(NotProven, match="another root"):
        checked_proof(after, KEY.public, public)


Change = Callable[[PersonalProof], dict[str, object]]
CHANGES: dict[str, Change] = {
    "one unit more": lambda proof: {"amount_minor": proof.amount_minor + 1},
    "one unit less": lambda proof: {"amount_minor": proof.amount_minor - 1},
    "less than nothing": lambda _: {"amount_minor": -1},
    "another owner": lambda _: {"owner": "person:p_x"},
    "another salt": lambda _: {"salt": "00" * 32},
    "a salt that is none": lambda _: {"salt": "zz"},
    "another place": lambda proof: {"position": proof.position ^ 1},
    "no place": lambda _: {"position": -1},
    "a neighbour with one unit more": lambda proof: {
        "path": ((proof.path[0][0], proof.path[0][1] + 1), *proof.path[1:])
    },
    "a neighbour less": lambda proof: {"path": proof.path[1:]},
}


async def test_a_proof_that_was_changed_in_any_way_proves_nothing(world: World) -> None:
    for name in ("anna", "ben", "carl"):
        await world.person(name, 700)
    liabilities, _ = await published(world)
    anna = await world.person("anna")
    (proof,) = await liabilities.proofs_of([f"person:{anna.person_id}"])
    assert "CNY 7.00" in proof_words(proof, *checked_proof(proof))[0]
    for name, change in CHANGES.items():
        with pytest.raises(NotProven):
            checked_proof(msgspec.structs.replace(proof, **change(proof)))
        assert name
    with pytest.raises(NotProven, match="not with the key"):
        checked_proof(proof, SigningKey.new().public)


async def test_a_public_file_that_gives_other_numbers_to_read_than_are_signed_is_refused(
    world: World,
) -> None:
    anna = await world.person("anna", 700)
    liabilities, public = await published(world)
    (proof,) = await liabilities.proofs_of([f"person:{anna.person_id}"])
    checked_proof(proof, KEY.public, public)
    more = msgspec.structs.replace(public.statements[0], total_minor=9_999)
    for change in ({"statements": (more,)}, {"public_key": SigningKey.new().public.text}):
        with pytest.raises(NotProven, match="not what is signed in it"):
            checked_proof(proof, KEY.public, msgspec.structs.replace(public, **change))


async def test_escrow_has_its_own_leaf_and_a_debt_counts_as_zero(world: World) -> None:
    # A wallet below its floor cannot be made through the front door.
    await world.person("anna", 300)
    escrow = accounts.AccountRef("escrow:shop.example", accounts.Purpose.AVAILABLE, "CNY")
    debtor = accounts.AccountRef("escrow:debtor.example", accounts.Purpose.CLEARING, "CNY")
    legs = (Leg(escrow, 250), Leg(debtor, -250))
    await world.writer.commit(Commit(key="odd", transfers=(Post(id=named("odd"), legs=legs),)))
    liabilities, public = await published(world)
    assert public.statements[0].total_minor == 550
    proofs = await liabilities.proofs_of(["escrow:shop.example", "escrow:debtor.example"])
    assert [proof.amount_minor for proof in proofs] == [0, 250]
    for proof in proofs:
        checked_proof(proof, KEY.public, public)


async def test_each_currency_has_a_tree_of_its_own(world: World) -> None:
    anna = await world.person("anna", 300)
    legs = (
        Leg(accounts.clearing("cash", "JPY"), -5),
        Leg(accounts.wallet(anna.wallet_id, "JPY"), 5),
    )
    await world.writer.commit(Commit(key="yen", transfers=(Post(id=named("yen"), legs=legs),)))
    liabilities, public = await published(world)
    assert [(s.currency, s.total_minor) for s in public.statements] == [("CNY", 300), ("JPY", 5)]
    assert len(await liabilities.proofs_of([f"person:{anna.person_id}"])) == 2
    assert msgspec.json.decode(root_file_text(public), type=RootFile) == public


async def test_without_debts_there_is_nothing_to_prove(world: World) -> None:
    liabilities, public = await published(world)
    assert public.statements == ()
    assert await liabilities.proofs_of(["person:p_x"]) == []


async def test_old_paths_go_and_old_statements_stay(world: World) -> None:
    await world.person("anna", 300)
    liabilities = Liabilities(world.database)
    names = [(await liabilities.publish(KEY)).proof for _ in range(KEPT_PROOFS + 2)]
    assert await world.count(at.liability_statements) == len(names)
    assert await world.count(at.liability_leaves) == KEPT_PROOFS
    assert await liabilities.latest() == max(names)


async def test_after_a_clock_went_back_the_newest_proof_is_the_last_one_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_us = [2_000_000_000_000_000]

    async def now_us(_connection: object) -> int:
        return clock_us[0]

    monkeypatch.setattr(world.database, "now_us", now_us)
    anna = await world.person("anna", 300)
    owner = f"person:{anna.person_id}"
    liabilities = Liabilities(world.database)
    for _ in range(KEPT_PROOFS):
        await liabilities.publish(KEY)
    clock_us[0] = 1_900_000_000_000_000
    for amount_minor in (301, 302):
        await world.top_up(anna.wallet_id, 1, f"to {amount_minor}")
        public = await liabilities.publish(KEY)
        assert await liabilities.latest() == public.proof
        assert public.at == instant(clock_us[0])
        (proof,) = await liabilities.proofs_of([owner])
        assert proof.amount_minor == amount_minor
        checked_proof(proof, KEY.public, public)
    async with books_of(world.database) as books:
        await audit(books)


async def test_pending_money_escrow_and_each_currency_are_owed_but_not_what_is_the_houses(
    world: World,
) -> None:
    await trade(world)
    await sell_in_parts(world)
    await convert(world)
    await earn(world)
    liabilities, public = await published(world)
    totals = {each.currency: each.total_minor for each in public.statements}
    own = {}
    for code in ("CNY", "USD"):
        house = (
            accounts.clearing("cash", code),
            accounts.exchange("ecb", code),
            accounts.fees(code),
            accounts.tax(code),
            accounts.promotions(code),
        )
        own[code] = sum([await world.reader.balance_minor(account) for account in house])
    assert totals == {code: -minor for code, minor in own.items()}
    (shop,) = await liabilities.proofs_of([f"merchant:{PARTS}"])
    pending_minor = await world.reader.balance_minor(accounts.pending(PARTS, "CNY"))
    assert pending_minor > 0
    assert shop.amount_minor == await world.earned(PARTS) + pending_minor
    (kept,) = await liabilities.proofs_of(["escrow:shop.example"])
    assert kept.amount_minor == 400
    checked_proof(kept, KEY.public, public)
