import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, Unreachable
from bot.adapters.bluesky import Bluesky
from bot.adapters.bluesky.listening import LATE_EVERY_S
from bot.cards import Button, Card, Line, Outgoing, Picture
from bot.events import AnyEvent, Liked, MarkedLink, Message
from tests.bot.adapters.ears import Ears, at_work
from tests.peers.bluesky_api import (
    ANNA,
    BOB,
    BOT,
    HANDLE,
    PASSWORD,
    FakeBluesky,
)
from tests.peers.bluesky_chat import Refusal, written

CHAT_LOG = "chat.bsky.convo.getLog"
PAY = "https://pay.example/pay/q_1"
OFFER = Card(
    title="青花瓷茶杯 🍵",
    lines=(Line("¥199.00"),),
    buttons=(Button(label="Pay ¥199.00", url=PAY), Button(label="Pay", action="pay:q_1")),
)


class Bot(Ears):
    """The adapter, and what it heard."""

    adapter: Bluesky

    def __init__(
        self,
        fake: FakeBluesky,
        folder: Path,
        password: str = PASSWORD,
        late_every_s: float = LATE_EVERY_S,
    ) -> None:
        super().__init__()
        self.fake = fake
        self.picture: tuple[str, bytes] | None = None
        self.adapter = Bluesky(
            fake.base_url,
            HANDLE,
            password,
            cursors=self,
            pictures=self,
            store_dir=folder,
            poll_s=0.02,
            pause_s_max=0.1,
            late_every_s=late_every_s,
        )

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        assert digest
        return self.picture

    async def say(
        self, to: str | None, card: Card = OFFER, *, only: str | None = None, send_id: str = "s1"
    ) -> str:
        return await self.adapter.send(
            Outgoing(
                send_id=send_id,
                network="bluesky",
                room_id=ANNA,
                card=card,
                person_id=only,
                reply_to_ref=to,
            )
        )


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    async with FakeBluesky() as fake:
        fake.post(BOB, "@bot.test before the bot came", created_at=minutes_ago(1_440))
        async with at_work(Bot(fake, tmp_path)) as bot:
            yield bot


def last(bot: Bot) -> AnyEvent:
    event = bot.heard[-1]
    assert isinstance(event, Message | Liked)
    return event


async def test_a_mention_is_heard_with_its_links_and_without_the_mention(bot: Bot) -> None:
    text = "@bot.test 看 shop.example/p… 🍵"
    start = len("@bot.test 看 ".encode())
    ref = bot.fake.post(
        ANNA,
        text,
        facets=[
            facet(0, 9, {"$type": "app.bsky.richtext.facet#mention", "did": BOT}),
            facet(start, start + len("shop.example/p…".encode()), link("https://shop.example/p/1")),
        ],
        embed=external("https://shop.example/p/2"),
    )
    await bot.until(lambda: len(bot.heard) == 1)
    message = last(bot)
    assert isinstance(message, Message)
    assert message.text == "看 🍵"
    assert message.links == (
        MarkedLink("https://shop.example/p/1", "shop.example/p…"),
        MarkedLink("https://shop.example/p/2", "title"),
    )
    assert (message.message_ref, message.person_id, message.private) == (ref, ANNA, False)


async def test_an_offer_is_a_reply_with_a_card_and_a_link_in_utf8_bytes(bot: Bot) -> None:
    bot.picture = ("image/jpeg", b"x" * 5_000)
    asked = bot.fake.post(ANNA, "@bot.test a link")
    below = bot.fake.post(BOB, "me too", to=asked)
    picture = Picture(digest="d", alt="cup", mime="image/jpeg", width_px=1, height_px=1)
    card = Card(title=OFFER.title, lines=OFFER.lines, buttons=OFFER.buttons, picture=picture)
    ref = await bot.say(below, card)
    [post] = bot.fake.said()
    assert post["text"] == "青花瓷茶杯 🍵\n¥199.00\nPay ¥199.00"
    [mark] = post["facets"]
    cut = post["text"].encode()[mark["index"]["byteStart"] : mark["index"]["byteEnd"]]
    assert cut.decode() == "Pay ¥199.00"
    assert mark["features"][0]["uri"] == PAY
    assert post["embed"]["external"]["uri"] == PAY
    assert post["embed"]["external"]["thumb"]["size"] == 5_000
    # The thread's root is that of the post which is answered.
    assert f"{post['reply']['root']['uri']} {post['reply']['root']['cid']}" == asked
    assert ref.startswith(f"at://{BOT}/")


