import pytest

from bot.demo.shop import DemoShop
from tests.bot.commands.chat import LOBBY, Chat
from wallet_core.commerce.records import HostClaim, Merchant, Order
from wallet_core.ledger.commits import Commit, Update, Value

KITCHEN = "kitchen"


async def _shop(chat: Chat, who: str = "mei") -> Merchant:
    shops = await chat.desk.reader.merchants_of((await chat.meet(who, room=KITCHEN)).id)
    return shops[0]


async def _claim(chat: Chat, who: str = "mei") -> HostClaim:
    (claim,) = await chat.desk.reader.host_claims((await _shop(chat, who)).id)
    return claim


async def _sold(chat: Chat, shop_id: str, *, settled: bool = True) -> Order:
    await chat.fund("anna", 50000)
    await chat.tap("anna", (await chat.offer(shop_id)).actions[0])
    if settled:
        await chat.settle()
    wallet_id = (await chat.meet("anna")).wallet_id
    return (await chat.desk.reader.recent_orders(wallet_id, 1))[0]


def _host(shop: DemoShop) -> str:
    return shop.url.removeprefix("http://")


# --- opening ---------------------------------------------------------------------------------


async def test_a_shop_is_opened_in_the_room_that_gets_its_orders(chat: Chat) -> None:
    answer = await chat.ask("mei", "/merchant open  Tea   House 茶馆", room=KITCHEN)
    assert answer.card.title == "Tea House 茶馆 is open"
    shop = await _shop(chat)
    assert (shop.name, shop.network, shop.room_id) == ("Tea House 茶馆", "web", KITCHEN)
    assert shop.standing_acceptance is False


async def test_opening_delivered_three_times_opens_one_shop(chat: Chat) -> None:
    for _ in range(3):
        await chat.write("mei", "/merchant open Tea House", event_id="web:same")
    assert len(await chat.desk.reader.merchants_of((await chat.meet("mei")).id)) == 1


async def test_a_name_that_cards_must_not_show_opens_nothing(chat: Chat) -> None:
    for name in ("", "   ", "x" * 61, "Tea ✓ apple.com", "\u202e\u200b", "···"):
        answer = await chat.ask("mei", f"/merchant open {name}")
        assert answer.text.endswith("Nothing was opened.")
    assert not await chat.desk.reader.merchants_of((await chat.meet("mei")).id)


@pytest.mark.parametrize(
    "name", ["amazon.com", "The real shop.com", "https://shop.com", "shop．com", "sh\u00adop.com"]
)
async def test_a_name_that_passes_for_a_proven_host_opens_nothing(chat: Chat, name: str) -> None:
    answer = await chat.ask("mei", f"/merchant open {name}")
    assert "no web address" in answer.text
    assert answer.text.endswith("Nothing was opened.")
    assert not await chat.desk.reader.merchants_of((await chat.meet("mei")).id)


async def test_without_a_shop_it_is_told_how_to_open_one(chat: Chat) -> None:
    lines = ("", "host tea.example", "verify", "accept on", "orders", "refund X", "withdraw 5")
    for line in lines:
        assert "/merchant open NAME" in (await chat.ask("mei", f"/merchant {line}")).text


async def test_an_unknown_subcommand_is_named(chat: Chat) -> None:
    assert "no /merchant fly" in (await chat.ask("mei", "/merchant fly")).text


async def test_a_person_with_two_shops_acts_on_the_one_whose_room_it_is(chat: Chat) -> None:
    await chat.open_shop("mei", "Tea House", room=KITCHEN)
    await chat.open_shop("mei", "Bookshop", room="attic")
    assert (await chat.ask("mei", "/merchant", room="attic")).card.title == "Bookshop"
    first = await chat.ask("mei", "/merchant", room=LOBBY)
    assert first.card.title == "Tea House"
    assert "Bookshop" in first.text
    assert f"Orders go to the room {KITCHEN}." in first.text


