"""The whole bot on a real fediverse server, used as people use it.

A post takes some seconds from one account to another there, so one conversation holds much.
"""

from pathlib import Path

from bot.adapters.mastodon.rendering import tame
from bot.conversation.likes import set_like_terms, usual_terms
from tests.bot.adapters.contract.goods import TITLES, open_shop
from tests.fediverse_people import Bot, Person, said_by
from tests.peers.snac import SnacPeer
from tests.people import audit_folder, fund, orders_of
from wallet_core.commerce.records import OrderState
from wallet_core.money import Money

NETWORK = "mastodon"


def _shown(title: str) -> str:
    """A title as the bot posts it."""
    return " ".join(tame(title).split())


PRICE = "¥199.00"
TITLE = "青花瓷茶杯"


async def test_from_a_shared_link_to_paid_undone_and_liked(snac: SnacPeer, tmp_path: Path) -> None:
    bot = Bot(snac, tmp_path)
    anna, bob, carl = (Person(snac, name) for name in ("anna", "bob", "carl"))
    async with (
        open_shop() as shop,
        bot.running(money__undo_window_s="60", fetch__allowed_origins=shop.host) as instance,
    ):
        url = instance.sample_url
        assert url is not None
        await fund(instance, NETWORK, anna.actor, 50_000)
        await fund(instance, NETWORK, bob.actor, 50_000)
        liker = await instance.desk.people.meet(NETWORK, bob.actor, "till")
        terms = usual_terms(instance.desk, Money(20_000, "CNY"))
        await set_like_terms(instance.desk, liker.id, terms)

        # A mention with a link is answered below it, once, with the price and a pay link.
        asked = await anna.say(f"@{bot.user} 看这个 {url} #teacup")
        also = await bob.say(f"@{bot.user} {url}")
        # This server reads Markdown in what is posted, and passes HTML on as it is.
        odd = ("arabic", "hostile-0", "hostile-2", "hostile-3")
        for slug in odd:
            await carl.say(f"@{bot.user} {shop.url(slug)}")
        offer, other = await bot.see((PRICE, anna), (PRICE, bob))
        words = said_by(offer)
        assert words.text.splitlines()[0] == TITLE
        assert "Reply “buy” to pay ¥199.00." in words.text
        assert str(offer.in_reply_to_id) == str(asked.id)
        assert str(other.in_reply_to_id) == str(also.id)
        # The server has no "unlisted" and makes it public; direct it must never be.
        assert offer.visibility in ("public", "unlisted")
        (pay_link,) = [link.url for link in words.links if "/pay/" in link.url]
        assert pay_link.startswith(instance.url + "/pay/q_")
        assert len(offer.media_attachments) == 1
        assert (await bot.act(bot.api.account_verify_credentials)).bot

        # No name became markup, a link or a call: carl's shop is nobody's, so no pay link either.
        for post in await bot.see(*((_shown(TITLES[slug]), carl) for slug in odd)):
            assert said_by(post).links == ()
            assert said_by(post).mentions == {carl.actor}

        # Anna takes another name and buys, by two replies; Bob, whose likes may pay, likes his.
        await anna.act(anna.api.account_update_credentials, display_name="Somebody else")
        await anna.say(f"@{bot.user} 买！", to=str(offer.id))
        await anna.say(f"@{bot.user} Buy", to=str(offer.id))
        await bob.act(bob.api.status_favourite, other.id)
        paid, joined, liked = await bot.see(
            (f"Paid {PRICE}", anna),
            ("paying for this already", anna),
            (f"Paid {PRICE}", bob),
        )
        for private in (paid, joined, liked):
            # The server reads a direct post back as private.
            assert private.visibility in ("private", "direct")
        assert len(await orders_of(instance, NETWORK, anna.actor)) == 1

        # The undo is a reply to the receipt; the news of it is a new message.
        assert "Reply “undo”" in said_by(paid).text
        await anna.say(f"@{bot.user} undo", to=str(paid.id), visibility="direct")
        [undone] = await bot.see((f"Undone. {PRICE} is back", anna))
        assert undone.visibility in ("private", "direct")
        [order] = await orders_of(instance, NETWORK, anna.actor)
        assert order.state == OrderState.UNDONE
        [kept] = await orders_of(instance, NETWORK, bob.actor)
        assert kept.state == OrderState.AUTHORISED
        below = [post for post in await bot.posts() if post.in_reply_to_id == asked.id]
        assert len(below) == 1
    await audit_folder(bot.data_dir)