async def test_a_reply_and_a_like_name_the_post_by_uri_and_cid(bot: Bot) -> None:
    asked = bot.fake.post(ANNA, "@bot.test a link")
    offer = await bot.say(asked)
    bot.fake.post(BOB, "Buy!", to=offer)
    await bot.until(lambda: len(bot.heard) == 2)
    reply = last(bot)
    assert isinstance(reply, Message)
    assert (reply.text, reply.reply_to_ref) == ("Buy!", offer)
    bot.fake.like(BOB, offer)
    await bot.until(lambda: len(bot.heard) == 3)
    assert last(bot).message_ref == offer  # type: ignore[union-attr]
    # Taken back and given again is another record, and the same event.
    bot.fake.like(BOB, offer)
    # A like of the same place with other contents names another post, which is no offer.
    other = f"{offer.split(' ')[0]} {asked.split(' ')[1]}"
    bot.fake.like(ANNA, other)
    await bot.until(lambda: len(bot.heard) == 4)
    assert last(bot).message_ref == other != offer  # type: ignore[union-attr]
    # Nor does it use up the like of the offer.
    bot.fake.like(ANNA, offer)
    await bot.until(lambda: len(bot.heard) == 5)
    assert last(bot).message_ref == offer  # type: ignore[union-attr]


async def test_what_is_said_to_somebody_else_in_the_thread_is_not_heard(bot: Bot) -> None:
    asked = bot.fake.post(ANNA, "@bot.test a link")
    offer = await bot.say(asked)
    to_the_bot = bot.fake.post(ANNA, "thanks", to=offer)
    to_anna = bot.fake.post(BOB, "look at https://shop.example/p/9", to=to_the_bot)
    bot.fake.post(ANNA, "and you, @bot.test?", to=to_anna)
    await bot.until(lambda: len(bot.heard) == 3)
    # In any order, as all of it was said in one millisecond.
    heard = {event.text for event in bot.heard if isinstance(event, Message)}
    assert heard == {"a link", "thanks", "and you, ?"}


async def test_what_comes_to_stand_among_older_news_is_heard(tmp_path: Path) -> None:
    async with FakeBluesky() as fake, at_work(Bot(fake, tmp_path, late_every_s=0.1)) as bot:
        for n in range(8):
            fake.post(ANNA, f"@bot.test {n}", created_at=minutes_ago(60 - n))
        await bot.until(lambda: len(bot.heard) == 8)
        # By a clock that is slow, and from a server that was cut off for a while.
        fake.post(BOB, "@bot.test slow", created_at=minutes_ago(54.5))
        fake.post(BOB, "@bot.test cut off", created_at=minutes_ago(59.5))
        await bot.until(lambda: len(bot.heard) == 10)


async def test_after_a_restart_late_news_is_looked_for_at_once(bot: Bot, tmp_path: Path) -> None:
    for n in range(8):
        bot.fake.post(ANNA, f"@bot.test {n}", created_at=minutes_ago(60 - n))
    await bot.until(lambda: len(bot.heard) == 8)
    again = Bot(bot.fake, tmp_path)
    again.cursor, again.heard = bot.cursor, list(bot.heard)
    bot.fake.post(BOB, "@bot.test cut off", created_at=minutes_ago(59.5))
    async with at_work(again):
        assert len(again.heard) == 9