async def test_the_status_shows_balance_hosts_and_what_to_do(chat: Chat) -> None:
    shop_id = await chat.open_shop("mei")
    fresh = (await chat.ask("mei", "/merchant", room=KITCHEN)).text
    assert "¥0.00" in fresh
    assert "No host yet" in fresh
    assert "Orders come to this room." in fresh
    await chat.ask("mei", "/merchant host tea.example", room=KITCHEN)
    await chat.earn(shop_id, 70000)
    await chat.write("mei", "/merchant withdraw 100", room=KITCHEN)
    text = (await chat.ask("mei", "/merchant", room=KITCHEN)).text
    claim = await _claim(chat)
    assert "¥600.00" in text
    assert "¥100.00 more is held for withdrawals." in text
    assert "tea.example: not proven yet" in text
    assert claim.token in text
    assert "/merchant verify tea.example" in text
    assert "Standing acceptance is off" in text


# --- hosts -----------------------------------------------------------------------------------


async def test_a_claim_tells_the_three_ways_with_the_exact_token(chat: Chat) -> None:
    await chat.open_shop("mei")
    text = (await chat.ask("mei", "/merchant host Tea.Example", room=KITCHEN)).text
    token = (await _claim(chat)).token
    assert f"{token} on a line of https://tea.example/.well-known/payontap.txt" in text
    assert f'<meta name="payontap" content="{token}">' in text
    assert f"TXT record payontap={token} at _payontap.tea.example" in text
    assert "/merchant verify tea.example" in text


async def test_an_address_without_a_name_has_no_dns(chat: Chat) -> None:
    await chat.open_shop("mei", room=KITCHEN)
    here = await chat.ask("mei", "/merchant host 127.0.0.1:8001", room=KITCHEN)
    assert "http://127.0.0.1:8001/.well-known/payontap.txt" in here.text
    assert "DNS" not in here.text
    there = await chat.ask("mei", "/merchant host 8.8.8.8", room=KITCHEN)
    assert "https://8.8.8.8/.well-known/payontap.txt" in there.text
    assert "DNS" not in there.text


async def test_hosts_are_proven_one_by_one(chat: Chat) -> None:
    await chat.open_shop("mei", room=KITCHEN)
    answer = await chat.ask("mei", "/merchant host *.tea.example", room=KITCHEN)
    assert answer.text == "Each host is proven alone. Name one of them, without *."
    assert "No host yet" in (await chat.ask("mei", "/merchant hosts", room=KITCHEN)).text


async def test_who_claims_a_host_that_is_doubted_is_told_at_once(chat: Chat) -> None:
    await chat.open_shop("mei", room=KITCHEN)
    answer = await chat.ask("mei", "/merchant host tea.com.other.example", room=KITCHEN)
    assert (
        "The address begins like tea.com but belongs to other.example. "
        "Its cards will have no button, proven or not."
    ) in answer.text


async def test_a_host_claimed_again_keeps_its_token(chat: Chat) -> None:
    await chat.open_shop("mei")
    await chat.ask("mei", "/merchant host tea.example", room=KITCHEN)
    token = (await _claim(chat)).token
    again = await chat.ask("mei", "/merchant host https://TEA.example:443/p/1?x=y", room=KITCHEN)
    assert token in again.text
    assert (await _claim(chat)).token == token


async def test_what_names_no_host_is_told_an_example(chat: Chat) -> None:
    await chat.open_shop("mei")
    for typed in ("", "tea", "mailto:mei@tea.example", "tea .example", "ftp://a.b"):
        answer = await chat.ask("mei", f"/merchant host {typed}", room=KITCHEN)
        assert "/merchant host shop.example" in answer.text
    assert not await chat.desk.reader.host_claims((await _shop(chat)).id)


