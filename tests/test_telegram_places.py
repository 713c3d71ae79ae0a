"""Every kind of chat that Telegram has, with the whole bot."""

from pathlib import Path

from tests.peers.telegram_api.limits import utf16
from tests.telegram_people import Client, Scene
from wallet_core.commerce.records import OrderState

PRICE = "¥199.00"
TITLE = "青花瓷茶杯"


async def test_in_a_private_chat_a_link_a_deep_link_and_commands_are_answered_there(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna = scene.anna
        anna.say(anna.chat, "/start")
        await anna.see("Glad to help", chat=anna.chat)
        offer = await scene.bot.offer_of(anna, anna.chat, scene.url)
        quote = offer.button("Pay")["callback_data"].partition(":")[2]
        # Somebody else got the link t.me/payontap_bot?start=… from a friend or a poster.
        scene.bob.say(scene.bob.chat, f"/start {quote}")
        shown = await scene.bob.see(TITLE, chat=scene.bob.chat)
        toast = await scene.bob.tap(shown)
        assert "this needs ¥199.00" in toast.text
        assert not toast.alert
        answer = await scene.bob.see("Not charged.", chat=scene.bob.chat)
        assert answer.receiver_id is None
        scene.bob.say(scene.bob.chat, "/start q_nobody-ever-made-this")
        await scene.bob.see("That offer is gone", chat=scene.bob.chat)


async def test_captions_hidden_links_and_topics_are_read_and_answered_in_their_place(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna = scene.anna
        # The link is behind words, after characters that count double in UTF-16.
        words = "👩‍👩‍👧 𝒯ea for you: this cup"
        mark = {
            "type": "text_link",
            "offset": utf16("👩‍👩‍👧 𝒯ea for you: "),
            "length": utf16("this cup"),
            "url": scene.url,
        }
        offer = await scene.bot.offer_of(
            anna, scene.group, scene.url, words, as_caption=True, entities=[mark]
        )
        assert offer.thread_id is None
        topic = await scene.bot.offer_of(
            anna,
            scene.group,
            scene.url,
            message_thread_id=77,
            is_topic_message=True,
        )
        assert topic.thread_id == 77
        await anna.tap(topic)
        refused = await anna.see("Not charged.", chat=scene.group)
        assert refused.thread_id == 77


async def test_an_edit_is_answered_once_when_it_brings_a_link_and_never_as_a_command(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna = scene.anna
        message_id = anna.say(scene.group, "look at this")
        before = anna.said_by_bot()
        edit = {"as_kind": "edited_message", "message_id": message_id, "edit_date": 1}
        anna.say(scene.group, f"look at this {scene.url}", **edit)
        await anna.see(TITLE, chat=scene.group, seen=before)
        anna.say(scene.group, f"look at this! {scene.url}", **edit)
        anna.say(anna.chat, "/topup 5", as_kind="edited_message", message_id=9)
        await scene.settled(anna)
        titles = [m for m in anna.said_by_bot() if m.text.startswith(TITLE)]
        assert len(titles) == 1
        assert not [m for m in anna.said_by_bot() if "Top-up" in m.text]


async def test_a_channel_shows_the_card_and_a_tap_there_is_answered_by_toast_and_private_chat(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        channel = api.group(anna.user, scene.bob.user, kind="channel", title="Tea news")
        api.set_bot(channel, anna.user, "administrator")
        await anna.see("Hello!", chat=channel)
        api.write(channel, None, scene.url)
        card = await anna.see(TITLE, chat=channel)
        toast = await anna.tap(card)
        assert toast.alert
        await anna.see("Not charged.", chat=anna.chat)
        assert [m.text[:6] for m in anna.said_by_bot(channel)] == ["Hello!", card.text[:6]]


async def test_an_anonymous_admin_gets_a_card_and_no_wallet(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        nobody = {
            "from": {"id": 1087968824, "is_bot": True, "first_name": "Group"},
            "sender_chat": scene.group.json,
        }
        anna.say(scene.group, scene.url, **nobody)
        card = await anna.see(TITLE, chat=scene.group)
        anna.say(scene.group, "/balance", **nobody)
        hint = await anna.see("in the name of the group", chat=scene.group)
        assert hint.labels == ["Open the chat"]
        # A tap always tells who taps.
        await scene.money_for(anna)
        await anna.tap(card)
        await scene.settled(anna)
        assert len(await scene.orders_of(anna)) == 1
        people = scene.instance.desk.people
        group = await people.meet("telegram", str(scene.group.id), str(scene.group.id))
        assert await scene.instance.desk.reader.recent_orders(group.wallet_id, 9) == []
        assert api.answers.paces.refused == 0


async def test_who_adds_a_blind_bot_is_told_how_to_let_it_see(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        api.bot["can_read_all_group_messages"] = False
        group = api.group(anna.user)
        api.set_bot(group, anna.user, "member")
        hello = await anna.see("Hello!", chat=group)
        assert "privacy mode is on" in hello.text
        assert "/setprivacy" in hello.text
        anna.say(group, "/start@payontap_bot")
        again = await anna.see("privacy mode", chat=group, seen=[hello])
        api.set_bot(group, anna.user, "administrator")
        anna.say(group, "/start@payontap_bot")
        seeing = await anna.see("Hello!", chat=group, seen=[hello, again])
        assert "privacy mode" not in seeing.text
        # What is meant for another bot is none of its business.
        anna.say(group, "/help@other_bot")
        await scene.bot.offer_of(anna, group, scene.url)
        assert not [m for m in anna.said_by_bot() if "Glad to help" in m.text]


async def test_a_group_that_becomes_a_supergroup_goes_on(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        small = await scene.bot.into(anna, kind="group")
        await scene.money_for(anna)
        offer = await scene.bot.offer_of(anna, small, scene.url)
        assert offer.chat is small
        large = api.migrate(small, anna.user)
        # What was asked in the old one, a moment before it moved, is answered in the new one.
        anna.say(small, scene.url)
        card = await anna.see(TITLE, chat=large)
        await anna.tap(card)
        await anna.until(lambda: "1 bought" in card.text or None, "the edit")
        await scene.settled(anna)
        assert [order.state for order in await scene.orders_of(anna)][-1] in (
            OrderState.PAID,
            OrderState.AUTHORISED,
        )


async def test_a_bot_that_was_thrown_out_says_nothing_and_comes_back_when_it_is_added(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, bob, api = scene.anna, scene.bob, scene.api
        await scene.money_for(anna)
        offer = await scene.offer()
        api.set_bot(scene.group, bob.user, "kicked")
        before = bob.said_by_bot(scene.group)
        # The card stands there still, and can be tapped.
        await anna.tap(offer)
        await anna.see(f"Paid {PRICE}", chat=anna.chat)
        assert bob.said_by_bot(scene.group) == before
        api.set_bot(scene.group, bob.user, "member")
        await bob.see("Hello!", chat=scene.group, seen=before)
        again = await scene.offer(bob)
        assert "11 in stock" in again.text


async def test_a_name_changes_nothing_and_who_never_opened_a_chat_is_told_how(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path) as scene:
        anna, api = scene.anna, scene.api
        await scene.money_for(anna)
        anna.user.name = "Queen of Tea"
        offer = await scene.offer()
        toast = await anna.tap(offer)
        assert toast.text.startswith("Paid")
        shy = Client(api, api.person("Shy", started=False))
        scene.group.members.add(shy.user.id)
        shy.say(scene.group, "/balance")
        hint = await shy.see("you have not opened a chat with me", chat=scene.group)
        assert hint.button("Open the chat")["url"] == "https://t.me/payontap_bot?start=hello"
        assert not [m for m in scene.bob.said_by_bot() if "¥0.00" in m.text]


async def test_without_private_messages_in_groups_the_private_chat_or_the_toast_answers(
    tmp_path: Path,
) -> None:
    settings = {"money__undo_window_s": "60"}
    scene = Scene(tmp_path, settings)
    scene.api.answers.knows_private = False
    async with scene:
        anna, api = scene.anna, scene.api
        await scene.money_for(anna)
        offer = await scene.offer()
        await anna.tap(offer)
        paid = await anna.see(f"Paid {PRICE}", chat=anna.chat)
        assert paid.labels == ["Undo"]
        # Somebody without a chat still gets everything: by toast, and by the card's own way back.
        shy = Client(api, api.person("Shy", started=False))
        scene.group.members.add(shy.user.id)
        toast = await shy.tap(offer)
        assert f"You have ¥0.00; this needs {PRICE}." in toast.text
        await anna.until(lambda: "Undo mine" in offer.labels or None, "the edit")
        toast = await anna.tap(offer, "Undo mine")
        assert toast.text.startswith("Undone.")
        assert not [m for m in scene.bob.said_by_bot() if "Paid" in m.text or "¥0.00" in m.text]


async def test_inline_mode_offers_the_card_in_any_chat_and_keeps_it_up_to_date(
    tmp_path: Path,
) -> None:
    async with Scene(tmp_path, {"money__undo_window_s": "60"}) as scene:
        anna, bob, api = scene.anna, scene.bob, scene.api
        await scene.money_for(bob)
        [result] = await api.inline(anna.user, scene.url)
        assert result[1] == TITLE
        elsewhere = api.group(anna.user, bob.user, title="Without the bot")
        card = api.choose(anna.user, result, elsewhere)
        toast = await bob.tap(card)
        assert toast.text.startswith(f"Paid {PRICE}")
        await bob.see(f"Paid {PRICE}", chat=bob.chat)
        await anna.until(lambda: "1 bought" in card.text or None, "the edit")
        await bob.tap(card, "Undo mine")
        await anna.until(lambda: "bought" not in card.text or None, "the undo")
        assert [o.state for o in await scene.orders_of(bob)] == [OrderState.UNDONE]
        # A command is no link, and offers nothing to anybody.
        calls = api.calls["answerInlineQuery"]
        api.ask("inline_query", anna.user, "", "x", query="/balance", offset="")
        await scene.settled(anna)
        assert api.calls["answerInlineQuery"] == calls


async def test_in_chats_of_a_business_account_it_answers_where_it_may(tmp_path: Path) -> None:
    async with Scene(tmp_path) as scene:
        anna, bob, api = scene.anna, scene.bob, scene.api
        for name, allowed in (("open", True), ("closed", False)):
            api.state.business[name] = {
                "id": name,
                "user": bob.user.json,
                "user_chat_id": bob.user.id,
                "date": 1,
                "is_enabled": True,
                "rights": {"can_reply": allowed},
            }
        for name in ("closed", "open"):
            anna.say(anna.chat, scene.url, as_kind="business_message", business_connection_id=name)
        card = await anna.see(TITLE, chat=anna.chat)
        assert card.business == "open"
        toast = await anna.tap(card)
        assert "Not charged." in toast.text
        private = await anna.see("Not charged.", chat=anna.chat)
        assert private.business is None
        assert len([m for m in anna.said_by_bot() if m.text.startswith(TITLE)]) == 1
        # What it said there itself is not heard as something that somebody wrote.
        said_by_it = {"sender_business_bot": api.bot, "business_connection_id": "open"}
        anna.say(anna.chat, scene.url, as_kind="business_message", **said_by_it)
        await scene.settled(anna)
        assert len([m for m in anna.said_by_bot() if m.text.startswith(TITLE)]) == 1
