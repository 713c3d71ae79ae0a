"""One person on many networks: codes, confirmations on both sides, wallets, parting."""

import asyncio

import pytest
import sqlalchemy as sa

from bot.events import Tap
from tests.audit import audit
from tests.bot.commands.chat import WEB, Chat, Said
from wallet_core.commerce.linking import CODE_VALID_S
from wallet_core.commerce.records import OrderState
from wallet_core.storage import tables as t
from wallet_core.storage.linking import link_requests

ANNA = "@anna:example.org"
KITCHEN = "!kitchen"


async def code_for(chat: Chat, who: str = "anna") -> str:
    said = await chat.ask(who, "/link")
    return said.card.title.removeprefix("Your code: ")


async def asked(chat: Chat, code: str, who: str = ANNA) -> dict[str | None, Said]:
    """Enter a code on Matrix; who is asked what."""
    said = await chat.write(who, f"!link {code}", room=KITCHEN, network="matrix")
    return {one.to: one for one in said}


async def answer(chat: Chat, who: str, said: Said, n: int = 0) -> list[Said]:
    network = "matrix" if who.startswith("@") else WEB
    return await chat.tap(who, said.actions[n], room=said.room, network=network)


async def linked(chat: Chat, who: str = "anna", other: str = ANNA) -> None:
    questions = await asked(chat, await code_for(chat, who), other)
    await answer(chat, who, questions[who])
    await answer(chat, other, questions[other])


async def person_id(chat: Chat, who: str) -> str:
    network = "matrix" if who.startswith("@") else WEB
    return (await chat.meet(who, room=KITCHEN, network=network)).id


async def wallet_id(chat: Chat, who: str) -> str:
    network = "matrix" if who.startswith("@") else WEB
    return (await chat.meet(who, room=KITCHEN, network=network)).wallet_id


async def ids_of_both(chat: Chat) -> list[tuple[str, str]]:
    """Person and wallet behind each of the two identities."""
    return [(await person_id(chat, who), await wallet_id(chat, who)) for who in ("anna", ANNA)]


async def test_a_code_confirmed_on_both_sides_makes_one_person_and_moves_no_money(
    chat: Chat,
) -> None:
    await chat.fund("anna", 100_00)
    wallets = [await wallet_id(chat, who) for who in ("anna", ANNA)]
    questions = await asked(chat, await code_for(chat))
    assert set(questions) == {"anna", ANNA}
    assert f"Link this account with matrix {ANNA}?" in questions["anna"].text
    assert "Link this account with web anna?" in questions[ANNA].text
    [first] = await answer(chat, ANNA, questions[ANNA])
    assert "Nothing is linked until you confirm on your other network" in first.text
    assert await person_id(chat, "anna") != await person_id(chat, ANNA)
    both = await answer(chat, "anna", questions["anna"])
    assert {one.to for one in both} == {"anna", ANNA}
    assert all("one person now. No money moved" in one.text for one in both)
    assert await person_id(chat, "anna") == await person_id(chat, ANNA)
    assert await wallet_id(chat, ANNA) == wallets[0]
    assert await chat.balance("anna") == 100_00
    shown = await chat.ask("anna", "/wallets")
    assert sorted(line.text for line in shown.card.lines[:2]) == ["1: ¥100.00 · pays", "2: ¥0.00"]
    await audit(chat.database)


async def test_a_code_is_good_once_for_five_minutes_and_never_for_its_owner(chat: Chat) -> None:
    code = await code_for(chat)
    own = await chat.ask("anna", f"/link {code}")
    assert "your own code" in own.text
    questions = await asked(chat, code.replace("-", "").lower())
    assert len(questions) == 2
    again = await asked(chat, code, "@eve:example.org")
    assert "was used or is too old" in again["@eve:example.org"].text
    late = await code_for(chat)
    async with chat.database.write() as connection:
        await connection.execute(
            sa.update(link_requests).values(
                expires_at_us=link_requests.c.expires_at_us - CODE_VALID_S * 1_000_000
            )
        )
    assert "was used or is too old" in (await asked(chat, late))[ANNA].text
    [too_late] = await answer(chat, "anna", questions["anna"])
    assert "was used or is too old" in too_late.text
    assert "no such code" in (await asked(chat, "0000-0000"))[ANNA].text
    assert await person_id(chat, "anna") != await person_id(chat, ANNA)


