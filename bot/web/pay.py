"""The page behind a pay link: the offer as it stands now, and one button.

Such links stand in public, so opening one proves nothing: whoever presses the button pays as the
person that his browser's cookie says he is, by the web chat's own tap, and is led to a room of
the web chat where the answer, and its undo, come for his eyes only.
"""

import hashlib
import re
import secrets
from typing import Protocol

from aiohttp import web

from bot.adapters.base import Hear
from bot.cards import Card
from bot.events import Tap
from bot.web import pages
from bot.web.card_markup import card_markup, pay_label

#: Where the pages are, below the address of the web server.
PAY_PATH = "/pay"

#: How often one visitor may press the button for long, in seconds, and how often at once.
PRESS_EVERY_S = 3
PRESSES_AT_ONCE = 10

_QUOTE_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_NETWORK = "web"


class OfferCards(Protocol):
    """Makes the card of an offer as it stands now."""

    async def card(self, view: str, ref: str) -> Card | None:
        """The card of a view, or None when there is nothing to show."""


class Visitors(Protocol):
    """Who is asking; the web chat knows."""

    def keep_cookie(self, request: web.Request, response: web.StreamResponse) -> None:
        """Make sure that the browser is somebody, from its next request on."""

    async def person_of(self, request: web.Request) -> str | None:
        """The public id of who sent the request; None without a cookie."""


class Pace(Protocol):
    """How often the same one may do something, whichever process they come to."""

    async def turn(self, host: str) -> bool:
        """Count one time in; False, and nothing is counted, where that is too often."""


class PayPages:
    """A page for each quote. `hear` takes the tap into the inbox; `pace` counts by visitor."""

    def __init__(self, cards: OfferCards, visitors: Visitors, hear: Hear, pace: Pace) -> None:
        self._cards = cards
        self._visitors = visitors
        self._hear = hear
        self._pace = pace

    def add_routes(self, app: web.Application) -> None:
        """Put the pages into the web application."""
        app.router.add_get(PAY_PATH + "/{quote_id}", self._show)
        app.router.add_post(PAY_PATH + "/{quote_id}", self._pay)

    async def _show(self, request: web.Request) -> web.Response:
        quote_id, card = await self._offer(request)
        page = pages.pay_page(
            title=card.title,
            card=card_markup(card),
            label=pay_label(card),
            action=f"{PAY_PATH}/{quote_id}",
            once=secrets.token_urlsafe(16),
        )
        response = web.Response(text=page, content_type="text/html")
        # A form on a page without any referrer would be sent with the origin "null".
        response.headers["Referrer-Policy"] = "same-origin"
        self._visitors.keep_cookie(request, response)
        return response

    async def _pay(self, request: web.Request) -> web.Response:
        quote_id, _ = await self._offer(request)
        once = (await request.post()).get("once")
        person_id = await self._visitors.person_of(request)
        if person_id is None:
            raise web.HTTPForbidden(
                text="Not charged. Your browser kept no cookie, so nobody is there who could pay. "
                "Allow cookies for this site, then open the link again."
            )
        if not isinstance(once, str) or not _ONCE.fullmatch(once):
            raise web.HTTPBadRequest(
                text="Not charged. The form was not complete. Open the link again."
            )
        if not await self._pace.turn(f"pay:{person_id}"):
            raise web.HTTPTooManyRequests(
                text="Not charged. You pressed Pay too often in a short time. Wait a few seconds, "
                "then open the link again.",
                headers={"Retry-After": str(PRESS_EVERY_S)},
            )
        room_id = room_of(quote_id)
        ref = f"{_NETWORK}:{person_id}:{once}"
        await self._hear(
            [
                Tap(
                    id=ref,
                    network=_NETWORK,
                    room_id=room_id,
                    person_id=person_id,
                    message_ref=f"{PAY_PATH}/{quote_id}",
                    action=f"pay:{quote_id}",
                    tap_ref=ref,
                )
            ]
        )
        raise web.HTTPSeeOther(f"/r/{room_id}")

    async def _offer(self, request: web.Request) -> tuple[str, Card]:
        quote_id = request.match_info["quote_id"]
        card = None
        if _QUOTE_ID.fullmatch(quote_id):
            card = await self._cards.card("offer", quote_id)
        if card is None:
            raise web.HTTPNotFound(
                text="There is no such offer. The link may be cut short: copy all of it."
            )
        return quote_id, card


def room_of(quote_id: str) -> str:
    """The web chat's room in which payments of a quote are answered."""
    return f"pay-{hashlib.sha256(quote_id.encode()).hexdigest()[:20]}"