async def test_a_host_that_shows_the_token_is_proven(chat: Chat, demo_shop: DemoShop) -> None:
    shop_id = await chat.open_shop("mei")
    await chat.ask("mei", f"/merchant host {demo_shop.url}/p/qinghua-teacup", room=KITCHEN)
    demo_shop.prove((await _claim(chat)).token)
    answer = await chat.ask("mei", "/merchant verify", room=KITCHEN)
    assert answer.card.title == f"✓ {_host(demo_shop)} is Tea House's"
    owner = await chat.desk.reader.merchant_of_host(_host(demo_shop))
    assert owner is not None
    assert owner.id == shop_id
    claim = await _claim(chat)
    assert (claim.verified_host, claim.method) == (_host(demo_shop), "well-known")
    status = await chat.ask("mei", "/merchant", room=KITCHEN)
    assert f"✓ {_host(demo_shop)} (proven by file, last seen within the hour)" in status.text
    for line in ("verify", "host"):
        again = await chat.ask("mei", f"/merchant {line} {_host(demo_shop)}", room=KITCHEN)
        assert _host(demo_shop) in again.text
        assert (await _claim(chat)).verified_host is not None


async def test_a_missing_proof_shows_with_what_to_do_and_is_looked_for_at_once_when_asked(
    chat: Chat, demo_shop: DemoShop
) -> None:
    shop_id = await chat.open_shop("mei")
    await chat.ask("mei", f"/merchant host {demo_shop.url}", room=KITCHEN)
    claim = await _claim(chat)
    demo_shop.prove(claim.token)
    await chat.ask("mei", "/merchant verify", room=KITCHEN)
    pk = {"merchant_id": shop_id, "host": claim.host}
    for stage, verified, words in (
        ("failing", claim.host, "proven by file, but the proof is missing"),
        ("lost", None, "no longer proven"),
    ):
        values: dict[str, Value] = {
            "stage": stage, "verified_host": verified, "failure": "gone",
            "failing_since_us": 1_764_000_000_000_000,
        }  # fmt: skip
        row = Update(table="merchant_hosts", where=pk, values=values)
        await chat.writer.commit(Commit(key=f"test {stage}", rows=(row,)))
        for asked in ("/merchant hosts", "/merchant"):
            text = (await chat.ask("mei", asked, room=KITCHEN)).text
            assert f"{claim.host}: {words} (since 2025-11-24 16:00 UTC" in text
            assert f"{claim.host} answers, but its proof (the file with your token)" in text
            assert f"/merchant verify {claim.host}" in text
        answer = await chat.ask("mei", "/merchant verify", room=KITCHEN)
        assert answer.card.title == f"✓ {_host(demo_shop)} is Tea House's"
        text = (await chat.ask("mei", "/merchant hosts", room=KITCHEN)).text
        assert f"✓ {claim.host} (proven by file, last seen within the hour)" in text


async def test_hosts_are_listed_and_without_one_it_is_told_how_to_add_it(chat: Chat) -> None:
    await chat.open_shop("mei")
    assert "/merchant host shop.example" in (await chat.ask("mei", "/merchant hosts")).text


async def test_a_host_that_shows_another_token_is_not_proven(
    chat: Chat, demo_shop: DemoShop
) -> None:
    await chat.open_shop("mei")
    await chat.ask("mei", f"/merchant host {_host(demo_shop)}", room=KITCHEN)
    nothing = await chat.ask("mei", "/merchant verify", room=KITCHEN)
    assert "did not find it" in nothing.text
    assert "another token" not in nothing.text
    demo_shop.prove("somebody-elses")
    other = await chat.ask("mei", f"/merchant verify {_host(demo_shop)}", room=KITCHEN)
    assert "another token, though (file)" in other.text
    assert (await _claim(chat)).verified_host is None


async def test_what_was_in_the_way_of_a_proof_is_told_once_for_all_ways(chat: Chat) -> None:
    await chat.open_shop("mei")
    await chat.ask("mei", "/merchant host tea.example:8443", room=KITCHEN)
    text = (await chat.ask("mei", "/merchant verify", room=KITCHEN)).text
    assert "File, tag: The link names a port that is not the web's." in text
    assert text.count("port that is not") == 1


