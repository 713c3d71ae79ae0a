"""The one-time admin link, and what its follower finds: the first admin may come late."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.conversation.speech import till_notice
from bot.core import Core
from bot.demo.opening import membership
from bot.demo.shop import DemoShop
from wallet_core.commerce.records import Place
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Notice

#: How many requests that waited for an admin are shown to the new one.
_WAITING_MAX = 10
_LOBBY = "lobby"


@dataclass(frozen=True)
class AdminClaims:
    """Makes whoever has the link an admin. The first one also looks after the demo shop."""

    core: Core
    shop: DemoShop | None
    clock_us: Callable[[], int]

    async def claim(self, token: str, network: str, person_id: str) -> str | None:
        """See `bot.web.server.Claims`."""
        person = await self.core.people.meet(network, person_id, _LOBBY)
        also = (membership(person.id),) if self.shop is not None else ()
        waiting = await self._waiting(network, person_id)
        try:
            claimed = await self.core.people.claim_admin(
                token, person, self.clock_us(), also, waiting
            )
        except Refused:
            return None
        return person.id if claimed else None

    async def _waiting(self, network: str, person_id: str) -> tuple[Notice, ...]:
        """The till's cards of what was asked for while there was nobody to confirm it."""
        place = Place(network, _LOBBY, person_id)
        waiting = await self.core.reader.pending_funding(_WAITING_MAX)
        return tuple(till_notice(place, request) for request in waiting)
