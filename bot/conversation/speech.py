"""What is put into the outbox: finished cards and views, each under a stable name."""

from typing import Protocol

import msgspec

from bot.cards import Card
from wallet_core.commerce.news import Announcer, News, OrderChanged
from wallet_core.commerce.records import FundingRequest, Speech
from wallet_core.ledger.commits import Notice
from wallet_core.ledger.transfers import named_digits

_encode = msgspec.json.Encoder().encode
_ECHO = "e_"


class Addressee(Protocol):
    """Somebody who is told in private: where he acted, or where else he is reached."""

    @property
    def network(self) -> str:
        """The network's name."""

    @property
    def room_id(self) -> str:
        """The room in it, by the network's own id."""

    @property
    def network_person_id(self) -> str:
        """The person, by the network's own id."""


def card_body(card: Card) -> bytes:
    """A finished card for the outbox."""
    return _encode(card)


def send_id(*parts: object) -> str:
    """A stable name for something that is said."""
    return f"s_{named_digits('say', *parts)}"


def echo_id(*parts: object) -> str:
    """The same for what tells of a card's change, which an edit alone lets nobody hear.

    Where cards cannot be edited the changed one is said anew, and this is left out.
    """
    return f"{_ECHO}{named_digits('say', *parts)}"


def is_echo(name: str) -> bool:
    """Whether `echo_id` made this name."""
    return name.startswith(_ECHO)


def card_notice(whom: Addressee, card: Card, name: str) -> Notice:
    """A finished card that one person alone sees."""
    return Notice(
        send_id=name,
        network=whom.network,
        room_id=whom.room_id,
        person_id=whom.network_person_id,
        body=card_body(card),
    )


def view_notice(whom: Addressee, view: str, ref: str, name: str) -> Notice:
    """A live card that one person alone sees."""
    return Notice(
        send_id=name,
        network=whom.network,
        room_id=whom.room_id,
        person_id=whom.network_person_id,
        view=view,
        ref=ref,
    )


def till_notice(admin: Addressee, request: FundingRequest) -> Notice:
    """The till's card of a request for money in or out, to an admin; once for each admin."""
    name = send_id("till", request.id, admin.network, admin.network_person_id)
    return view_notice(admin, "till", request.code, name)


def also_saying(announce: Announcer, notice: Notice) -> Announcer:
    """An announcer that says `notice` too once an order has changed, in the same commit.

    For what was typed: the card that shows the order may stand far up, or in another room.
    """

    def announced(news: News) -> Speech:
        speech = announce(news)
        return (*speech, notice) if isinstance(news, OrderChanged) else speech

    return announced