async def test_verifying_what_was_not_claimed_claims_it(chat: Chat) -> None:
    await chat.open_shop("mei")
    answer = await chat.ask("mei", "/merchant verify tea.example", room=KITCHEN)
    assert (await _claim(chat)).token in answer.text


async def test_verify_alone_asks_which_when_it_is_not_plain(chat: Chat) -> None:
    await chat.open_shop("mei")
    assert "names no host" in (await chat.ask("mei", "/merchant verify", room=KITCHEN)).text
    for host in ("tea.example", "cups.example"):
        await chat.ask("mei", f"/merchant host {host}", room=KITCHEN)
    assert "names no host" in (await chat.ask("mei", "/merchant verify", room=KITCHEN)).text


async def test_a_host_proven_by_another_shop_is_refused_clearly(
    chat: Chat, demo_shop: DemoShop
) -> None:
    await chat.open_shop("mei")
    await chat.open_shop("eve", "Copy Cat", room="den")
    host = _host(demo_shop)
    await chat.ask("eve", f"/merchant host {host}", room="den")
    await chat.ask("mei", f"/merchant host {host}", room=KITCHEN)
    for who in ("mei", "eve"):
        demo_shop.prove((await _claim(chat, who)).token)
    await chat.ask("mei", f"/merchant verify {host}", room=KITCHEN)
    refused = await chat.ask("eve", f"/merchant verify {host}", room="den")
    assert "proven by another shop" in refused.text
    assert "Nothing was changed." in refused.text
    assert (await _claim(chat, "eve")).verified_host is None
    assert "proven by another" in (await chat.ask("eve", f"/merchant host {host}", room="den")).text


# --- standing acceptance, orders, refunds, withdrawals ---------------------------------------


async def test_standing_acceptance_is_switched_on_and_off(chat: Chat) -> None:
    await chat.open_shop("mei")
    assert "is on" in (await chat.ask("mei", "/merchant accept ON", room=KITCHEN)).text
    assert (await _shop(chat)).standing_acceptance is True
    asked = await chat.ask("mei", "/merchant accept maybe", room=KITCHEN)
    assert "/merchant accept on" in asked.text
    assert (await _shop(chat)).standing_acceptance is True
    assert "is off" in (await chat.ask("mei", "/merchant accept off", room=KITCHEN)).text
    assert (await _shop(chat)).standing_acceptance is False


async def test_the_orders_are_listed_with_their_state(chat: Chat) -> None:
    shop_id = await chat.open_shop("mei")
    assert "no orders yet" in (await chat.ask("mei", "/merchant orders", room=KITCHEN)).text
    held = await _sold(chat, shop_id, settled=False)
    await chat.ask("mei", "/merchant accept on", room=KITCHEN)
    paid = await _sold(chat, shop_id)
    text = (await chat.ask("mei", "/merchant orders", room=KITCHEN)).text
    assert f"{held.number} · Green tea · ¥199.00 · held, waits for you" in text
    assert f"{paid.number} · Green tea · ¥199.00 · paid" in text
    assert "anna" not in text


async def test_an_order_is_refunded_in_part_and_then_whole(chat: Chat) -> None:
    shop_id = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room=KITCHEN)
    order = await _sold(chat, shop_id)
    typed = f"#{order.number[:4].lower()}-{order.number[4:].lower()}"
    for _ in range(3):
        line = f"/merchant refund {typed} 99"
        await chat.write("mei", line, room=KITCHEN, event_id="web:same")
    assert await chat.balance("anna") == 30100 + 9900
    text = (await chat.ask("mei", "/merchant orders", room=KITCHEN)).text
    assert "paid, ¥99.00 refunded" in text
    said = await chat.write("mei", f"/merchant refund {order.number}", room=KITCHEN)
    assert any(one.to == "anna" and "¥100.00 refunded" in one.text for one in said)
    told = [one.text for one in said if one.to == "mei"]
    assert told == [f"¥100.00 of order {order.number} went back to its buyer."]
    assert await chat.balance("anna") == 50000
    again = await chat.ask("mei", f"/merchant refund {order.number}", room=KITCHEN)
    assert "nothing left to refund" in again.text
    assert await chat.balance("anna") == 50000


