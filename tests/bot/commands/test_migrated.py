"""A room that goes on under another id: the conversation goes on with it."""

from bot.events import Migrated
from tests.bot.commands.chat import WEB, Chat


async def test_a_shop_whose_room_moved_gets_its_orders_in_the_new_one(chat: Chat) -> None:
    shop = await chat.open_shop("sam", room="kitchen")
    await chat.write("sam", "/merchant accept off", room="kitchen")
    moved = Migrated(
        id=f"{WEB}:m1", network=WEB, room_id="kitchen", person_id="sam", to_room_id="bistro"
    )
    for _ in range(2):
        await chat.dispatch.answer(moved)
    await chat.fund("anna", 500_00)
    offer = await chat.offer(shop)
    said = await chat.tap("anna", offer.actions[0])
    assert [one.room for one in said if one.view == "order"] == ["bistro"]