async def test_only_the_two_who_are_asked_can_answer_and_one_no_ends_it(chat: Chat) -> None:
    questions = await asked(chat, await code_for(chat))
    [stranger] = await answer(chat, "eve", questions["anna"])
    assert "not yours to answer" in stranger.text
    both = await answer(chat, "anna", questions["anna"], 1)
    assert [one.text[:10] for one in both] == ["Not linked"] * 2
    [late] = await answer(chat, ANNA, questions[ANNA])
    assert "Nothing was linked" in late.text
    assert await person_id(chat, "anna") != await person_id(chat, ANNA)


async def test_confirming_twice_on_one_side_is_not_both_sides(chat: Chat) -> None:
    questions = await asked(chat, await code_for(chat))
    for _ in range(2):
        await answer(chat, "anna", questions["anna"])
    assert await person_id(chat, "anna") != await person_id(chat, ANNA)


async def test_a_tap_pays_from_the_chosen_wallet_and_its_undo_goes_back_there(chat: Chat) -> None:
    shop = await chat.open_shop("merchant")
    await chat.write("merchant", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 300_00)
    await linked(chat)
    own, others = await wallet_id(chat, "anna"), None
    holdings = await chat.desk.links.holdings(await person_id(chat, "anna"))
    [others] = [w.ref for w in holdings.of_kind("wallet") if w.ref != own]
    number = 1 + [w.ref for w in holdings.of_kind("wallet")].index(others)
    moved = await chat.ask("anna", f"/wallet move 250 {number}")
    assert moved.text == f"Transferred ¥250.00 to your wallet {number}."
    history = await chat.ask("anna", "/history")
    assert "−¥250.00 Transfer" in history.text
    chosen = await chat.ask("anna", f"/wallet use {number}")
    assert "No money moved" in chosen.text
    assert await wallet_id(chat, ANNA) == others
    offer = await chat.offer(shop)
    await chat.tap("anna", offer.actions[0])
    assert await chat.balance("anna") == 250_00 - 199_00
    await chat.ask("anna", f"/wallet use {3 - number}")
    [order] = await chat.desk.reader.recent_orders(others, 10)
    await chat.tap(ANNA, f"undo:{order.id}", network="matrix", room=KITCHEN)
    undone = await chat.desk.reader.order(order.id)
    assert undone is not None
    assert undone.state == OrderState.UNDONE
    assert await chat.balance("anna") == 50_00
    await audit(chat.database)


async def test_what_was_paid_on_one_network_is_not_paid_again_on_another(chat: Chat) -> None:
    shop = await chat.open_shop("merchant")
    await chat.write("merchant", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 600_00)
    await linked(chat)
    await chat.ask("anna", "/wallet move 300 2")
    offer = await chat.offer(shop)
    await chat.tap("anna", offer.actions[0])
    await chat.ask("anna", "/wallet use 2")
    said = await chat.tap(ANNA, offer.actions[0], network="matrix", room=KITCHEN)
    [again] = [one for one in said if one.to == ANNA]
    assert "Not charged again." in again.text
    assert await chat.balance("anna") == 300_00
    # “Undo” finds what the other wallet paid, and its money goes back there.
    await chat.write(ANNA, "!undo", network="matrix", room=KITCHEN)
    await chat.tap(ANNA, offer.actions[0], network="matrix", room=KITCHEN)
    assert await chat.balance("anna") == 300_00 - 199_00
    await chat.ask("anna", "/wallet use 1")
    assert await chat.balance("anna") == 300_00
    # The button on the card that everybody sees does the same.
    await chat.tap("anna", f"undomine:{offer.ref}")
    await chat.ask("anna", "/wallet use 2")
    assert await chat.balance("anna") == 300_00
    await audit(chat.database)