async def test_a_refund_that_cannot_be_moves_nothing(chat: Chat) -> None:
    shop_id = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room=KITCHEN)
    order = await _sold(chat, shop_id)
    for amount in ("200", "0", "lots", "5 USD"):
        answer = await chat.ask("mei", f"/merchant refund {order.number} {amount}", room=KITCHEN)
        assert "No money moved" in answer.text or "Not refunded" in answer.text
    assert await chat.balance("anna") == 30100


async def test_only_the_own_shops_orders_can_be_refunded(chat: Chat) -> None:
    shop_id = await chat.open_shop("mei")
    await chat.open_shop("eve", "Copy Cat", room="den")
    await chat.ask("mei", "/merchant accept on", room=KITCHEN)
    order = await _sold(chat, shop_id)
    unknown = await chat.ask("eve", "/merchant refund ZZZZZZZZ", room="den")
    foreign = await chat.ask("eve", f"/merchant refund {order.number}", room="den")
    assert foreign.text == unknown.text.replace("ZZZZZZZZ", order.number)
    assert "/merchant refund" in (await chat.ask("eve", "/merchant refund", room="den")).text
    assert await chat.balance("anna") == 30100


async def test_an_order_that_is_only_held_is_declined_and_not_refunded(chat: Chat) -> None:
    order = await _sold(chat, await chat.open_shop("mei"), settled=False)
    answer = await chat.ask("mei", f"/merchant refund {order.number}", room=KITCHEN)
    assert "decline it" in answer.text
    assert "No money moved." in answer.text


async def test_a_declined_withdrawal_of_a_shop_is_told_and_goes_back_to_the_shop(
    chat: Chat,
) -> None:
    await chat.make_admin("boss")
    await chat.earn(await chat.open_shop("mei"), 70000)
    said = await chat.write("mei", "/merchant withdraw 500", room=KITCHEN)
    till = next(one for one in said if one.to == "boss")
    said = await chat.tap("boss", till.actions[1])
    told = next(one for one in said if one.to == "mei" and not one.edit)
    assert "Your withdrawal of ¥500.00 was declined" in told.text
    edited = next(one for one in said if one.to == "mei" and one.edit)
    for one in (told, edited):
        assert "¥500.00 is back in the shop's balance." in one.text


async def test_a_second_shop_in_one_room_is_not_opened_as_it_could_never_be_meant(
    chat: Chat,
) -> None:
    await chat.open_shop("mei")
    refused = await chat.ask("mei", "/merchant open Coffee House", room=KITCHEN)
    assert "Tea House is your shop in this room" in refused.text
    assert refused.text.endswith("Nothing was opened.")
    assert "Coffee House is open" in (
        (await chat.ask("mei", "/merchant open Coffee House", room="cellar")).text
    )
    assert len(await chat.desk.reader.merchants_of((await chat.meet("mei")).id)) == 2


async def test_a_shop_withdraws_what_it_earned(chat: Chat) -> None:
    await chat.make_admin("boss")
    shop_id = await chat.open_shop("mei")
    await chat.earn(shop_id, 70000)
    said = await chat.write("mei", "/merchant withdraw 500", room=KITCHEN)
    assert {(one.to, one.view) for one in said} == {("mei", "funding"), ("boss", "till")}
    (request,) = await chat.desk.reader.pending_funding(5)
    assert request.owner == f"merchant:{shop_id}"
    too_much = await chat.ask("mei", "/merchant withdraw 200.01", room=KITCHEN)
    assert "No money moved." in too_much.text
    assert "¥200.00" in too_much.text
    no_amount = await chat.ask("mei", "/merchant withdraw", room=KITCHEN)
    assert "/merchant withdraw 500" in no_amount.text
