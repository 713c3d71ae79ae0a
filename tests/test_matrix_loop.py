"""The whole bot in rooms of a real homeserver, used as people use it."""

import asyncio
from pathlib import Path

import aiohttp

from bot.demo.opening import DEMO_ROOM
from bot.demo.visitor import visit
from tests.matrix_people import AGAIN, PAY, TOP_UP, UNDO, Scene
from tests.peers.synapse import SynapsePeer
from wallet_core.commerce.records import OrderState

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"
#: For those who do something within the window, on a machine that is busy with other tests.
TIME_TO_UNDO = {"money__undo_window_s": "8"}


async def test_a_shared_link_is_answered_with_a_picture_a_card_and_one_reaction(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        asked = await scene.anna.say(scene.room, f"看这个{scene.url}。好看吗？")
        offer = await scene.bob.see("React with 💳", room_id=scene.room)
        await scene.bob.see_reaction(offer, PAY, scene.bot.user_id)
        host = scene.url.partition("://")[2].partition("/")[0]
        title, price, seller, stock, trust, hint = offer.body.splitlines()
        assert (title, price, stock) == (TITLE, PRICE, "12 in stock")
        assert trust.startswith("Confirmed by hold. ")
        assert all(words in seller for words in ("✓", "Corner Shop 街角小店", host))
        assert (
            hint == f"React with 💳 to pay {PRICE}, or write !buy. Take your reaction back to undo."
        )
        assert offer.markup.startswith(f'<strong><a href="{scene.url}">{TITLE}</a></strong><br>')
        assert offer.kind == "m.notice"
        assert offer.answers == asked
        assert offer.keys_of(scene.bot.user_id) == [PAY]

        hello, picture, last = scene.bob.said_by(scene.bot.user_id, scene.room)
        assert hello.body.endswith("Write !help to see what else I do.")
        assert last is offer
        assert (picture.kind, picture.body) == ("m.image", TITLE)
        server, media_id = str(picture.content["url"]).removeprefix("mxc://").split("/")
        url = f"{synapse.base_url}/_matrix/client/v1/media/download/{server}/{media_id}"
        headers = {"Authorization": f"Bearer {scene.bob.person.token}"}
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as shown:
            assert shown.status == 200
            assert shown.content_type == picture.content["info"]["mimetype"]
            assert len(await shown.read()) == picture.content["info"]["size"]


async def test_a_reaction_pays_and_only_the_one_who_reacted_hears_of_money(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path, TIME_TO_UNDO) as scene:
        anna, bot = scene.anna, scene.bot
        offer = await bot.offer_of(anna, scene.room, scene.url, "Look: {} !")
        poor = await anna.react(offer)
        refused = await anna.see("Not charged.", not_in=scene.room)
        assert f"You have ¥0.00; this needs {PRICE}." in refused.body
        assert await anna.members(refused.room_id) == {anna.user_id, bot.user_id}
        # The bot opened this room only to say so.
        assert anna.said_by(bot.user_id, refused.room_id) == [refused]
        await anna.see_reaction(refused, TOP_UP, bot.user_id)
        await anna.react(refused, TOP_UP)
        await anna.see(f"Top-up of {PRICE}", room_id=refused.room_id)
        await anna.take_back(offer, poor)
        await scene.money_for(anna)

        async with visit(scene.admin, scene.instance.url, DEMO_ROOM) as merchant:
            await anna.react(offer)
            paid = await anna.see(f"Paid {PRICE}", room_id=refused.room_id)
            await anna.see_reaction(paid, UNDO, bot.user_id)
            number = paid.body.partition("Order ")[2].split()[0]
            assert paid.body.endswith("React with ↩️ to undo.")

            shown = await scene.bob.until(lambda: scene.bob.messages.get(offer.id), "the offer")
            await scene.bob.until(lambda: "1 bought" in shown.body or None, "the edit")
            assert "11 in stock" in shown.body
            assert PAY in shown.keys_of(bot.user_id)
            await anna.until(lambda: "buy another" in paid.body or None, "the receipt")
            await anna.see_reaction(paid, AGAIN, bot.user_id)

            ordered = await merchant.see_text(number)
            assert anna.user_id not in ordered.text
            refundable = await merchant.see(lambda seen: seen.has_button("Refund"), "Refund")
            await merchant.press(refundable, "Refund")
            await anna.see(f"{PRICE} refunded", room_id=refused.room_id)

        [order] = await scene.orders_of(anna)
        assert (order.state, order.number) == (OrderState.REFUNDED, number)
        said = [message.body for message in scene.bob.said_by(bot.user_id)]
        assert [text.splitlines()[0][:6] for text in said] == ["Hello!", TITLE, TITLE]


async def test_taking_the_reaction_back_undoes_and_the_next_one_is_a_new_attempt(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path, TIME_TO_UNDO) as scene:
        anna, bot = scene.anna, scene.bot
        await scene.money_for(anna)
        offer = await bot.offer_of(anna, scene.room, scene.url)
        first = await anna.react(offer)
        paid = await anna.see(f"Paid {PRICE}", not_in=scene.room)
        await anna.take_back(offer, first)
        await anna.until(lambda: paid.body.startswith("Undone.") or None, "the undo")
        assert f"{PRICE} is back in your wallet" in paid.body

        second = await anna.react(offer)
        again = await anna.see(f"Paid {PRICE}", not_in=scene.room, seen=[paid])
        await anna.until(lambda: "buy another" in again.body or None, "the receipt")
        await anna.take_back(offer, second)
        late = await anna.see("Too late to undo", not_in=scene.room)
        assert late.room_id == again.room_id
        await anna.react(again, UNDO)
        await anna.see("Too late to undo", room_id=again.room_id, seen=[late])

        undone, kept = await scene.orders_of(anna)
        assert (undone.state, kept.state) == (OrderState.UNDONE, OrderState.PAID)
        assert kept.number in late.body
        await anna.say(scene.room, "!balance")
        await anna.see("¥301.00", not_in=scene.room)


async def test_however_often_somebody_reacts_only_one_reaction_charges(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        anna, bot = scene.anna, scene.bot
        await scene.money_for(anna)
        offer = await bot.offer_of(anna, scene.room, scene.url)
        # Clients write the same emoji in different ways, and a phone reacts beside a desktop.
        keys = ("💳", "💳\ufe0f", "💳\U0001f3fd", "💳\U0001f3ff")
        reactions = await asyncio.gather(*(anna.react(offer, key) for key in keys))
        await anna.say(scene.room, "!buy", reply_to=offer)
        await anna.say(scene.room, "!buy")
        await anna.see("1 bought", room_id=scene.room)
        await scene.settled(anna)
        [order] = await scene.orders_of(anna)
        assert order.state == OrderState.PAID
        told = anna.said_by(bot.user_id)
        assert sum(m.body.startswith(f"Paid {PRICE}") for m in told) == 1
        assert sum("Not charged again." in m.body for m in told) == len(keys) + 1

        # Taking away all that did not pay changes nothing and says nothing.
        for reaction in reactions:
            await anna.take_back(offer, reaction)
        await scene.settled(anna)
        assert [o.state for o in await scene.orders_of(anna)] == [OrderState.PAID]
        assert sum("Too late" in m.body for m in anna.said_by(bot.user_id)) == 1

        # "Buy another" is a new price for her alone; it may be paid like any other.
        receipt = await anna.see(f"Paid {PRICE}", not_in=scene.room)
        await anna.react(receipt, AGAIN)
        another = await anna.see("React with 💳", not_in=scene.room)
        await anna.react(another)
        await anna.until(
            lambda: sum("Paid" in m.body for m in anna.said_by(bot.user_id)) == 2 or None,
            "the second cup",
        )
        assert len(await scene.orders_of(anna)) == 2


async def test_commands_begin_with_an_exclamation_mark_and_are_answered_in_private(
    synapse: SynapsePeer, tmp_path: Path
) -> None:
    async with Scene(synapse, tmp_path) as scene:
        anna, bob, bot = scene.anna, scene.bob, scene.bot
        await anna.say(scene.room, "!help")
        answer = await anna.see("!topup", not_in=scene.room)
        assert await anna.members(answer.room_id) == {anna.user_id, bot.user_id}
        for command, words in (
            ("!balance", "¥0.00"),
            ("/balance", "/topup 100"),
            ("!history", "Nothing has happened yet"),
            ("!nonsense", "There is no command !nonsense"),
            ("!undo", "nothing to undo"),
            ("!buy", "no offer here"),
            ("!topup much", "not an amount"),
            ("!admin books", "Only an admin"),
        ):
            await anna.say(scene.room, command)
            await anna.see(words, room_id=answer.room_id)
        # In the direct room the answer comes in the same place.
        await anna.say(answer.room_id, "!whoami")
        assert (await anna.see(anna.user_id, not_in=scene.room)).room_id == answer.room_id
        await bob.say(scene.room, "!whoami")
        other = await bob.see(bob.user_id, not_in=scene.room)
        assert other.room_id != answer.room_id
        # Neither talk nor what only looks like a command gets an answer.
        for talk in ("how much is ¥5?", "!!", "! wow", "/ 3", "yes!"):
            await bob.say(scene.room, talk)
        await scene.settled(bob)
        assert [m.body[:6] for m in bob.said_by(bot.user_id, scene.room)] == ["Hello!"]