@pytest.mark.parametrize("leaver", ["anna", ANNA])
async def test_parting_gives_each_what_they_brought_and_moves_no_money(
    chat: Chat, leaver: str
) -> None:
    shop = await chat.open_shop(ANNA if leaver == "anna" else "anna", "Own Shop")
    before = {
        who: (await person_id(chat, who), await wallet_id(chat, who)) for who in ("anna", ANNA)
    }
    await chat.fund("anna", 100_00)
    await linked(chat)
    network = "matrix" if leaver.startswith("@") else WEB
    prefix = "!" if network == "matrix" else "/"
    await chat.write(leaver, f"{prefix}wallet use 2", network=network, room=KITCHEN)
    said = await chat.write(leaver, f"{prefix}unlink", network=network, room=KITCHEN)
    assert any("a person of its own again" in one.text for one in said)
    after = {
        who: (await person_id(chat, who), await wallet_id(chat, who)) for who in ("anna", ANNA)
    }
    assert after == before
    assert await chat.balance("anna") == 100_00
    assert shop
    again = await chat.write(leaver, f"{prefix}unlink", network=network, room=KITCHEN)
    assert any("not linked" in one.text for one in again)


async def test_limits_count_for_all_who_were_ever_linked_also_after_they_parted(
    chat: Chat,
) -> None:
    ours = [await wallet_id(chat, who) for who in ("anna", ANNA)]
    strange = await wallet_id(chat, "eve")

    async def counted(wallet: str) -> list[str]:
        own = sa.select(t.wallets.c.limit_group).where(t.wallets.c.id == wallet)
        query = sa.select(t.wallets.c.id).where(
            sa.or_(t.wallets.c.id == wallet, t.wallets.c.limit_group == own.scalar_subquery())
        )
        async with chat.database.read() as connection:
            found = await connection.execute(query.order_by(t.wallets.c.id))
            return list(found.scalars())

    assert await counted(ours[0]) == [ours[0]]
    await linked(chat)
    assert await counted(ours[1]) == sorted(ours)
    await chat.write("anna", "/unlink")
    assert await counted(ours[0]) == await counted(ours[1]) == sorted(ours)
    await linked(chat, "eve", ANNA)
    await chat.write("eve", "/unlink")
    assert await counted(ours[0]) == sorted([*ours, strange])


async def test_a_shop_goes_with_the_one_who_brought_it(chat: Chat) -> None:
    shop = await chat.open_shop("ben")
    anna, ben = await person_id(chat, "anna"), await person_id(chat, "ben")
    questions = {one.to: one for one in await chat.write("ben", f"/link {await code_for(chat)}")}
    for who in ("anna", "ben"):
        await answer(chat, who, questions[who])
    assert await chat.desk.reader.is_member(shop, anna)
    await chat.write("ben", "/unlink")
    assert await chat.desk.reader.is_member(shop, ben)
    assert not await chat.desk.reader.is_member(shop, anna)


async def test_an_admin_stays_admin_whichever_side_asked(chat: Chat) -> None:
    await chat.make_admin("ben")
    questions = {one.to: one for one in await chat.write("ben", f"/link {await code_for(chat)}")}
    for who in ("anna", "ben"):
        await answer(chat, who, questions[who])
    assert (await chat.meet("ben")).admin
    await chat.write("anna", "/unlink")
    assert (await chat.meet("ben")).admin
    assert not (await chat.meet("anna")).admin


async def test_both_sides_at_the_same_moment_are_joined_once(chat: Chat) -> None:
    questions = await asked(chat, await code_for(chat))
    taps = [
        Tap(
            id=f"{network}:race:{who}",
            network=network,
            room_id=questions[who].room,
            person_id=who,
            message_ref="any",
            action=questions[who].actions[0],
        )
        for who, network in (("anna", WEB), (ANNA, "matrix"))
    ]
    await asyncio.gather(*(chat.dispatch.answer(tap) for tap in taps))
    said = await chat.deliver()
    assert await person_id(chat, "anna") == await person_id(chat, ANNA)
    assert sum("one person now" in one.text for one in said) == 2
