"""What people in an example of the state machine may want, and the commits that it makes."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from tests.wallet_core.model import Model
from wallet_core.errors import Refusal
from wallet_core.ledger.accounts import (
    AccountRef,
    Purpose,
    clearing,
    escrow,
    merchant,
    pending,
    wallet,
)
from wallet_core.ledger.commits import Commit, Insert, RowChange, Update, Value
from wallet_core.ledger.transfers import (
    Authorise,
    Capture,
    EndingAction,
    HoldState,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.ledger.wallets import WalletMode
from wallet_core.limits import NO_LIMITS, Limits

#: Anna has two wallets, which count together against limits.
PEOPLE = {"w0": "anna", "w1": "anna", "w2": "ben", "w3": "carl"}
SHOPS = ("m0", "m1")

amounts = st.integers(1, 60)
wallets = st.integers(0, 3)
currencies = st.sampled_from(["CNY", "CNY", "CNY", "USD"])
most = st.none() | st.integers(5, 150)
limits = st.builds(
    Limits,
    payment_max_minor=most,
    day_max_minor=most,
    month_max_minor=most,
    payee_day_max_minor=most,
    new_payee_max_minor=most,
    new_payee_delay_s=st.sampled_from([0, 3600, 24 * 3600, 5 * 24 * 3600]),
)


@dataclass(frozen=True)
class Deed:
    """What somebody wants; numbers pick among what there is in the town at that moment."""

    verb: str
    who: int = 0
    whom: int = 0
    amount_minor: int = 1
    currency: str = "CNY"
    which: int = 0
    part: int | None = None
    shares: tuple[int, ...] = ()
    last: bool = True
    keyed: bool = True
    limits: Limits = NO_LIMITS
    setter: str = "admin"
    mode: WalletMode = WalletMode.OPEN


def deed(*verbs: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Deed]:
    return st.builds(Deed, verb=st.sampled_from(verbs), **fields)


deeds = st.one_of(
    deed("pay", "send", "payout", "escrow", who=wallets, whom=wallets, amount_minor=amounts,
         currency=currencies, shares=st.lists(st.integers(1, 9), max_size=3).map(tuple),
         keyed=st.booleans()),
    deed("authorise", who=wallets, whom=st.integers(0, 1), amount_minor=amounts,
         currency=currencies),
    deed("order", who=wallets, whom=st.integers(0, 1), amount_minor=amounts, currency=currencies),
    deed("capture", which=st.integers(0, 3), part=st.none() | st.integers(1, 50),
         shares=st.lists(st.integers(1, 9), max_size=3).map(tuple), last=st.booleans()),
    deed("void", "expire", which=st.integers(0, 3)),
    deed("refund", which=st.integers(0, 3), amount_minor=amounts),
    deed("top up", who=wallets, amount_minor=st.integers(20, 200), currency=currencies,
         keyed=st.booleans()),
    deed("limit", who=wallets, currency=currencies, limits=limits,
         setter=st.sampled_from(["admin", "self"])),
    deed("mode", who=wallets, mode=st.sampled_from([*WalletMode, WalletMode.OPEN])),
    deed("in lines", "together", who=wallets, whom=st.integers(0, 1), amount_minor=amounts,
         shares=st.lists(st.integers(1, 60), min_size=1, max_size=2).map(tuple)),
    deed("twice", who=wallets, whom=st.integers(0, 1), amount_minor=amounts),
)  # fmt: skip


class Town:
    """Names of one example, and the commits that its deeds make."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.model = Model({self.wallet_id(name): who for name, who in PEOPLE.items()})
        self.handed_in: list[Commit] = []
        self._serial = count(1)

    def wallet_id(self, name: str) -> str:
        return f"{name}.{self.number}"

    def wallet(self, who: int, currency: str) -> AccountRef:
        return wallet(self.wallet_id(f"w{who}"), currency)

    def shop(self, whom: int, currency: str) -> AccountRef:
        return merchant(f"{SHOPS[whom % 2]}.{self.number}", currency)

    def till(self, currency: str) -> AccountRef:
        return clearing(f"cash.{self.number}", currency)

    def sharers(self, currency: str) -> list[AccountRef]:
        """Who gets a fee, a commission, a tax."""
        return [
            AccountRef(f"house:own.{self.number}", Purpose.FEES, currency),
            pending(f"agent.{self.number}", currency),
            escrow(f"tax.{self.number}", currency),
        ]

    def people(self) -> Commit:
        rows: list[RowChange] = []
        for person in sorted(set(PEOPLE.values())):
            person_id = f"{person}.{self.number}"
            rows += [
                Insert("persons", {"id": person_id, "wallet_id": person_id, "admin": False}),
                Insert("limit_groups", {"id": person_id}),
            ]
        for name, person in PEOPLE.items():
            values: dict[str, Value] = {
                "id": self.wallet_id(name),
                "person_id": f"{person}.{self.number}",
                "mode": "open",
                "fence": 0,
                # Ben and Carl have one wallet each, Carl's in a group of its own.
                "limit_group": None if person == "ben" else f"{person}.{self.number}",
            }
            rows.append(Insert("wallets", values))
        return Commit(key=f"people.{self.number}", rows=tuple(rows))

    def commit_of(self, deed: Deed) -> Commit:
        """A commit that was never handed in before."""
        name = f"{self.number}.{next(self._serial)}"
        transfers, rows = self._made(deed, named(name), name)
        key = name if deed.keyed or rows else ""
        return Commit(key=key, transfers=transfers, rows=rows, result=name if key else "")

    def _made(
        self, deed: Deed, id_: UUID, name: str
    ) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        payer = self.wallet(deed.who, deed.currency)
        match deed.verb:
            case "top up":
                return (self._post(id_, self.till(deed.currency), payer, deed.amount_minor),), ()
            case "pay" | "send" | "payout" | "escrow":
                return (self._payment(id_, payer, deed),), ()
            case "in lines" | "together":
                return (self._split(id_, deed),), ()
            case "twice":
                # The second of two may break what the first one kept.
                shop, amount = self.shop(deed.whom, "CNY"), deed.amount_minor
                first = self._hold(id_, payer, shop, amount)
                return (first, self._post(named(name, 2), payer, shop, amount)), ()
            case "authorise" | "order":
                shop = self.shop(deed.whom, deed.currency)
                hold = self._hold(id_, payer, shop, deed.amount_minor)
                order = (Insert("orders", self._order(name, hold)),)
                return (hold,), order if deed.verb == "order" else ()
            case "capture" | "void" | "expire":
                return self._ending(deed, id_)
            case "refund":
                return self._refund(deed, id_)
            case "mode":
                return (), (self._wallet_row(deed.who, {"mode": deed.mode.value}),)
            case _:
                return (), (self._limits_row(deed),)

    def _post(self, id_: UUID, source: AccountRef, target: AccountRef, amount_minor: int) -> Post:
        return Post(id=id_, legs=(Leg(source, -amount_minor), Leg(target, amount_minor)))

    def _payment(self, id_: UUID, payer: AccountRef, deed: Deed) -> Post:
        """A price, and on top of it a fee, a commission and a tax, each less than the price."""
        currency = deed.currency
        payees = {
            "pay": self.shop(deed.whom, currency),
            "send": self.wallet((deed.who + 1 + deed.whom % 3) % 4, currency),
            "payout": self.till(currency),
            "escrow": escrow(f"shop.{self.number}", currency),
        }
        price_minor = deed.amount_minor + 10
        extras = [
            Leg(account, amount)
            for account, amount in zip(self.sharers(currency), deed.shares, strict=False)
        ]
        all_minor = price_minor + sum(leg.amount_minor for leg in extras)
        legs = (Leg(payer, -all_minor), Leg(payees[deed.verb], price_minor), *extras)
        return Post(id=id_, legs=legs)

    def _split(self, id_: UUID, deed: Deed) -> Post:
        """A price in lines of its own, all from one wallet or by turns from two."""
        shop = self.shop(deed.whom, "CNY")
        payers = [self.wallet(deed.who, "CNY")]
        if deed.verb == "together":
            payers.append(self.wallet((deed.who + 1) % 4, "CNY"))
        legs: list[Leg] = []
        for n, amount_minor in enumerate((deed.amount_minor, *deed.shares)):
            legs += [Leg(payers[n % len(payers)], -amount_minor), Leg(shop, amount_minor)]
        return Post(id=id_, legs=tuple(legs))

    def _hold(
        self, id_: UUID, payer: AccountRef, payee: AccountRef, amount_minor: int
    ) -> Authorise:
        return Authorise(
            id=id_,
            payer=payer,
            payee=payee,
            amount_minor=amount_minor,
            ending=EndingAction.CAPTURE,
            ends_after_s=8,
        )

    def _ending(self, deed: Deed, id_: UUID) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        hold_id = self._picked_hold(deed.which)
        if deed.verb != "capture":
            state = HoldState.VOIDED if deed.verb == "void" else HoldState.EXPIRED
            return (Void(id=id_, hold_id=hold_id, state=state),), ()
        hold = self.model.holds.get(hold_id)
        currency = hold.payer.currency if hold is not None else "CNY"
        shares = tuple(
            Leg(account, amount)
            for account, amount in zip(self.sharers(currency), deed.shares, strict=False)
        )
        capture = Capture(
            id=id_, hold_id=hold_id, amount_minor=deed.part, shares=shares, last=deed.last
        )
        order_id = self._order_of(hold_id)
        if order_id is None or hold is None:
            return (capture,), ()
        amount = hold.left_minor if deed.part is None else deed.part
        row = Update(
            table="orders",
            where={"id": order_id},
            add={"captured_minor": amount},
            keep_within=(("captured_minor", "amount_minor"),),
            refusal=Refusal.TOO_MUCH,
        )
        return (capture,), (row,)

    def _refund(self, deed: Deed, id_: UUID) -> tuple[tuple[Transfer, ...], tuple[RowChange, ...]]:
        """Of whatever order: never more than was captured, however many there are at once."""
        orders = list(self.model.orders)
        order_id = orders[deed.which % len(orders)] if orders else "nothing"
        order = self.model.orders.get(order_id, {})
        currency = str(order.get("currency", "CNY"))
        payee = merchant(str(order.get("merchant_id", f"m0.{self.number}")), currency)
        payer = wallet(str(order.get("wallet_id", self.wallet_id("w0"))), currency)
        row = Update(
            table="orders",
            where={"id": order_id},
            add={"refunded_minor": deed.amount_minor},
            keep_within=(("refunded_minor", "captured_minor"),),
            refusal=Refusal.TOO_MUCH,
        )
        return (self._post(id_, payee, payer, deed.amount_minor),), (row,)

    def _limits_row(self, deed: Deed) -> Update:
        wallet_id = self.wallet_id(f"w{deed.who}")
        known = self.model.limits.get(wallet_id, {})
        by_setter = {
            **known,
            deed.setter: {**known.get(deed.setter, {}), deed.currency: deed.limits},
        }
        return self._wallet_row(deed.who, {"limits": msgspec.json.encode(by_setter).decode()})

    def _wallet_row(self, who: int, values: dict[str, str]) -> Update:
        return Update(table="wallets", where={"id": self.wallet_id(f"w{who}")}, values=values)

    def _picked_hold(self, which: int) -> UUID:
        holds = list(self.model.holds)
        return holds[-1 - which % len(holds)] if holds else named("no hold")

    def _order_of(self, hold_id: UUID) -> str | None:
        found = [o for o, row in self.model.orders.items() if row["hold_id"] == hold_id]
        return found[0] if found else None

    def _order(self, name: str, hold: Authorise) -> dict[str, Any]:
        return {
            "id": name,
            "number": named("number", name).hex[:12],
            "quote_id": "q",
            "offer_id": "of",
            "merchant_id": hold.payee.owner.partition(":")[2],
            "wallet_id": hold.payer.wallet_id,
            "hold_id": hold.id,
            "amount_minor": hold.amount_minor,
            "captured_minor": 0,
            "refunded_minor": 0,
            "currency": hold.payer.currency,
            "title": "Green tea",
            "state": "authorised",
            "accepted": True,
            "network": "web",
            "room_id": "lobby",
            "network_person_id": "anna",
            "created_at_us": 1,
        }