async def test_what_was_heard_under_an_older_name_is_not_heard_again(
    bot: Bot, tmp_path: Path
) -> None:
    bot.fake.like(ANNA, await bot.say(bot.fake.post(ANNA, "@bot.test a link")))
    await bot.until(lambda: len(bot.heard) == 2)
    again = Bot(bot.fake, tmp_path)
    assert bot.cursor is not None
    place = json.loads(bot.cursor)
    del place["cids"]
    again.cursor = json.dumps(place)
    async with at_work(again):
        # The next millisecond, as finer times are not told.
        await asyncio.sleep(0.002)
        bot.fake.post(BOB, "@bot.test one more")
        await again.until(lambda: bool(again.heard))
    assert [event.person_id for event in again.heard] == [BOB]


async def test_news_behind_a_page_of_hidden_ones_is_heard(bot: Bot) -> None:
    bot.fake.post(ANNA, "@bot.test one")
    bot.fake.blockers.add(BOB)
    for n in range(6):
        bot.fake.post(BOB, f"@bot.test hidden {n}", created_at=minutes_ago(-1))
    await bot.until(lambda: len(bot.heard) == 1)


async def test_a_private_card_is_a_direct_message(bot: Bot) -> None:
    asked = bot.fake.post(ANNA, "@bot.test buy")
    ref = await bot.say(asked, only=ANNA)
    [message] = bot.fake.written(ANNA)
    assert message["text"].endswith("Pay ¥199.00")
    assert message["facets"][0]["features"][0]["uri"] == PAY
    assert bot.fake.said() == []
    bot.fake.write(ANNA, "undo", to=message["id"])
    await bot.until(lambda: len(bot.heard) == 2)
    answer = last(bot)
    assert isinstance(answer, Message)
    assert answer.private
    assert answer.reply_to_ref == ref


async def test_who_takes_no_direct_messages_is_told_so_without_a_word_about_money(
    bot: Bot,
) -> None:
    bot.fake.chat.closed.add(ANNA)
    asked = bot.fake.post(ANNA, "@bot.test buy")
    with pytest.raises(Unreachable):
        await bot.say(asked, only=ANNA)
    with pytest.raises(Unreachable):
        await bot.say(asked, only=ANNA)
    [post] = bot.fake.said()
    assert "direct messages" in post["text"]
    assert "199" not in post["text"]
    with pytest.raises(Unreachable):
        await bot.say(None, only=ANNA)
    assert len(bot.fake.said()) == 1


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(bot: Bot) -> None:
    asked = bot.fake.post(ANNA, "@bot.test a link")
    bot.fake.faults["com.atproto.repo.createRecord"] = ["lost"]
    first = await bot.say(asked)
    assert await bot.say(asked) == first
    assert len(bot.fake.said()) == 1


async def test_a_message_whose_answer_was_lost_is_not_written_twice(bot: Bot) -> None:
    bot.fake.faults["chat.bsky.convo.sendMessage"] = ["lost"]
    with pytest.raises(NetworkDown):
        await bot.say(None, only=ANNA)
    ref = await bot.say(None, only=ANNA)
    [message] = bot.fake.written(ANNA)
    assert ref.startswith("dm ")
    assert ref.endswith(f" {message['id']}")


async def test_a_post_that_is_gone_is_not_answered(bot: Bot) -> None:
    asked = bot.fake.post(ANNA, "@bot.test a link")
    bot.fake.delete(asked)
    with pytest.raises(Unreachable):
        await bot.say(asked)


@pytest.mark.parametrize(
    ("refusal", "error", "wait_s"),
    [
        (Refusal(429, "RateLimitExceeded", retry_after="7"), RateLimited, 7.0),
        (Refusal(429, "RateLimitExceeded"), RateLimited, 30.0),
        (Refusal(502, "UpstreamFailure"), NetworkDown, None),
    ],
)
async def test_refusals_become_the_errors_of_the_port(
    bot: Bot, refusal: Refusal, error: type[AdapterError], wait_s: float | None
) -> None:
    asked = bot.fake.post(ANNA, "@bot.test a link")
    bot.fake.faults["com.atproto.repo.createRecord"] = [refusal]
    with pytest.raises(error) as raised:
        await bot.say(asked)
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after_s == wait_s
    assert await bot.say(asked)


