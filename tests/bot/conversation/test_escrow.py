"""Pages that nobody has claimed: from the card to the owner's money, or back."""

from collections.abc import AsyncIterator

import pytest

from bot.conversation.likes import offer_liked, set_like_terms, usual_terms
from bot.conversation.turn import Turn
from bot.events import Liked
from tests.bot.conversation.stall import Stall, stall_at
from wallet_core.money import Money


@pytest.fixture
async def stall(database_url: str) -> AsyncIterator[Stall]:
    async with stall_at(database_url, claim_within_s=3600.0) as stall:
        await stall.chat.fund("anna", 100_000)
        yield stall


async def test_where_it_is_off_an_unclaimed_page_is_a_preview(database_url: str) -> None:
    async with stall_at(database_url) as stall:
        card = await stall.share()
        assert card.actions == []
        assert "Preview only. Nobody has proven that this domain is theirs" in card.text


async def test_the_card_says_for_whom_the_money_is_held(stall: Stall) -> None:
    card = await stall.share()
    assert "Held for the owner. Nobody has claimed the domain yet" in card.text
    assert f"{stall.host} · not verified" in card.text
    said = await stall.chat.tap("anna", card.actions[0])
    (mine,) = [one for one in said if one.to == "anna"]
    assert mine.card.title == f"¥199.00 is held for the owner of {stall.host}"
    assert "If its owner does by" in mine.text
    assert [action.partition(":")[0] for action in mine.actions] == ["undo"]
    assert await stall.held() == 19_900
    undone = [one.card.title for one in await stall.chat.tap("anna", mine.actions[0])]
    assert "Undone. ¥199.00 is back in your wallet." in undone
    assert await stall.held() == 0


async def test_the_owner_proves_the_host_and_hears_what_was_waiting(stall: Stall) -> None:
    card = await stall.share()
    await stall.chat.tap("anna", card.actions[0])
    shop_id = await stall.chat.open_shop("mei")
    await stall.chat.ask("mei", f"/merchant host {stall.host}", room="kitchen")
    (claim,) = await stall.chat.desk.reader.host_claims(shop_id)
    stall.files["/.well-known/payontap.txt"] = claim.token
    answer = await stall.chat.ask("mei", "/merchant verify", room="kitchen")
    assert "¥199.00 was waiting for you (1 paid): it is yours now." in answer.text
    said = await stall.hand_over()
    told = [one for one in said if one.to == "anna" and not one.edit]
    assert [one.card.title for one in told] == [f"{stall.host} has an owner: Tea House"]
    assert [one.room for one in said if one.view == "order" and not one.edit] == ["kitchen"]
    await stall.chat.settle()
    balances = await stall.chat.desk.reader.balances(f"merchant:{shop_id}")
    assert [(b.purpose, b.balance_minor) for b in balances] == [("available", 19_900)]
    assert await stall.held() == 0


async def test_a_page_that_was_claimed_since_is_offered_as_its_owners(stall: Stall) -> None:
    card = await stall.share()
    await stall.prove()
    (answer,) = [one for one in await stall.chat.tap("anna", card.actions[0]) if one.to == "anna"]
    assert answer.card.title == "Not charged. This page has an owner by now."
    said = await stall.chat.tap("anna", answer.actions[0])
    assert any("Confirmed by hold" in one.text for one in said)
    assert await stall.held() == 0


async def test_a_price_of_an_unclaimed_page_is_read_again_too(stall: Stall) -> None:
    card = await stall.share()
    stall.price = "219.00"
    stall.later(301)
    (answer,) = [one for one in await stall.chat.tap("anna", card.actions[0]) if one.to == "anna"]
    assert answer.card.title == "Not charged. The price has changed."
    assert await stall.held() == 0


async def test_a_like_never_pays_somebody_who_is_not_here_yet(stall: Stall) -> None:
    card, desk = await stall.share(), stall.chat.desk
    anna = await stall.chat.meet("anna")
    await set_like_terms(desk, anna.id, usual_terms(desk, Money(100_000, "CNY")))
    liked = Liked(
        id="web:like", network="web", room_id="lobby", person_id="anna",
        message_ref=card.message_ref,
    )  # fmt: skip
    turn = Turn(liked, anna, round(stall.now_s[0] * 1_000_000))
    assert await offer_liked(desk, turn, liked) is None
    (offer,) = await stall.chat.deliver()
    assert (offer.to, offer.ref) == ("anna", card.ref)
    assert await stall.held() == 0
