"""What people do where there are no buttons: reply with a word, like, ask for quiet, follow a link.

All of it over a real database, for a made-up network that has only these means.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from bot.adapters.base import Capabilities, Edits
from bot.cards import plain_text
from bot.conversation import replies
from bot.conversation.consents import keep_consent
from bot.conversation.dispatch import Dispatch
from bot.conversation.likes import LikeTerms, like_terms
from bot.conversation.presenter import fit
from bot.events import Event, Liked, Message
from tests.audit import audit
from tests.bot.commands.chat import Chat, Said
from tests.people import fund_desk
from wallet_core.commerce.records import OrderState
from wallet_core.ledger.commits import Commit, Notice
from wallet_core.money import Money
from wallet_core.storage.outbox import Sent

BLOG = "blog"
ABLE = Capabilities(
    buttons=False,
    reactions=False,
    edits=Edits.NONE,
    private_in_room=False,
    pictures=False,
    reply_words=True,
    pay_links=True,
)
PAGE = "https://pay.example/pay"


class Blog:
    """A chat whose people are on the made-up network; each card is fitted and noted as sent."""

    def __init__(self, chat: Chat, able: Capabilities = ABLE) -> None:
        self.chat = chat
        self.able = able
        self.heard = itertools.count()
        self.chat.dispatch = _dispatch(chat, able)

    async def tell(self, event: Event) -> list[Said]:
        await self.chat.dispatch.answer(event)
        return await self.deliver()

    async def deliver(self) -> list[Said]:
        said: list[Said] = []
        while due := await self.chat.outbox.take([BLOG], 100):
            for row in due:
                card = await self.chat._card_of(row)
                ref = f"post{row.seq}"
                body = None
                if card is not None:
                    fitted = fit(card, self.able, PAGE)
                    body = msgspec.json.encode(fitted)
                    if row.edits is None:
                        said.append(
                            Said(
                                row.room_id,
                                row.person_id,
                                fitted,
                                ref,
                                row.view,
                                row.ref,
                                edit=False,
                            )
                        )
                sent = Sent(
                    seq=row.seq, send_id=row.send_id, edits=row.edits, message_ref=ref, shown=body
                )
                await self.chat.outbox.sent([sent])
        return said

    async def write(self, who: str, text: str, **more: object) -> list[Said]:
        n = next(self.heard)
        fields: dict[str, object] = {"room_id": who, "message_ref": f"m{n}", **more}
        event = Message(id=f"{BLOG}:{n}", network=BLOG, person_id=who, text=text, **fields)  # type: ignore[arg-type]
        return await self.tell(event)

    async def like(self, who: str, ref: str) -> list[Said]:
        return await self.tell(
            Liked(
                id=f"{BLOG}:like:{who} {ref}",
                network=BLOG,
                room_id=who,
                person_id=who,
                message_ref=ref,
            )
        )

    async def offer(self, room: str = "anna", *, only_for: str | None = None) -> Said:
        """An offer card of a shop's product in a room of the network."""
        n = next(self.heard)
        shop = await self.chat.open_shop("seller", f"Shop {n}", room=f"kitchen-{n}")
        shown = await self.chat.offer(shop, room=room)
        quote_id = shown.ref
        notice = Notice(
            send_id=f"o{quote_id}",
            network=BLOG,
            room_id=room,
            person_id=only_for,
            view="offer",
            ref=quote_id,
        )
        await self.chat.writer.commit(Commit(key=f"o{quote_id}", outbox=(notice,)))
        [said] = await self.deliver()
        return said

    async def fund(self, who: str, amount_minor: int = 50_000) -> None:
        await self.chat.desk.people.meet(BLOG, who, who)
        await fund_desk(self.chat.desk, BLOG, who, amount_minor)

    async def orders(self, who: str) -> list[str]:
        person = await self.chat.desk.people.meet(BLOG, who, who)
        orders = await self.chat.desk.reader.recent_orders(person.wallet_id, 10)
        return [order.state for order in orders]


def _dispatch(chat: Chat, able: Capabilities) -> Dispatch:
    prefixes = {**chat.dispatch.prefixes, BLOG: ("/", "!")}
    return replace(chat.dispatch, capabilities={BLOG: able}, prefixes=prefixes)


@pytest.fixture(autouse=True)
def _without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    # Here every card that was sent is noted before anybody can answer it.
    monkeypatch.setattr(replies, "PATIENCE_S", 0.0)


@pytest.fixture
def blog(chat: Chat) -> Blog:
    return Blog(chat)


def texts(said: Sequence[Said]) -> list[str]:
    return [plain_text(one.card) for one in said]


