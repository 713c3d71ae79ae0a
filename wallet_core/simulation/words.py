"""What is said in a simulation: as few words as the checks need.

A message's send id is `<cause>/<word>`: what caused it, and what it tells a person.
"""

from wallet_core.commerce.news import (
    ActionRefused,
    Authorised,
    FundingChanged,
    HostClaimed,
    Joined,
    News,
    OrderChanged,
    TapRefused,
)
from wallet_core.commerce.records import Place, Speech
from wallet_core.ledger.commits import Notice, Refresh

NOT_CHARGED, CHARGED, JOINED, NOT_DONE = "not charged", "charged", "joined", "not done"


def announce(news: News) -> Speech:
    """An `Announcer`."""
    match news:
        case Authorised(event_id=event_id, order=order):
            card = _notice(f"{event_id}/{CHARGED}", order.place, "purchase", order.id)
            return card, Refresh(view="offer", ref=order.offer_id)
        case Joined(event_id=event_id, place=place):
            return (_notice(f"{event_id}/{JOINED}", place),)
        case TapRefused(event_id=event_id, place=place):
            return (_notice(f"{event_id}/{NOT_CHARGED}", place),)
        case OrderChanged(cause=cause, order=order):
            told = _notice(f"{cause}/{order.state}", order.place)
            return told, Refresh(view="purchase", ref=order.id)
        case HostClaimed(cause=cause, order=order):
            return (_notice(f"{cause}/claimed", order.place),)
        case ActionRefused(event_id=event_id, place=place):
            return (_notice(f"{event_id}/{NOT_DONE}", place),)
        case FundingChanged(event_id=event_id, request=request, place=place):
            return (_notice(f"{event_id}/{request.state}", place),)


def _notice(send_id: str, place: Place, view: str = "", ref: str = "") -> Notice:
    return Notice(
        send_id=send_id,
        network=place.network,
        room_id=place.room_id,
        person_id=place.network_person_id,
        view=view,
        ref=ref,
        body=None if view else b"{}",
    )
