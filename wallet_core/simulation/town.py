"""The people and shops of a simulation, and what somebody in it may want."""

from collections.abc import Callable

import msgspec

from wallet_core.commerce.records import Place
from wallet_core.errors import PayontapError
from wallet_core.funding.base import Progress, Step
from wallet_core.ledger.transfers import named
from wallet_core.limits import Limits
from wallet_core.money import Money

CURRENCY = "CNY"
FOREIGN = "USD"
NETWORK = "web"
#: What a tap is called when it is to be undone.
TAP = "tap "
PEOPLE = ("anna", "ben", "carl", "dora")
SELLER = "seller"
#: The first takes every order at once, the second decides on each.
SHOPS = ("m_tea", "m_books")
#: A host that nobody has claimed at first; what is sold there waits for whoever proves it.
FREE_HOST = "free.example"
OFFERS = ("of_0", "of_1", "of_2", "of_free")
QUOTES = ("q_0", "q_1", "q_2", "q_3", "q_4", "q_free", "q_7")
#: What every wallet may spend, and all wallets that count together.
LIMITS = Limits(payment_max_minor=900, day_max_minor=2_500)
#: What somebody's likes may come to in 24 hours.
LIKES_DAY_MAX = Money(1_200, CURRENCY)


class Wrong(PayontapError):
    """Something that must never be; the text is one sentence that names it."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it was heard: who wants what. `ref` is a quote, an order, a request, a wallet.

    `amount_minor` is in `currency`.
    """

    event_id: str
    verb: str
    who: str
    at_us: int
    ref: str = ""
    amount_minor: int = 0
    currency: str = CURRENCY

    @property
    def place(self) -> Place:
        """Where it was said."""
        return Place(NETWORK, "lobby", self.who)

    @property
    def money(self) -> Money:
        """The amount it names."""
        return Money(self.amount_minor, self.currency)

    def __str__(self) -> str:
        rest = f" {self.ref}" if self.ref else ""
        return f"{self.event_id} {self.verb} by {self.who}{rest}"


def person_of(who: str) -> str:
    """Whom somebody is before he is linked with anybody."""
    return f"p_{who}"


def wallet_of(who: str) -> str:
    """The wallet that somebody has brought."""
    return f"w_{who}"


def secret_of(event_id: str) -> Callable[[int], bytes]:
    """What nobody could guess, in a world where one number decides everything."""
    return lambda count: named("secret", event_id).bytes[:count]


def limits_of(currency: str) -> Limits:
    """The limits that hold for every wallet."""
    return LIMITS if currency == CURRENCY else Limits()


class TownProvider:
    """A `Provider` that decides by a request's code, and says the same whenever it is asked."""

    name = "cash"

    async def begin_top_up(self, code: str, money: Money) -> Step:
        """Begin to take money in."""
        del money
        return Step(progress_of(code))

    async def begin_payout(self, code: str, money: Money) -> Step:
        """Begin to pay money out."""
        del money
        return Step(progress_of(code))


def progress_of(code: str) -> Progress:
    """What the provider says to a request."""
    kinds = (Progress.PENDING, Progress.PENDING, Progress.UNKNOWN, Progress.DONE, Progress.FAILED)
    return kinds[named("provider", code).int % len(kinds)]