@pytest.mark.parametrize(
    "words", ["buy", "Buy!", " BUY 💳 ", "买", "購入", "comprar", "Acheter", "kaufen", "купить"]
)
async def test_a_reply_with_the_word_pays_for_who_has_a_wallet(blog: Blog, words: str) -> None:
    offer = await blog.offer()
    await blog.fund("anna")
    [paid] = await blog.write("anna", words, reply_to_ref=offer.message_ref)
    assert paid.card.title == "¥199.00 is held"
    assert paid.to == "anna"
    assert await blog.orders("anna") == [OrderState.AUTHORISED]


@pytest.mark.parametrize(
    "words",
    ["don't buy", "buy?no", "I will buy it", "buyer", "nice", "", "pay attention", "买不买"],
)
async def test_words_that_are_not_the_whole_reply_pay_nothing(blog: Blog, words: str) -> None:
    offer = await blog.offer()
    await blog.fund("anna")
    assert await blog.write("anna", words, reply_to_ref=offer.message_ref) == []
    assert await blog.orders("anna") == []


async def test_the_word_counts_only_below_an_offer_of_the_bot(blog: Blog) -> None:
    await blog.offer()
    await blog.fund("anna")
    assert await blog.write("anna", "buy") == []
    assert await blog.write("anna", "buy", reply_to_ref="someone else's") == []
    private = await blog.offer(only_for="bob")
    assert await blog.write("anna", "buy", reply_to_ref=private.message_ref) == []
    assert await blog.orders("anna") == []


async def test_the_second_reply_pays_nothing_and_an_undo_takes_the_payment_back(
    blog: Blog,
) -> None:
    offer = await blog.offer()
    await blog.fund("anna")
    [paid] = await blog.write("anna", "buy", reply_to_ref=offer.message_ref)
    [again] = await blog.write("anna", "buy", reply_to_ref=offer.message_ref)
    assert "Not charged again" in plain_text(again.card)
    assert "Reply “undo”." in plain_text(paid.card)
    await blog.write("anna", "撤销", reply_to_ref=paid.message_ref)
    assert await blog.orders("anna") == [OrderState.UNDONE]


async def test_who_has_no_wallet_gets_a_link_and_is_charged_nothing(blog: Blog) -> None:
    offer = await blog.offer()
    [answer] = await blog.write("anna", "buy", reply_to_ref=offer.message_ref)
    assert answer.to == "anna"
    assert answer.card.title == "Not charged. You have no wallet here yet."
    assert f"{PAGE}/{offer.ref}" in [button.url for button in answer.card.buttons]
    assert await blog.orders("anna") == []
    # With money in it, the answer can be answered.
    await blog.fund("anna")
    [paid] = await blog.write("anna", "buy", reply_to_ref=answer.message_ref)
    assert paid.card.title == "¥199.00 is held"


async def test_a_like_brings_the_offer_in_private_once(blog: Blog) -> None:
    offer = await blog.offer()
    await blog.fund("bob")
    [shown] = await blog.like("bob", offer.message_ref)
    assert (shown.to, shown.room, shown.view, shown.ref) == ("bob", "bob", "offer", offer.ref)
    assert await blog.like("bob", offer.message_ref) == []
    assert await blog.like("bob", "a post of somebody else") == []
    assert await blog.orders("bob") == []


async def test_a_like_pays_only_under_the_limit_that_its_giver_set(blog: Blog) -> None:
    offers = [await blog.offer() for _ in range(4)]
    await blog.fund("bob", 90_000)
    [answer] = await blog.write("bob", "/likes")
    assert "never pays" in plain_text(answer.card)
    await blog.write("bob", "/likes 150")
    person = await blog.chat.desk.people.meet(BLOG, "bob", "bob")
    terms = LikeTerms(Money(15_000, "CNY"), Money(75_000, "CNY"))
    assert await like_terms(blog.chat.desk, person.id) == terms
    [dear] = await blog.like("bob", offers[0].message_ref)
    assert dear.view == "offer"
    await blog.write("bob", "/likes 199")
    [paid] = await blog.like("bob", offers[1].message_ref)
    assert paid.card.title == "¥199.00 is held"
    await blog.write("bob", "/likes 300 USD")
    assert [one.view for one in await blog.like("bob", offers[2].message_ref)] == ["offer"]
    await blog.write("bob", "/likes off")
    assert [one.view for one in await blog.like("bob", offers[3].message_ref)] == ["offer"]
    assert await like_terms(blog.chat.desk, person.id) is None
    assert await blog.orders("bob") == [OrderState.AUTHORISED]
    [wrong] = await blog.write("bob", "/likes many")
    assert "not an amount" in plain_text(wrong.card)


