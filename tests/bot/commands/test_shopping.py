from tests.bot.commands.chat import LOBBY, Chat, Said


async def _orders_of(chat: Chat, who: str) -> list[tuple[str, str]]:
    orders = await chat.desk.reader.recent_orders((await chat.meet(who)).wallet_id, 9)
    return [(order.title, order.state) for order in orders]


def _to(said: list[Said], who: str) -> Said:
    return next(one for one in said if one.to == who and not one.edit)


async def test_buy_pays_the_newest_offer_of_this_room(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop, "Old tea")
    await chat.offer(shop, "New tea")
    await chat.offer(shop, "Tea elsewhere", room="garden")
    answer = _to(await chat.write("anna", "/buy"), "anna")
    assert answer.view == "purchase"
    assert await _orders_of(chat, "anna") == [("New tea", "authorised")]
    assert await chat.balance("anna") == 30100


async def test_buy_pays_the_offer_that_it_replies_to(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    old = await chat.offer(shop, "Old tea")
    await chat.offer(shop, "New tea")
    await chat.write("anna", "/buy", reply_to=old.message_ref)
    assert await _orders_of(chat, "anna") == [("Old tea", "authorised")]


async def test_a_reply_to_something_else_means_the_newest_offer(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy", reply_to="m-of-somebody")
    assert await _orders_of(chat, "anna") == [("Green tea", "authorised")]


async def test_an_offer_for_one_person_is_bought_by_nobody_else(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    for who in ("anna", "ben"):
        await chat.fund(who, 50000)
    private = await chat.offer(shop, only_for="anna")
    refused = (await chat.write("ben", "/buy", reply_to=private.message_ref))[0]
    assert refused.text.endswith("No money moved.")
    await chat.write("ben", "/buy")
    assert await _orders_of(chat, "ben") == []
    await chat.write("anna", "/buy", reply_to=private.message_ref)
    assert await _orders_of(chat, "anna") == [("Green tea", "authorised")]


async def test_a_purchase_delivered_three_times_is_one_purchase(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    for _ in range(3):
        await chat.write("anna", "/buy", event_id="web:same")
    assert await chat.balance("anna") == 30100


async def test_buy_twice_is_one_purchase_too(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy")
    again = await chat.ask("anna", "/buy")
    assert "Not charged again" in again.text
    assert await chat.balance("anna") == 30100


async def test_without_an_offer_there_is_nothing_to_buy(chat: Chat) -> None:
    assert "There is no offer here" in (await chat.ask("anna", "/buy")).text


async def test_without_money_nothing_is_charged(chat: Chat) -> None:
    offer = await chat.offer(await chat.open_shop("mei"))
    answer = await chat.ask("anna", "/buy")
    assert "Not charged." in answer.text
    assert answer.actions[0] == f"topup:CNY:19900:{offer.ref}"


async def test_undo_takes_back_the_newest_order_that_is_held(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    for title in ("First tea", "Second tea"):
        await chat.offer(shop, title)
        await chat.write("anna", "/buy")
    for _ in range(3):
        await chat.write("anna", "/undo", event_id="web:same")
    assert await _orders_of(chat, "anna") == [("Second tea", "undone"), ("First tea", "authorised")]
    assert await chat.balance("anna") == 30100


async def test_what_is_paid_cannot_be_undone(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy")
    await chat.settle()
    answer = await chat.ask("anna", "/undo")
    assert "too late" in answer.text
    assert "No money moved just now." in answer.text
    assert await chat.balance("anna") == 30100


async def test_there_is_nothing_to_undo(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy")
    answer = await chat.ask("ben", "/undo", room=LOBBY)
    assert answer.text == "There is nothing to undo. No money moved just now."
    assert await chat.balance("anna") == 30100


async def test_a_written_undo_is_answered_where_it_was_written(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy")
    answer = await chat.ask("anna", "/undo", room="another-room")
    assert answer.text.startswith("Undone: ¥199.00 for “Green tea” is back in your wallet.")


async def test_an_order_that_the_seller_does_not_take_is_told_to_its_payer(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.offer(shop)
    await chat.write("anna", "/buy")
    order = await chat.desk.lookups.newest_held_order((await chat.meet("anna")).id)
    assert order is not None
    told = _to(await chat.tap("mei", f"decline:{order.id}", room="kitchen"), "anna")
    assert "¥199.00 is back in your wallet" in told.text
    assert "Tea House declined: “Green tea”." in told.text
    assert order.number in told.text
