"""One event in the conversation, and the people and services that answer it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bot.cards import Card, Line, Role, Tone
from bot.conversation.evidence import Evidence
from bot.conversation.speech import card_body, card_notice, echo_id, send_id
from bot.events import Event, Message
from wallet_core.commerce.answers import event_key
from wallet_core.commerce.catalogue import CatalogueSource
from wallet_core.commerce.checkout import Checkout
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Fulfilment
from wallet_core.commerce.linking import Linking
from wallet_core.commerce.merchants import Merchants
from wallet_core.commerce.records import Order, Payer, Place
from wallet_core.errors import KeyConflict, Refusal
from wallet_core.funding.requests import Ask, Funding
from wallet_core.ledger.commits import Commit, Notice, Refresh, RowChange, WriterPort
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.ledger.transfers import Transfer, named_digits
from wallet_core.money import Money
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.linking import Links
from wallet_core.storage.lookups import Lookups
from wallet_core.storage.moves import Moves
from wallet_core.storage.outbox import Outbox
from wallet_core.storage.people import People, Person
from wallet_core.storage.readers import Reader


def sentence(text: str, tone: Tone = Tone.NEUTRAL) -> Card:
    """A card that says one thing."""
    return Card(lines=(Line(text, Role.TEXT),), tone=tone)


class Turn(msgspec.Struct, frozen=True):
    """An event and who is behind it. `now_us`: when it is worked on."""

    event: Event
    person: Person
    now_us: int

    @property
    def place(self) -> Place:
        """Where it happened."""
        return Place(self.event.network, self.event.room_id, self.event.person_id)

    @property
    def payer(self) -> Payer:
        """The person as one who pays."""
        return Payer(self.person.id, self.person.wallet_id)

    @property
    def key(self) -> str:
        """The commit key of its answer."""
        return event_key(self.event.id)

    @property
    def heard_at_us(self) -> int:
        """When the network says it happened; now, where it does not say or is ahead of us."""
        said_us = round(self.event.occurred_at_s * MICROSECONDS)
        return min(said_us, self.now_us) if said_us else self.now_us

    def ask(self, owner: str, money: Money) -> Ask:
        """A request for money in or out, made by this event."""
        return Ask(
            event_id=self.event.id, owner=owner, money=money, place=self.place, at_us=self.now_us
        )

    def notice(
        self, card: Card, *, n: int = 0, private: bool = True, echoes: str | None = None
    ) -> Notice:
        """A finished card as an answer to this event; `n` tells several answers apart.

        `echoes`: the network where a card that was said before shows the same by now.
        """
        is_echo = echoes == self.event.network
        return Notice(
            send_id=(echo_id if is_echo else send_id)(self.event.id, n),
            network=self.event.network,
            room_id=self.event.room_id,
            person_id=self.event.person_id if private else None,
            reply_to_ref=self.event.message_ref if isinstance(self.event, Message) else None,
            body=card_body(card),
        )


@dataclass(frozen=True)
class Desk:
    """The services behind the conversation; made once by the composition root."""

    writer: WriterPort
    reader: Reader
    people: People
    outbox: Outbox
    checkout: Checkout
    fulfilment: Fulfilment
    funding: Funding
    merchants: Merchants
    lookups: Lookups
    moves: Moves
    linking: Linking
    links: Links
    evidence: Evidence
    catalogues: Catalogues
    currency: str
    exchange: Exchange | None = None
    #: How many times as much as one like all likes of a day may pay, where nobody said how much.
    likes_day_times: int = 5

    async def answer(
        self,
        turn: Turn,
        *cards: Card,
        private: bool = True,
        transfers: tuple[Transfer, ...] = (),
        rows: tuple[RowChange, ...] = (),
        also: Sequence[Notice | Refresh] = (),
        refusal: Refusal | None = None,
    ) -> None:
        """Commit the answer to an event, with the transfers and row changes that belong to it.

        Raises `Refused` when a rule forbids one of them; nothing is written then. When the event
        was answered already, that answer stands and nothing happens.
        """
        notices = tuple(turn.notice(card, n=n, private=private) for n, card in enumerate(cards))
        commit = Commit(
            key=turn.key,
            transfers=transfers,
            rows=rows,
            outbox=(*notices, *also),
            event_id=turn.event.id,
            refusal=refusal,
        )
        try:
            await self.writer.commit(commit)
        except KeyConflict:
            return

    async def payer_of(self, turn: Turn, order: Order | None) -> Payer:
        """The person as the one who paid an order: it may have been from another of his wallets."""
        if order is not None and await self.links.owns(turn.person.id, order.wallet_id):
            return Payer(turn.person.id, order.wallet_id)
        return turn.payer

    async def say(self, turn: Turn, *notices: Notice, refusal: Refusal | None = None) -> None:
        """Commit an answer that goes to places of its own."""
        await self.answer(turn, also=notices, refusal=refusal)

    async def tell_admins(self, turn: Turn, card: Card) -> None:
        """Answer an event by telling the admins what only they can mend."""
        notices = [
            card_notice(
                contact, card, send_id(turn.event.id, contact.network, contact.network_person_id)
            )
            for contact in await self.people.admins()
        ]
        await self.say(turn, *notices)

    async def tell_owner(self, source: CatalogueSource, key: str, card: Card) -> None:
        """Tell who looks after a catalogue about it; once under each `key`."""
        notice = card_notice(source, card, send_id("catalogue", source.id, key))
        name = named_digits("catalogue", source.id, key)
        await self.writer.commit(Commit(key=f"catalogue:{name}", outbox=(notice,)))

    async def close(self, turn: Turn) -> None:
        """Put an event away that has no answer, or has one already."""
        await self.writer.commit(Commit(key=f"close:{turn.key}", event_id=turn.event.id))
