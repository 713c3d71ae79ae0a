import re
from collections.abc import AsyncIterator

import pytest

from bot.adapters.base import AdapterError, NetworkDown, RateLimited, Unreachable
from bot.adapters.mastodon import Mastodon
from bot.adapters.mastodon.reading import read_post
from bot.adapters.mastodon.rendering import post_text
from bot.cards import Button, Card, Line, Outgoing, Picture
from bot.events import Liked, Message
from tests.bot.adapters.ears import Ears, at_work
from tests.peers.mastodon_api import HOST, TOKEN, FakeMastodon

PAY = "https://pay.example/pay/q_1"
OFFER = Card(
    title="青花瓷茶杯",
    lines=(Line("¥199.00"), Line("Reply “buy” to pay ¥199.00.")),
    buttons=(Button(label="Pay ¥199.00", url=PAY), Button(label="Pay", action="pay:q_1")),
)
LINK = '<a href="https://shop.example/p?a=1&amp;b=2" rel="nofollow">shop.example/p…</a>'


class Bot(Ears):
    """The adapter, and what it heard."""

    adapter: Mastodon

    def __init__(self, fake: FakeMastodon, *, poll_s: float = 0.05, token: str = TOKEN) -> None:
        super().__init__()
        self.fake = fake
        self.adapter = Mastodon(
            fake.base_url,
            token,
            cursors=self,
            pictures=self,
            operator="@ann@fedi.example",
            poll_s=poll_s,
            pause_s_max=0.1,
        )

    async def load_picture(self, digest: str) -> tuple[str, bytes] | None:
        return ("image/jpeg", b"jpeg") if digest == "known" else None

    async def say(
        self,
        to: str | None,
        card: Card = OFFER,
        *,
        room: str = "id-anna",
        only: str | None = None,
        send_id: str = "s1",
    ) -> str:
        return await self.adapter.send(
            Outgoing(
                send_id=send_id,
                network="mastodon",
                room_id=room,
                card=card,
                person_id=only,
                reply_to_ref=to,
            )
        )


@pytest.fixture
async def fake() -> AsyncIterator[FakeMastodon]:
    async with FakeMastodon() as fake:
        yield fake


@pytest.fixture
async def bot(fake: FakeMastodon) -> AsyncIterator[Bot]:
    fake.streams = False
    await fake.mention("bob", "before the bot came")
    async with at_work(Bot(fake)) as bot:
        yield bot


async def test_a_mention_is_heard_with_its_words_and_links(bot: Bot) -> None:
    tag = '<a href="https://fedi.example/tags/tea" class="mention hashtag" rel="tag">#tea</a>'
    poll = {"id": "1", "options": [{"title": "yes", "votes_count": 1}], "expired": False}
    ref = await bot.fake.mention("anna@far.example", f"看 {LINK} {tag}", poll=poll)
    await bot.until(lambda: bool(bot.heard))
    [message] = bot.heard
    assert isinstance(message, Message)
    assert message.text == "看 #tea"
    assert [link.url for link in message.links] == ["https://shop.example/p?a=1&b=2"]
    assert message.id == f"mastodon:https://{HOST}/users/anna@far.example/statuses/{ref}"
    assert message.person_id == f"https://{HOST}/users/anna@far.example"
    assert (message.room_id, message.message_ref) == ("id-anna@far.example", ref)
    assert not message.private
    assert not message.unasked


async def test_a_direct_mention_is_private_and_a_reply_names_what_it_answers(bot: Bot) -> None:
    offer = bot.fake.post("bot", "offer")
    await bot.fake.mention("anna", "buy", to=offer, visibility="direct")
    await bot.until(lambda: bool(bot.heard))
    [message] = bot.heard
    assert isinstance(message, Message)
    assert (message.text, message.reply_to_ref, message.private) == ("buy", offer, True)


async def test_a_favourite_is_one_event_for_ever_and_only_of_the_bots_posts(bot: Bot) -> None:
    offer, other = bot.fake.post("bot", "offer"), bot.fake.post("carl", "cat")
    await bot.fake.tell("favourite", "anna", other)
    await bot.fake.tell("reblog", "anna", offer)
    await bot.fake.tell("favourite", "anna", offer)
    await bot.fake.tell("favourite", "anna", offer)
    await bot.fake.mention("anna", "done")
    await bot.until(lambda: len(bot.heard) == 2)
    liked = bot.heard[0]
    assert isinstance(liked, Liked)
    assert (liked.message_ref, liked.person_id) == (offer, f"https://{HOST}/users/anna")


async def test_bots_are_not_answered(bot: Bot) -> None:
    await bot.fake.mention("robot7", "hello")
    await bot.fake.mention("anna", "hello")
    await bot.until(lambda: bool(bot.heard))
    assert [event.room_id for event in bot.heard] == ["id-anna"]


