"""The whole bot on a real fediverse server, used as people use it.

A post takes some seconds from one account to another there, so one conversation holds much.
"""

import asyncio
from pathlib import Path

from bot.conversation.likes import set_like_limit
from tests.audit import audit
from tests.fediverse_people import Bot, Person, fund, orders_of, said_by
from tests.peers.snac import SnacPeer
from wallet_core.commerce.records import OrderState
from wallet_core.money import Money
from wallet_core.storage.database import Database

NETWORK = "mastodon"
PRICE = "¥199.00"
TITLE = "青花瓷茶杯"


async def test_from_a_shared_link_to_paid_undone_and_liked(snac: SnacPeer, tmp_path: Path) -> None:
    bot = Bot(snac, tmp_path)
    anna, bob, carl = (Person(snac, name) for name in ("anna", "bob", "carl"))
    async with bot.running(money__undo_window_s="60") as instance:
        url = instance.sample_url
        assert url is not None
        await fund(instance, NETWORK, anna.actor, 50_000)
        await fund(instance, NETWORK, carl.actor, 50_000)
        liker = await instance.desk.people.meet(NETWORK, carl.actor, "till")
        await set_like_limit(instance.desk, liker.id, Money(20_000, "CNY"))

        await asyncio.gather(bob.follow(bot), carl.follow(bot))
        # A mention with a link is answered below it, once, with the price and a pay link.
        asked = await anna.say(f"@{bot.user} 看这个 {url} #teacup")
        [offer] = await bot.see(instance, (PRICE, anna))
        words = said_by(offer)
        assert words.text.splitlines()[0] == TITLE
        assert "Reply “buy” to pay ¥199.00." in words.text
        assert str(offer.in_reply_to_id) == str(asked.id)
        # The server has no "unlisted" and makes it public; direct it must never be.
        assert offer.visibility in ("public", "unlisted")
        (pay_link,) = [link.url for link in words.links if "/pay/" in link.url]
        assert pay_link.startswith(instance.url + "/pay/q_")
        assert len(offer.media_attachments) == 1
        me = await bot.act(bot.api.account_verify_credentials)
        assert me.bot

        await asyncio.gather(*(person.reads(offer) for person in (anna, bob, carl)))
        # At once: Anna buys, by two replies; Bob, who has no wallet, tries to; Carl, whose likes
        # may pay, likes it, and so does Bob, whose likes may not.
        first = await anna.say(f"@{bot.user} 买！", to=str(offer.id))
        await asyncio.gather(
            anna.say(f"@{bot.user} Buy", to=str(offer.id)),
            bob.say(f"@{bot.user} buy", to=str(offer.id)),
            carl.act(carl.api.status_favourite, offer.id),
            bob.act(bob.api.status_favourite, offer.id),
            bob.say(f"@{bot.user} stop by, I will buy you a tea"),
        )
        paid, joined, no_wallet, liked, shown = await bot.see(
            instance,
            (f"Paid {PRICE}", anna),
            ("paying for this already", anna),
            ("Not charged. You have no wallet here yet.", bob),
            (f"Paid {PRICE}", carl),
            ("Reply “buy” to pay", bob),
        )
        for private in (paid, joined, no_wallet, liked, shown):
            # The server reads a direct post back as private.
            assert private.visibility in ("private", "direct")
        assert pay_link in [link.url for link in said_by(no_wallet).links]
        assert [order.state for order in await orders_of(instance, NETWORK, bob.actor)] == []
        assert len(await orders_of(instance, NETWORK, anna.actor)) == 1

        # The undo is a reply to the receipt; the news of it is a new message.
        assert "Reply “undo”" in said_by(paid).text
        await anna.say(f"@{bot.user} undo", to=str(paid.id), visibility="direct")
        [undone] = await bot.see(instance, (f"Undone. {PRICE} is back", anna))
        assert undone.visibility in ("private", "direct")
        [order] = await orders_of(instance, NETWORK, anna.actor)
        assert order.state == OrderState.UNDONE
        [kept] = await orders_of(instance, NETWORK, carl.actor)
        assert kept.state == OrderState.AUTHORISED

        # Nothing was said twice, and nothing to anybody's talk.
        posts = [post for post in await bot.posts() if post.in_reply_to_id == asked.id]
        assert len(posts) == 1
        assert first.id != asked.id
    database = Database(f"sqlite+aiosqlite:///{bot.data_dir / 'payontap.db'}")
    await audit(database)
    await database.close()
