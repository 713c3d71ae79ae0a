"""The whole bot in chats of a strict Bot API server, used as people use it."""

from pathlib import Path

from tests.telegram_people import Scene
from wallet_core.commerce.records import OrderState

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"
TIME_TO_UNDO = {"money__undo_window_s": "4"}


async def test_a_shared_link_is_answered_with_a_picture_a_card_and_a_green_button(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        asked = scene.anna.say(scene.group, f"看这个{scene.url}。好看吗？")
        offer = await scene.bob.see(TITLE, chat=scene.group)
        assert offer.kind == "photo"
        assert offer.photo.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF"))
        title, price, seller, stock, trust = offer.text.splitlines()
        assert (title, price, stock) == (TITLE, PRICE, "12 in stock")
        assert trust.startswith("Confirmed by hold. ")
        assert "✓" in seller
        assert "Corner Shop 街角小店" in seller
        assert offer.reply_to == asked
        assert offer.labels == [f"Pay {PRICE}"]
        assert offer.button("Pay")["style"] == "success"
        [link] = [e for e in offer.entities if e["type"] == "text_link"]
        assert (link["offset"], link["length"], link["url"]) == (0, len(TITLE), scene.url)
        hello = scene.bob.said_by_bot(scene.group)[0]
        assert hello.text.endswith("Write /help to see what else I do.")
        assert scene.api.state.commands[0]["command"] == "help"
        assert scene.api.refused == [("deleteEphemeralMessage", _GONE)]


_GONE = "Bad Request: EPHEMERAL_MESSAGE_NOT_FOUND"


async def test_a_tap_pays_once_and_only_the_one_who_tapped_hears_of_money(tmp_path: Path) -> None:
    async with Scene(tmp_path, TIME_TO_UNDO) as scene:
        anna, bob = scene.anna, scene.bob
        offer = await scene.offer()
        toast = await anna.tap(offer)
        assert toast.alert
        assert f"You have ¥0.00; this needs {PRICE}." in toast.text
        refused = await anna.see("Not charged.", chat=scene.group)
        assert refused.receiver_id == anna.user.id
        assert refused.button("Top up")["style"] == "success"
        await anna.tap(refused, "Top up")
        await anna.see(f"Top-up of {PRICE}", chat=scene.group)
        await scene.money_for(anna)

        toast = await anna.tap(offer)
        assert toast.text.startswith(f"Paid {PRICE}")
        assert not toast.alert
        paid = await anna.see(f"Paid {PRICE}", chat=scene.group)
        assert paid.receiver_id == anna.user.id
        assert paid.labels == ["Undo"]
        await bob.until(lambda: "1 bought" in offer.text or None, "the edit")
        assert "11 in stock" in offer.text
        assert offer.labels == [f"Pay {PRICE}", "Undo mine"]

        again = await anna.tap(offer)
        assert "Not charged again." in again.text
        await anna.until(lambda: "Buy another" in paid.labels or None, "the receipt")
        [order] = await scene.orders_of(anna)
        assert order.state == OrderState.PAID
        # Nobody else saw a word of it.
        said = [message.text.splitlines()[0][:6] for message in bob.said_by_bot()]
        assert said == ["Hello!", TITLE]
        assert scene.api.answers.paces.refused == 0


async def test_undo_takes_back_by_the_private_card_or_by_undo_mine_and_never_by_pay(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path, {"money__undo_window_s": "60"}) as scene:
        anna, bob = scene.anna, scene.bob
        await scene.money_for(anna)
        offer = await scene.offer()
        await anna.tap(offer)
        paid = await anna.see(f"Paid {PRICE}", chat=scene.group)
        toast = await anna.tap(paid, "Undo")
        assert toast.text.startswith("Undone.")
        await anna.until(lambda: "is back in your wallet" in paid.text or None, "the edit")

        await anna.tap(offer)
        await bob.until(lambda: "Undo mine" in offer.labels or None, "the way back")
        stranger = await bob.tap(offer, "Undo mine")
        assert "You can undo only what you paid for." in stranger.text
        toast = await anna.tap(offer)
        assert "Not charged again." in toast.text
        await anna.tap(offer, "Undo mine")
        await bob.until(lambda: "bought" not in offer.text or None, "the undo")
        states = [order.state for order in await scene.orders_of(anna)]
        assert states == [OrderState.UNDONE, OrderState.UNDONE]
        anna.say(anna.chat, "/balance")
        await anna.see("¥500.00", chat=anna.chat)