async def test_outages_lose_nothing_and_repeat_nothing(bot: Bot) -> None:
    method = "app.bsky.notification.listNotifications"
    # The third is of a server behind this one: the session, and the password, are good.
    behind = [Refusal(401, "BadJwt"), Refusal(401, "BadJwt")]
    bot.fake.faults[method] = [Refusal(503, "NotEnoughResources"), "lost", *behind]
    bot.fake.faults[CHAT_LOG] = [Refusal(501, "MethodNotImplemented")]
    bot.refuse = 2
    for n in range(8):
        bot.fake.post(ANNA, f"@bot.test {n}")
    await bot.until(lambda: len(bot.heard) == 8)
    assert sorted(e.text for e in bot.heard if isinstance(e, Message)) == [str(n) for n in range(8)]


async def test_after_a_restart_reading_goes_on_with_the_kept_session(
    bot: Bot, tmp_path: Path
) -> None:
    bot.fake.post(ANNA, "@bot.test one")
    await bot.until(lambda: len(bot.heard) == 1)
    logins = bot.fake.calls.count("com.atproto.server.createSession")
    again = Bot(bot.fake, tmp_path)
    again.cursor, again.heard = bot.cursor, list(bot.heard)
    async with at_work(again):
        bot.fake.post(ANNA, "@bot.test two")
        await again.until(lambda: len(again.heard) == 2)
    assert bot.fake.calls.count("com.atproto.server.createSession") == logins == 1
    assert modes_in(tmp_path) == [0o600]


@pytest.mark.parametrize(("for_good", "log_ins"), [(False, 1), (True, 2)])
async def test_a_session_that_the_server_ended_is_refreshed_or_else_replaced(
    bot: Bot, *, for_good: bool, log_ins: int
) -> None:
    bot.fake.end_sessions(for_good=for_good)
    bot.fake.post(ANNA, "@bot.test one")
    await bot.until(lambda: len(bot.heard) == 1)
    assert bot.fake.calls.count("com.atproto.server.createSession") == log_ins


async def test_a_session_that_is_about_to_end_is_refreshed(tmp_path: Path) -> None:
    async with FakeBluesky(session_s=60.0) as fake, at_work(Bot(fake, tmp_path)) as bot:
        fake.post(ANNA, "@bot.test one")
        await bot.until(lambda: len(bot.heard) == 1)
        assert "com.atproto.server.refreshSession" in fake.calls
        assert fake.calls.count("com.atproto.server.createSession") == 1


async def test_a_password_without_direct_messages_costs_no_log_ins_and_keeps_cards(
    tmp_path: Path,
) -> None:
    async with (
        FakeBluesky(privileged=False) as fake,
        at_work(Bot(fake, tmp_path)) as bot,
    ):
        asked = fake.post(ANNA, "@bot.test one")
        await bot.until(lambda: len(bot.heard) == 1 and fake.calls.count(CHAT_LOG) > 4)
        assert await bot.say(asked)
        with pytest.raises(NetworkDown, match="direct messages"):
            await bot.say(asked, only=ANNA)
        assert fake.calls.count("com.atproto.server.createSession") == 1


async def test_a_refused_password_ends_the_network_and_keeps_the_card(tmp_path: Path) -> None:
    async with FakeBluesky() as fake:
        bot = Bot(fake, tmp_path, password="wrong")
        with pytest.raises(NetworkDown):
            await bot.say(None, only=ANNA)
        with pytest.raises(AdapterError, match="app password"):
            await bot.adapter.run(bot.hear)


def minutes_ago(minutes: float) -> str:
    return written(datetime.now(UTC) - timedelta(minutes=minutes))


def modes_in(folder: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in folder.iterdir()]


def facet(start: int, end: int, feature: dict[str, str]) -> dict[str, object]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def link(url: str) -> dict[str, str]:
    return {"$type": "app.bsky.richtext.facet#link", "uri": url}


def external(url: str) -> dict[str, object]:
    shown = {"uri": url, "title": "title", "description": ""}
    return {"$type": "app.bsky.embed.external", "external": shown}