async def test_a_link_of_a_follower_is_overheard_once_a_thread(bot: Bot) -> None:
    fake = bot.fake
    fake.followers |= {"id-anna", "id-nora"}
    fake.notes["nora"] = "<p>cats <a>#<span>nobot</span></a></p>"
    link = f"<p>nice {LINK}</p>"
    for who, more in (
        ("carl", {}),
        ("nora", {}),
        ("robot7", {}),
        ("anna", {"to": "1"}),
        ("anna", {"visibility": "private"}),
        ("anna", {"reblog": {"id": "5"}}),
        ("bot", {}),
    ):
        await fake.share(who, link, **more)
    await fake.share("anna", "<p>no link</p>")
    ref = await fake.share("anna", link)
    await bot.until(lambda: bool(bot.heard))
    await fake.mention("carl", "and now?")
    await bot.until(lambda: len(bot.heard) == 2)
    heard = bot.heard[0]
    assert isinstance(heard, Message)
    assert heard.unasked
    assert heard.message_ref == ref


async def test_a_follower_is_followed_back_unless_bots_are_unwelcome(bot: Bot) -> None:
    bot.fake.notes["nora"] = "#NoBot"
    for who in ("nora", "robot7", "anna"):
        await bot.fake.tell("follow", who)
    await bot.until(lambda: bool(bot.fake.followed))
    assert bot.fake.followed == ["id-anna"]


async def test_the_profile_says_that_it_is_a_bot_and_whose(bot: Bot) -> None:
    assert bot.fake.profile["bot"] in ("1", "true", "True")
    assert "@ann@fedi.example" in bot.fake.profile.values()


async def test_an_offer_is_unlisted_below_the_post_and_calls_only_its_writer(bot: Bot) -> None:
    asked = bot.fake.post("anna@far.example", "look")
    picture = Picture(digest="known", alt="cup", mime="image/jpeg", width_px=1, height_px=1)
    hostile = Card(
        title="@victim@far.example #spam https://evil.example <b>x</b>",
        lines=OFFER.lines,
        buttons=OFFER.buttons,
        picture=picture,
    )
    ref = await bot.say(asked, hostile, room="id-anna@far.example")
    [post] = bot.fake.own()
    assert post["id"] == ref
    assert (post["visibility"], post["in_reply_to_id"]) == ("unlisted", asked)
    assert [mention["acct"] for mention in post["mentions"]] == ["anna@far.example"]
    assert [link.url for link in read_post(post["content"]).links] == [PAY]
    assert len(post["media_attachments"]) == 1


async def test_what_is_not_public_is_answered_directly(bot: Bot) -> None:
    for visibility in ("private", "direct"):
        asked = bot.fake.post("anna", "look", visibility=visibility)
        await bot.say(asked, send_id=visibility)
    await bot.say(None, only=f"https://{HOST}/users/anna", send_id="receipt")
    open_post = bot.fake.post("anna", "look")
    await bot.say(open_post, only=f"https://{HOST}/users/anna", send_id="answer")
    assert {post["visibility"] for post in bot.fake.own()} == {"direct"}
    assert len(bot.fake.own()) == 4


async def test_a_post_that_is_gone_or_an_account_that_is_another_is_not_answered(bot: Bot) -> None:
    with pytest.raises(Unreachable):
        await bot.say("no such post")
    with pytest.raises(Unreachable):
        await bot.say(None, only=f"https://{HOST}/users/somebody-else")
    # What concerns money is said even if the post that asked was taken away.
    await bot.say("no such post", only=f"https://{HOST}/users/anna")
    assert len(bot.fake.own()) == 1


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(bot: Bot) -> None:
    asked = bot.fake.post("anna", "look")
    bot.fake.faults["/api/v1/statuses"] = ["lost"]
    with pytest.raises(NetworkDown):
        await bot.say(asked)
    ref = await bot.say(asked)
    assert [post["id"] for post in bot.fake.own()] == [ref]
    await bot.say(asked, send_id="another")
    assert len(bot.fake.own()) == 2
    assert len(set(bot.fake.keys)) == 2


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({}, 15.0),
        ({"X-RateLimit-Reset": "2001-01-01T00:00:00Z"}, 0.05),
    ],
)
async def test_429_is_honoured_with_and_without_retry_after(
    bot: Bot, headers: dict[str, str], wait_s: float
) -> None:
    asked = bot.fake.post("anna", "look")
    bot.fake.faults["/api/v1/statuses"] = [(429, headers)]
    with pytest.raises(RateLimited) as raised:
        await bot.say(asked)
    assert raised.value.retry_after_s == pytest.approx(wait_s)
    # Nothing waits in a thread: the next request goes at once.
    await bot.say(asked)


