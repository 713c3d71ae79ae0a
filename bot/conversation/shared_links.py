"""Links that people share: read the page, freeze a quote, answer with a card.

The page is read before anything is written; then offer, quote and card stand in one commit under
the event's key. A page that is no product is passed over in silence.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import structlog

from bot.conversation.offer_rows import offer_rows, quote_of
from bot.conversation.product_pages import Product, ProductPages, SharedLink
from bot.conversation.speech import send_id
from bot.conversation.turn import Desk, Turn, sentence
from bot.events import MarkedLink, Message
from bot.links.canonical import canonical_url, identity_of
from bot.links.fetch import FetchError
from bot.links.hosts import is_casual_name
from bot.links.lookalikes import shown_elsewhere_warning
from bot.links.page_cache import PageStore
from bot.links.scan import FoundLink, find_links
from bot.links.share_codes import find_share_codes
from bot.links.signed_offers import offer_in_link
from bot.links.trust import Trust
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Insert, Notice, Refresh, RowChange
from wallet_core.ledger.transfers import named

_log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode

#: In the middle of a link as Markdown writes it.
_MARKDOWN = "]("
#: Links of one message that are answered.
LINKS_MAX = 3
#: How often an offer that somebody else changes at the same moment is written again.
_TRIES = 4


@dataclass(frozen=True)
class SharedLinks:
    """Answers links. `quote_valid_s`: how long a frozen price may be tapped.

    `seen` remembers which product has a card in which thread; without it none is remembered.
    """

    pages: ProductPages
    quote_valid_s: float
    seen: PageStore | None = None

    async def answer(self, desk: Desk, turn: Turn, message: Message) -> None:
        """Answer a message: a card for each product link in it, nothing for all else."""
        links = _links(message)
        looked = await self._look_at_all(desk, links)
        # Ways to one product are one card; the doubtful way decides.
        by_identity: dict[str, Product] = {}
        for found in looked:
            if isinstance(found, Product) and _weighs_more(found, by_identity.get(found.identity)):
                by_identity[found.identity] = found
        products = list(by_identity.values())
        if not products:
            codes = find_share_codes(message.text)
            if codes:
                await desk.answer(turn, sentence(codes[0].sentence))
                return
            failures = [failure for failure in looked if isinstance(failure, FetchError)]
            if message.private and failures:
                await desk.answer(turn, sentence(f"I could not read that page. {failures[0]}"))
                return
            await desk.close(turn)
            return
        products = [product for product in products if await self._is_new(message, product)]
        if not products:
            await desk.close(turn)
            return
        await self._offer(desk, turn, products, reply_to=message.message_ref, private=False)

    async def _look_at_all(
        self, desk: Desk, links: Sequence[SharedLink]
    ) -> list[Product | FetchError | None]:
        if len(links) == 1:
            # Nearly always; there is nothing to do beside it.
            return [await self.pages.look(desk.reader, links[0])]
        return await asyncio.gather(*(self.pages.look(desk.reader, link) for link in links))

    async def _is_new(self, message: Message, product: Product) -> bool:
        """Whether the thread has no card for the product yet; a second delivery is no second card.

        What is remembered may be lost: then there is a second card, and nothing else.
        """
        if self.seen is None:
            return True
        thread = message.thread_ref or message.message_ref
        place = f"{message.network}\n{message.room_id}\n{thread}\n{product.identity}"
        key = f"card:{named('card', place).hex}"
        return await self.seen.claim(key, message.id, for_s=self.quote_valid_s) == message.id

    async def offer_again(self, desk: Desk, turn: Turn, url: str) -> None:
        """Read a product page anew and offer it to this person alone."""
        product = await self.pages.look(desk.reader, SharedLink(url), age_s_max=0.0)
        if isinstance(product, Product):
            await self._offer(desk, turn, [product], reply_to=None, private=True)
            return
        why = str(product) if isinstance(product, FetchError) else "It sells nothing any more."
        await desk.answer(turn, sentence(f"Not charged. I could not read that page. {why}"))

    async def _offer(
        self,
        desk: Desk,
        turn: Turn,
        products: list[Product],
        *,
        reply_to: str | None,
        private: bool,
    ) -> None:
        for last in (False,) * (_TRIES - 1) + (True,):
            rows: list[RowChange] = []
            speech: list[Notice | Refresh] = []
            for n, found in enumerate(products):
                # An address is one offer's, also where its page has called itself otherwise.
                known = await desk.reader.offer_by_url(found.url)
                known = known or await desk.reader.offer(found.offer_id)
                product = found
                if known is not None:
                    product = msgspec.structs.replace(found, known_as=known.id)
                rows.extend(offer_rows(product, known, turn.now_us))
                quote = quote_of(product, turn.now_us, self.quote_valid_s)
                rows.append(Insert("quotes", msgspec.structs.asdict(quote)))
                speech.append(
                    Notice(
                        send_id=send_id(turn.event.id, "offer", n),
                        network=turn.event.network,
                        room_id=turn.event.room_id,
                        person_id=turn.event.person_id if private else None,
                        reply_to_ref=reply_to,
                        view="offer",
                        ref=quote.id,
                    )
                )
            try:
                await desk.answer(turn, rows=tuple(rows), also=speech)
            except Refused:
                # The offer changed between reading and writing: read it again.
                if last:
                    raise
            else:
                return


def _links(message: Message) -> list[SharedLink]:
    """The message's links, the network's own marks first, each product page once.

    A text that stands for a link is no link of its own: `[shop.example](https://other.example)`.
    """
    written = _written(message)
    found = [
        (link.url, _canonical(link.url), link.text)
        for link in message.links
        if not _is_mistaken(link)
    ]
    found += [(link.text, link.url, link.shown) for link in written if link.shown is not None]
    # No link has a line break in it, so that this asks for each of the texts.
    texts = "\n".join(shown for _, _, shown in found)
    found += [
        (link.text, link.url, "")
        for link in {link.text: link for link in written}.values()
        if link.shown is None and link.text not in texts
    ]
    shared: dict[str, list[SharedLink]] = {}
    for as_written, url, shown in found:
        if url is not None:
            link = SharedLink(url, shown or None, offer_in_link(as_written))
            ways = shared.setdefault(identity_of(url), [])
            if not ways or (len(ways) < LINKS_MAX and _shows_elsewhere(link)):
                # First, so that its warning is the one that is said.
                ways.insert(0, link)
    return list(itertools.chain.from_iterable(itertools.islice(shared.values(), LINKS_MAX)))


@lru_cache(maxsize=512)
def _canonical(url: str) -> str | None:
    # A crowd shares the same few links.
    return canonical_url(url)


def _is_mistaken(link: MarkedLink) -> bool:
    """Whether a network took for a link what is rather a file or a missing blank: `README.md`."""
    name = link.text.strip()
    written = link.url.partition("://")[2].removesuffix("/")
    return written.lower() == name.lower() and is_casual_name(name)


def _shows_elsewhere(link: SharedLink) -> bool:
    """Whether a link to a page that was named already must still be looked at for what it shows."""
    return link.shown is not None and shown_elsewhere_warning(link.shown, link.url) is not None


def _written(message: Message) -> Sequence[FoundLink]:
    """The links that can be read in the text beside those that the network has marked."""
    text = message.text
    if _MARKDOWN not in text and any(text in link.text for link in message.links):
        # A link and nothing else, as most are shared: whatever is found in it stands for it.
        return ()
    return find_links(text)


def _weighs_more(product: Product, other: Product | None) -> bool:
    return other is None or (product.trust is Trust.PREVIEW and other.trust is not Trust.PREVIEW)
