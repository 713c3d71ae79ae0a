"""A community's own points: the house issues them and takes them back.

They come from an issuer's account, `provider:points/clearing/KUDOS`, whose balance is the negative
of what is in people's hands; so the books tell at any time how many there are.
"""

from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.accounts import AccountRef, clearing, wallet
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.money import Money, own_currency

#: The provider's name in accounts.
ISSUER = "points"


def issuing(event_id: str, wallet_id: str, money: Money) -> Post:
    """New points for a wallet. Raises `Refused` (`NOT_ALLOWED`) for money that others make."""
    return _moved("issue", event_id, money, _issuer(money), wallet(wallet_id, money.currency))


def taking_back(event_id: str, wallet_id: str, money: Money) -> Post:
    """Points that are no more. Raises `Refused` (`NOT_ALLOWED`) for money that others make."""
    return _moved("take back", event_id, money, wallet(wallet_id, money.currency), _issuer(money))


def _issuer(money: Money) -> AccountRef:
    own = own_currency(money.currency)
    if own is None or not own.issued:
        raise Refused(Refusal.NOT_ALLOWED, f"nobody here issues {money.currency}")
    return clearing(ISSUER, money.currency)


def _moved(what: str, event_id: str, money: Money, giver: AccountRef, taker: AccountRef) -> Post:
    name = named(what, event_id)
    return Post(
        id=name,
        subject=f"points:{name.hex}",
        legs=(Leg(giver, -money.amount_minor), Leg(taker, money.amount_minor)),
    )