async def test_outages_lose_nothing_and_repeat_nothing(bot: Bot) -> None:
    bot.fake.faults["/api/v1/notifications"] = [(503, {}), "lost", (429, {"Retry-After": "0"})]
    bot.fake.faults["/api/v1/timelines/home"] = [(502, {})]
    bot.refuse = 1
    for n in range(45):
        bot.fake.told.append(
            {
                "id": bot.fake._next(),
                "type": "mention",
                "created_at": "2026-01-01T00:00:00Z",
                "account": bot.fake.account("anna"),
                "status": bot.fake.posts[bot.fake.post("anna", f"n{n}")],
            }
        )
    await bot.until(lambda: len(bot.heard) == 45, within_s=60)
    assert [e.text for e in bot.heard if isinstance(e, Message)] == [f"n{n}" for n in range(45)]


async def test_a_crowd_that_comes_before_the_first_word_was_read_is_heard_whole(
    fake: FakeMastodon,
) -> None:
    fake.streams = False
    bot = Bot(fake, poll_s=30.0)
    async with at_work(bot):
        # It has looked, and nothing stood there.
        await bot.until(lambda: bot.cursor is not None)
    for n in range(95):
        await fake.mention("anna", f"n{n}")
    again = Bot(fake)
    again.cursor = bot.cursor
    async with at_work(again):
        await again.until(lambda: len(again.heard) == 95)
    assert [e.text for e in again.heard if isinstance(e, Message)] == [f"n{n}" for n in range(95)]


async def test_after_a_restart_reading_goes_on_where_it_stopped(fake: FakeMastodon) -> None:
    fake.streams = False
    async with at_work(Bot(fake)) as first:
        await fake.mention("anna", "one")
        await first.until(lambda: len(first.heard) == 1)
    await fake.mention("anna", "two")
    second = Bot(fake)
    second.cursor = first.cursor
    async with at_work(second):
        await second.until(lambda: len(second.heard) == 1)
    assert [e.text for e in second.heard if isinstance(e, Message)] == ["two"]


async def test_the_stream_rings_long_before_the_next_poll(fake: FakeMastodon) -> None:
    async with at_work(Bot(fake, poll_s=30.0)) as bot:
        await bot.until(lambda: bool(fake._listeners))
        await fake.mention("anna", "one")
        await bot.until(lambda: len(bot.heard) == 1, within_s=10)


async def test_a_broken_stream_loses_nothing(fake: FakeMastodon) -> None:
    async with at_work(Bot(fake, poll_s=0.2)) as bot:
        await bot.until(lambda: bool(fake._listeners))
        await fake.mention("anna", "one")
        await bot.until(lambda: len(bot.heard) == 1)
        await fake.stop_streams()
        fake.streams = False
        handle = bot.adapter._bell._handle  # type: ignore[union-attr]
        assert handle is not None
        await bot.until(lambda: not handle.is_receiving())
        bot.adapter._bell._rung.set()  # type: ignore[union-attr]
        await fake.mention("anna", "two")
        await bot.until(lambda: len(bot.heard) == 2)


async def test_a_dead_token_ends_the_network_and_keeps_the_card(fake: FakeMastodon) -> None:
    bot = Bot(fake, token="wrong")
    with pytest.raises(NetworkDown):
        await bot.say(None, only="x")
    with pytest.raises(AdapterError, match="access token"):
        await bot.adapter.run(bot.hear)


@pytest.mark.parametrize("signs", ["@a", "<b", "&lt;", "](", "a.bc", "_", "~~", ":x:", "!a", "\\"])
def test_a_title_full_of_signs_is_no_longer_than_the_card_and_a_little(signs: str) -> None:
    title = (signs * 350)[:350]
    text = post_text(Card(title=title), "@anna")
    assert len(text) <= len("@anna ") + 350 + 60
    bare = text.removeprefix("@anna ")
    assert not re.search(r"@\w|<\w|&\w|\]\(|__|~~|:\w+:|\w\.[a-z]{2}|!\w", bare)


def test_a_title_of_everyday_stays_what_it_is() -> None:
    title = "Tea & Co. (250 g) – 12:30, 50% off! snake_case C++ #1"
    assert post_text(Card(title=title), "").replace("\u2060", "").replace("\ufe5f", "#") == title


HIDDEN = '<span class="invisible">https://evil.example/'


@pytest.mark.parametrize(
    ("before", "inside", "shown"),
    [
        ("", "shop.example", "shop.example"),
        ("", f"{HIDDEN}</span>shop.example", "shop.example"),
        ("", f"{HIDDEN}<b>x</b><span>y</span></span><span>shop.example/t</span>", "shop.example/t"),
        ("", f'shop.example/t{HIDDEN}ea</span><span class="ellipsis"></span>', "shop.example/t"),
        (f"<p>{HIDDEN}</p>", "shop.example", "shop.example"),
    ],
)
def test_what_is_shown_for_a_link_is_what_people_see_of_it(
    before: str, inside: str, shown: str
) -> None:
    content = f'{before}<p>Look: <a href="https://evil.example/x">{inside}</a></p>'
    assert [(link.url, link.text) for link in read_post(content).links] == [
        ("https://evil.example/x", shown)
    ]