async def test_the_likes_of_a_day_pay_no_more_than_their_sum(blog: Blog) -> None:
    offers = [await blog.offer() for _ in range(4)]
    await blog.fund("bob", 90_000)
    [answer] = await blog.write("bob", "/likes 199 day 400")
    assert "all likes of 24 hours pay ¥400.00 at most" in plain_text(answer.card)
    for offer in offers[:2]:
        [paid] = await blog.like("bob", offer.message_ref)
        assert paid.card.title == "¥199.00 is held"
    told, offered = await blog.like("bob", offers[2].message_ref)
    assert told.card.title == "Not charged."
    assert "Your likes have paid ¥398.00 in the last 24 hours" in plain_text(told.card)
    assert (offered.view, offered.to) == ("offer", "bob")
    # What is bought otherwise is no like, and an undo gives its share back.
    await blog.write("bob", "buy", reply_to_ref=offered.message_ref)
    assert await blog.orders("bob") == [OrderState.AUTHORISED] * 3
    await blog.write("bob", "undo", reply_to_ref=paid.message_ref)
    [paid] = await blog.like("bob", offers[3].message_ref)
    assert paid.card.title == "¥199.00 is held"
    [wrong] = await blog.write("bob", "/likes 199 day 100")
    assert "cannot be less" in plain_text(wrong.card)


async def test_likes_at_the_same_moment_pay_no_more_than_their_sum(blog: Blog) -> None:
    offers = [await blog.offer() for _ in range(4)]
    await blog.fund("bob", 90_000)
    await blog.write("bob", "/likes 199 day 400")
    await asyncio.gather(
        *(
            blog.chat.dispatch.answer(
                Liked(
                    id=f"{BLOG}:like:bob {offer.message_ref}",
                    network=BLOG,
                    room_id="bob",
                    person_id="bob",
                    message_ref=offer.message_ref,
                )
            )
            for offer in offers
        )
    )
    assert (await blog.orders("bob")).count(OrderState.AUTHORISED) == 2
    await audit(blog.chat.database)


async def test_a_consent_of_before_there_were_days_pays_five_times_as_much_a_day(
    blog: Blog,
) -> None:
    person = await blog.chat.desk.people.meet(BLOG, "bob", "bob")
    await keep_consent(blog.chat.writer, person.id, "likes", "CNY 15000")
    terms = LikeTerms(Money(15_000, "CNY"), Money(75_000, "CNY"))
    assert await like_terms(blog.chat.desk, person.id) == terms


async def test_who_says_stop_is_not_spoken_to_unasked(blog: Blog) -> None:
    offer = await blog.offer()
    [answer] = await blog.write("anna", "Stop.")
    assert "keep quiet" in plain_text(answer.card)
    assert answer.to == "anna"
    assert await blog.write("anna", "stop") == []
    assert await blog.write("anna", "https://nowhere.invalid/p", unasked=True) == []
    assert await blog.like("anna", offer.message_ref) == []
    [back] = await blog.write("anna", "start")
    assert "again" in plain_text(back.card)
    assert len(await blog.like("anna", (await blog.offer()).message_ref)) == 1


async def test_what_was_not_said_to_the_bot_is_never_a_word_or_a_command(blog: Blog) -> None:
    offer = await blog.offer()
    await blog.fund("anna")
    for words in ("buy", "/balance", "stop"):
        more = {"reply_to_ref": offer.message_ref, "unasked": True}
        assert await blog.write("anna", words, **more) == []
    assert await blog.orders("anna") == []


async def test_in_private_a_command_needs_no_prefix(blog: Blog) -> None:
    [answer] = await blog.write("anna", "balance", private=True)
    assert answer.card.title == "Your wallet"
    assert await blog.write("anna", "balance") == []
    assert await blog.write("anna", "hello there", private=True) == []


async def test_where_nobody_is_proven_nothing_but_links_is_answered(chat: Chat) -> None:
    able = msgspec.structs.replace(ABLE, proves_people=False, reply_words=False)
    blog = Blog(chat, able)
    offer = await blog.offer()
    await blog.fund("anna")
    pay = [button for button in offer.card.buttons if button.url]
    assert [button.url for button in pay] == [f"{PAGE}/{offer.ref}"]
    assert all(button.action == "" for button in offer.card.buttons)
    for words in ("buy", "/buy", "/withdraw 100", "stop", "/likes 100"):
        assert await blog.write("anna", words, reply_to_ref=offer.message_ref) == []
    assert await blog.like("anna", offer.message_ref) == []
    assert await blog.orders("anna") == []
