"""A whole conversation over a real database: what people write, and the cards that come back."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from bot.cards import Card, plain_text
from bot.commands import PRESSES, nearest_command, run_command
from bot.conversation.announcer import announce
from bot.conversation.dispatch import PRESSES as CARD_PRESSES
from bot.conversation.dispatch import Dispatch
from bot.conversation.evidence import Evidence
from bot.conversation.product_pages import ProductPages
from bot.conversation.shared_links import SharedLinks
from bot.conversation.turn import Desk
from bot.conversation.views import Views
from bot.events import Message, Tap
from bot.links.fetch import Fetcher
from bot.links.host_proofs import WebProofs
from wallet_core.audit.signing import SigningKey
from wallet_core.commerce.checkout import Terms
from wallet_core.commerce.conversion import ConversionQuotes, TableRates
from wallet_core.commerce.conversion_checkout import ConvertingCheckout
from wallet_core.commerce.exchange import Exchange
from wallet_core.commerce.fulfilment import Endings, Fulfilment
from wallet_core.commerce.linking import Linking
from wallet_core.commerce.merchants import Merchants
from wallet_core.commerce.records import FundingRequest
from wallet_core.funding.cash import Cash
from wallet_core.funding.requests import Funding
from wallet_core.ledger.accounts import clearing, merchant, wallet
from wallet_core.ledger.commits import Commit, Insert, Notice, Update
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.locks import NoLeases
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.conversions import Conversions
from wallet_core.storage.database import Database
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.linking import Links
from wallet_core.storage.lookups import Lookups
from wallet_core.storage.moves import Moves
from wallet_core.storage.outbox import Due, Outbox, Sent
from wallet_core.storage.people import People, Person
from wallet_core.storage.pictures import Pictures
from wallet_core.storage.readers import Reader
from wallet_core.storage.receipts import ReceiptReader
from wallet_core.storage.writer import Writer

WEB = "web"
LOBBY = "lobby"
#: Endings are due at once, and happen when a test says so.
TERMS = Terms(undo_window_s=0.0, accept_within_s=3600.0)
#: A dollar is 7.2 yuan, and the house keeps 1 %.
QUOTES = ConversionQuotes(TableRates({("USD", "CNY"): (Fraction("7.2"), "2026-11-25")}), 10_000)

_card: msgspec.json.Decoder[Card] = msgspec.json.Decoder(Card)


class NoTexts:
    """A DNS without any TXT record."""

    async def texts(self, _name: str) -> Sequence[str]:
        return []


@dataclass(frozen=True)
class Said:
    """Something that the bot said: in which room, to whom (None: to all), and as which card."""

    room: str
    to: str | None
    card: Card
    message_ref: str
    view: str
    ref: str
    edit: bool

    @property
    def text(self) -> str:
        return plain_text(self.card)

    @property
    def actions(self) -> list[str]:
        return [button.action for button in self.card.buttons]


@dataclass
class Chat:
    """People in rooms with the bot. Each line written is one event, answered at once."""

    database: Database
    writer: Writer
    fetcher: Fetcher
    heard: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        writer, reader = self.writer, Reader(self.database)
        leases = NoLeases(writer.raise_fence)
        conversions = Conversions(self.database)
        self.outbox = Outbox(self.database, "test")
        self.views = Views(reader, now_us)
        self.desk = Desk(
            writer=writer,
            reader=reader,
            people=People(self.database, writer),
            outbox=self.outbox,
            checkout=ConvertingCheckout(
                writer, reader, leases, announce, TERMS, quotes=QUOTES, conversions=conversions
            ),
            exchange=Exchange(QUOTES, conversions),
            fulfilment=Fulfilment(writer, reader, announce, TERMS),
            funding=Funding(writer, reader, leases, announce, Cash()),
            merchants=Merchants(reader, WebProofs(self.fetcher, NoTexts())),
            lookups=Lookups(self.database),
            moves=Moves(self.database),
            linking=Linking(Links(self.database)),
            links=Links(self.database),
            evidence=Evidence(
                SigningKey.new(), ReceiptReader(self.database), Liabilities(self.database)
            ),
            catalogues=Catalogues(self.database),
            currency="CNY",
        )
        self.dispatch = Dispatch(
            desk=self.desk,
            links=SharedLinks(ProductPages(self.fetcher, Pictures(self.database)), 3600.0),
            presses={**CARD_PRESSES, **PRESSES},
            run_command=run_command,
            nearest_command=nearest_command,
            prefixes={WEB: ("/", "／"), "matrix": ("!", "/")},
            now_us=now_us,
        )

    async def write(
        self,
        who: str,
        text: str,
        *,
        room: str = LOBBY,
        network: str = WEB,
        event_id: str | None = None,
        reply_to: str | None = None,
        aside: bool = False,
    ) -> list[Said]:
        """Somebody writes a line; all that the bot says about it."""
        event = Message(
            id=event_id or f"{network}:{next(self.heard)}",
            network=network,
            room_id=room,
            person_id=who,
            text=text,
            message_ref=f"m{next(self.heard)}",
            reply_to_ref=reply_to,
            aside=aside,
        )
        await self.dispatch.answer(event)
        return await self.deliver()

    async def ask(
        self,
        who: str,
        text: str,
        *,
        room: str = LOBBY,
        event_id: str | None = None,
        aside: bool = False,
    ) -> Said:
        """Somebody writes a line; the one new card that he gets, for his eyes only."""
        said = await self.write(who, text, room=room, event_id=event_id, aside=aside)
        answers = [one for one in said if not one.edit and one.to == who]
        assert len(answers) == 1, said
        assert answers[0].room == room
        assert all(one.to is not None or one.view in ("offer", "order") for one in said)
        return answers[0]

    async def tap(
        self,
        who: str,
        action: str,
        *,
        room: str = LOBBY,
        network: str = WEB,
        event_id: str | None = None,
    ) -> list[Said]:
        """Somebody presses a button."""
        await self.dispatch.answer(
            Tap(
                id=event_id or f"{network}:{next(self.heard)}",
                network=network,
                room_id=room,
                person_id=who,
                message_ref="any",
                action=action,
            )
        )
        return await self.deliver()

    async def deliver(self) -> list[Said]:
        """Take everything out of the outbox, as the sender does, and note it as sent."""
        said: list[Said] = []
        while due := await self.outbox.take([WEB, "matrix"], 100):
            for row in due:
                card = await self._card_of(row)
                ref = row.edits_ref or f"bot{row.seq}"
                body = msgspec.json.encode(card) if card is not None else None
                await self.outbox.sent(
                    [
                        Sent(
                            seq=row.seq,
                            send_id=row.send_id,
                            edits=row.edits,
                            message_ref=ref,
                            shown=body,
                        )
                    ]
                )
                if card is not None:
                    edit = row.edits is not None
                    said.append(
                        Said(row.room_id, row.person_id, card, ref, row.view, row.ref, edit)
                    )
        return said

    async def _card_of(self, row: Due) -> Card | None:
        if row.body is not None:
            return _card.decode(row.body)
        return await self.views.card(row.view, row.ref)

    async def settle(self) -> list[Said]:
        """Let every hold that is due have its ending."""
        reader = self.desk.reader
        await Endings(self.writer, reader, reader, reader, announce).run_due()
        return await self.deliver()

    async def meet(self, who: str, *, room: str = LOBBY, network: str = WEB) -> Person:
        return await self.desk.people.meet(network, who, room)

    async def make_admin(self, who: str) -> None:
        person = await self.meet(who, room=f"room-of-{who}")
        row = Update(table="persons", where={"id": person.id}, values={"admin": True})
        await self.writer.commit(Commit(key=f"admin:{who}", rows=(row,)))

    async def fund(self, who: str, amount_minor: int, currency: str = "CNY") -> None:
        """Cash comes in, without the ceremony."""
        account = wallet((await self.meet(who)).wallet_id, currency)
        n = next(self.heard)
        request = FundingRequest(
            id=f"f_{n}",
            code=f"GIFT{n}",
            kind="topup",
            provider="cash",
            owner=account.owner,
            amount_minor=amount_minor,
            currency=currency,
            state="done",
            hold_id=None,
            instructions="",
            network=WEB,
            room_id=LOBBY,
            network_person_id=who,
            created_at_us=1,
        )
        legs = (Leg(clearing("cash", currency), -amount_minor), Leg(account, amount_minor))
        post = Post(id=named("topup", request.id), subject=f"topup:{request.id}", legs=legs)
        row = Insert("funding_requests", msgspec.structs.asdict(request))
        await self.writer.commit(Commit(key=f"gift:{n}", transfers=(post,), rows=(row,)))

    async def earn(self, merchant_id: str, amount_minor: int) -> None:
        """A shop has earned something."""
        name = f"income:{next(self.heard)}"
        legs = (
            Leg(clearing("cash", "CNY"), -amount_minor),
            Leg(merchant(merchant_id, "CNY"), amount_minor),
        )
        await self.writer.commit(
            Commit(key=name, transfers=(Post(id=named(name), subject=name, legs=legs),))
        )

    async def balance(self, who: str, currency: str = "CNY") -> int:
        account = wallet((await self.meet(who)).wallet_id, currency)
        return await self.desk.reader.balance_minor(account)

    async def open_shop(self, who: str, name: str = "Tea House", *, room: str = "kitchen") -> str:
        """Somebody opens a shop; its id."""
        await self.write(who, f"/merchant open {name}", room=room)
        shops = await self.desk.reader.merchants_of((await self.meet(who, room=room)).id)
        return next(shop.id for shop in shops if shop.name == name)

    async def offer(
        self,
        merchant_id: str,
        title: str = "Green tea",
        *,
        room: str = LOBBY,
        price_minor: int = 19900,
        only_for: str | None = None,
    ) -> Said:
        """An offer card of a shop's product, as sharing its link would bring it."""
        name = f"{next(self.heard)}"
        now = now_us()
        offer = {
            "id": f"of_{name}",
            "url": f"https://tea.example/{name}",
            "host": "tea.example",
            "merchant_id": merchant_id,
            "title": title,
            "sku": None,
            "picture": None,
            "availability": "InStock",
            "stock_total": None,
            "stock_page": None,
            "sold": 0,
            "seen_at_us": now,
        }
        quote = {
            "id": f"q_{name}",
            "offer_id": offer["id"],
            "merchant_id": merchant_id,
            "amount_minor": price_minor,
            "currency": "CNY",
            "trust": "hold",
            "reason": "",
            "seller": "Tea House",
            "created_at_us": now,
            "expires_at_us": now + 3_600_000_000,
            "title": title,
            "url": offer["url"],
        }
        notice = Notice(
            send_id=f"offer:{name}",
            network=WEB,
            room_id=room,
            person_id=only_for,
            view="offer",
            ref=f"q_{name}",
        )
        rows = (Insert("offers", offer), Insert("quotes", quote))
        await self.writer.commit(Commit(key=f"offer:{name}", rows=rows, outbox=(notice,)))
        (said,) = await self.deliver()
        return said


def now_us() -> int:
    return time.time_ns() // 1000
