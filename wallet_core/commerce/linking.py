"""One person on many networks: codes that join two identities, and their separation.

An identity is a network's immutable id. Joined, the identities of two people become those of one,
the kept person, who has the wallets and shops of both. What came from where is written down, so
that each identity can leave with what it brought. No money moves, neither way.

People who were ever joined stay in one *group*, also after they part: limits and their history
count for the whole group, or else parting would be a way around them.

Everything here is a plan: rows that the caller commits together with what it says. The rows name
what they expect to find, so a plan that is overtaken is refused with `CHANGED` or `TAKEN`.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from wallet_core.commerce.numbers import as_typed
from wallet_core.commerce.records import Place
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Insert, RowChange, Update, Value

#: How long a code can be entered and confirmed.
CODE_VALID_S = 300
_MICROSECONDS = 1_000_000
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: 40 bits: in five minutes nobody tries a noticeable part of them.
CODE_LENGTH = 8


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A code and what became of it.

    The first half is who asked for the code, the `other_` half who entered it. `state` is `open`
    (nobody entered it), `entered`, `joined` or `refused`.
    """

    id: str
    digest: str
    state: str
    expires_at_us: int
    network: str
    network_person_id: str
    room_id: str
    person_id: str
    confirmed: bool
    other_network: str | None
    other_network_person_id: str | None
    other_room_id: str | None
    other_person_id: str | None
    other_confirmed: bool

    @property
    def place(self) -> Place:
        """Where the code was asked for."""
        return Place(self.network, self.room_id, self.network_person_id)

    @property
    def other_place(self) -> Place | None:
        """Where the code was entered."""
        if not (self.other_network and self.other_room_id and self.other_network_person_id):
            return None
        return Place(self.other_network, self.other_room_id, self.other_network_person_id)


class Owned(msgspec.Struct, frozen=True):
    """Something of a person (`identity`, `wallet` or `shop`), and the person who brought it."""

    kind: str
    ref: str
    home_person_id: str


class Holdings(msgspec.Struct, frozen=True):
    """All that is a person's, in the order in which it came. `wallet_id` is what he pays from."""

    person_id: str
    wallet_id: str
    admin: bool
    owned: tuple[Owned, ...]

    def of_kind(self, kind: str) -> list[Owned]:
        """The identities, wallets or shops among it."""
        return [each for each in self.owned if each.kind == kind]


class LinkReader(Protocol):
    """What linking asks of the storage."""

    async def request_of_code(self, digest: str) -> LinkRequest | None:
        """The request of a code, by the code's digest."""

    async def request(self, request_id: str) -> LinkRequest | None:
        """A request by its id."""

    async def holdings(self, person_id: str) -> Holdings:
        """All that is a person's."""

    async def groups(self, person_ids: Sequence[str]) -> dict[str, str]:
        """Person → group, of these people and of all who are in the same groups."""

    async def wallets(self, person_ids: Sequence[str]) -> Sequence[str]:
        """All wallets of these people."""


class Plan(msgspec.Struct, frozen=True):
    """Rows to commit, and the request as it stands after that."""

    request: LinkRequest
    rows: tuple[RowChange, ...]


class Linking:
    """Plans codes, confirmations, joins and separations."""

    def __init__(
        self, reader: LinkReader, secret: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        """`secret` gives so many bytes that nobody can guess."""
        self._reader = reader
        self._secret = secret

    def offering(self, place: Place, person_id: str, now_us: int) -> tuple[str, Plan]:
        """A new code for somebody, as he reads it, and the rows that make it valid."""
        code = code_of(self._secret(CODE_LENGTH))
        request = LinkRequest(
            id=f"l_{self._secret(8).hex()}",
            digest=_digest(as_typed(code)),
            state="open",
            expires_at_us=now_us + CODE_VALID_S * _MICROSECONDS,
            network=place.network,
            network_person_id=place.network_person_id,
            room_id=place.room_id,
            person_id=person_id,
            confirmed=False,
            other_network=None,
            other_network_person_id=None,
            other_room_id=None,
            other_person_id=None,
            other_confirmed=False,
        )
        row = Insert("link_requests", msgspec.structs.asdict(request))
        return code, Plan(request, (row,))

    async def entering(self, code: str, place: Place, person_id: str, now_us: int) -> Plan:
        """Somebody enters a code, which is used up by that.

        Raises `Refused`: `UNKNOWN_QUOTE` for a code that never was, `NOT_OPEN` for one that is
        used or too old, `NOT_ALLOWED` for one's own.
        """
        request = await self._reader.request_of_code(_digest(as_typed(code)))
        if request is None:
            raise Refused(Refusal.UNKNOWN_QUOTE, "no such code")
        if request.state != "open" or request.expires_at_us <= now_us:
            raise Refused(Refusal.NOT_OPEN, request.id)
        if request.person_id == person_id:
            raise Refused(Refusal.NOT_ALLOWED, request.id)
        values: dict[str, Value] = {
            "state": "entered",
            "other_network": place.network,
            "other_network_person_id": place.network_person_id,
            "other_room_id": place.room_id,
            "other_person_id": person_id,
        }
        row = Update(
            table="link_requests",
            where={"id": request.id, "state": "open"},
            values=values,
            refusal=Refusal.NOT_OPEN,
        )
        return Plan(msgspec.structs.replace(request, **values), (row,))

    async def confirming(self, request_id: str, place: Place, now_us: int) -> Plan:
        """One side says yes; with both the plan joins them, and its request is `joined`.

        Raises `Refused`: `NOT_ALLOWED` for whoever is not asked, `NOT_OPEN` when it is too late.
        """
        request, mine = await self._asked(request_id, place)
        if request.state != "entered" or request.expires_at_us <= now_us:
            raise Refused(Refusal.NOT_OPEN, request.id)
        seen = {"confirmed": request.confirmed, "other_confirmed": request.other_confirmed}
        values: dict[str, Value] = {mine: True}
        both = all({**seen, mine: True}.values())
        if both:
            values["state"] = "joined"
        row = Update(
            table="link_requests",
            where={"id": request.id, "state": "entered", **seen},
            values=values,
        )
        rows: tuple[RowChange, ...] = (row,)
        if both:
            rows += await self._joining(request)
        return Plan(msgspec.structs.replace(request, **values), rows)

    async def refusing(self, request_id: str, place: Place) -> Plan:
        """One side says no, and the code is worth nothing. Raises `Refused` as `confirming`."""
        request, _ = await self._asked(request_id, place)
        if request.state != "entered":
            raise Refused(Refusal.NOT_OPEN, request.id)
        row = Update(
            table="link_requests",
            where={"id": request.id, "state": "entered"},
            values={"state": "refused"},
            refusal=Refusal.NOT_OPEN,
        )
        return Plan(msgspec.structs.replace(request, state="refused"), (row,))

    async def _asked(self, request_id: str, place: Place) -> tuple[LinkRequest, str]:
        """The request, and the column in which this side's answer stands."""
        request = await self._reader.request(request_id)
        if request is not None:
            if _is_same(request.place, place):
                return request, "confirmed"
            if request.other_place is not None and _is_same(request.other_place, place):
                return request, "other_confirmed"
        raise Refused(Refusal.NOT_ALLOWED, request_id)

    async def _joining(self, request: LinkRequest) -> tuple[RowChange, ...]:
        kept = await self._reader.holdings(request.person_id)
        joined = await self._reader.holdings(request.other_person_id or "")
        if joined.admin and not kept.admin:
            # An admin stays one, whichever side asked for the code.
            kept, joined = joined, kept
        shops = {each.ref for each in kept.of_kind("shop")}
        moving = [each for each in joined.owned if each.kind != "shop" or each.ref not in shops]
        if not moving:
            raise Refused(Refusal.CHANGED, "they were joined meanwhile")
        rows = [_remembered(each) for each in (*kept.owned, *joined.owned)]
        rows += [_moved(each, joined.person_id, kept.person_id) for each in moving]
        pair = (kept.person_id, joined.person_id)
        groups = await self._reader.groups(pair)
        group = next((groups[person] for person in pair if person in groups), f"g_{request.id}")
        wallets = await self._reader.wallets(sorted({*pair, *groups}))
        return (*rows, *_grouping(groups, pair, group), *_counted_together(wallets, group))

    async def parting(self, place: Place, person_id: str) -> tuple[RowChange, ...]:
        """An identity leaves the others, with the wallets and shops that it brought.

        Raises `Refused` (`NOT_OPEN`) when it is linked with no other.
        """
        all_of_it = await self._reader.holdings(person_id)
        me = f"{place.network}:{place.network_person_id}"
        own = next((i for i in all_of_it.of_kind("identity") if i.ref == me), None)
        homes = list(dict.fromkeys(i.home_person_id for i in all_of_it.of_kind("identity")))
        if own is None or len(homes) < 2:  # noqa: PLR2004 - a pair is the least that can part
            raise Refused(Refusal.NOT_OPEN, me)
        if own.home_person_id != person_id:
            leaving, to_person_id = {own.home_person_id}, own.home_person_id
        else:
            # The one who stays is the person itself, so the others leave together.
            leaving = {home for home in homes if home != person_id}
            to_person_id = next(home for home in homes if home != person_id)
        moving = [each for each in all_of_it.owned if each.home_person_id in leaving]
        rows: list[RowChange] = [_moved(each, person_id, to_person_id) for each in moving]
        gone = [each.ref for each in moving if each.kind == "wallet"]
        left = [w.ref for w in all_of_it.of_kind("wallet") if w.ref not in gone]
        rows += _choices(await self._reader.holdings(to_person_id), gone)
        rows += _choices(all_of_it, left)
        return tuple(rows)

    async def choosing(self, person_id: str, wallet_id: str) -> tuple[RowChange, ...]:
        """Pay from this wallet from now on. Raises `Refused` (`NOT_ALLOWED`) for another's."""
        holdings = await self._reader.holdings(person_id)
        if wallet_id not in {each.ref for each in holdings.of_kind("wallet")}:
            raise Refused(Refusal.NOT_ALLOWED, wallet_id)
        return (_chosen(person_id, holdings.wallet_id, wallet_id),)


def code_of(secret: bytes) -> str:
    """A code as it is read: one character for each byte, every character as likely as another."""
    code = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secret)
    return f"{code[:4]}-{code[4:]}"


def _digest(code: str) -> str:
    return hashlib.sha256(f"link:{code}".encode()).hexdigest()


def _is_same(one: Place, other: Place) -> bool:
    return (one.network, one.network_person_id) == (other.network, other.network_person_id)


def _remembered(each: Owned) -> RowChange:
    """Who brought it: written down once, at the first joining."""
    return Insert("link_homes", msgspec.structs.asdict(each), if_absent=True)


def _moved(each: Owned, person_id: str, to_person_id: str) -> RowChange:
    match each.kind:
        case "identity":
            network, _, network_person_id = each.ref.partition(":")
            table = "identities"
            key: dict[str, Value] = {"network": network, "network_person_id": network_person_id}
        case "wallet":
            # A tap that was decided on whose it was before holds an older lease, or sees that a
            # newer one than the next was given.
            return Update(
                table="wallets",
                where={"id": each.ref, "person_id": person_id},
                values={"person_id": to_person_id},
                add={"fence": 1},
            )
        case _:
            table, key = "merchant_members", {"merchant_id": each.ref}
    return Update(
        table=table, where={**key, "person_id": person_id}, values={"person_id": to_person_id}
    )


def _choices(holdings: Holdings, wallet_ids: Sequence[str]) -> list[RowChange]:
    """The person pays from one of these wallets: the one chosen, or else the first."""
    if holdings.wallet_id in wallet_ids:
        return []
    return [_chosen(holdings.person_id, holdings.wallet_id, wallet_ids[0])]


def _chosen(person_id: str, from_wallet_id: str, wallet_id: str) -> RowChange:
    return Update(
        table="persons",
        where={"id": person_id, "wallet_id": from_wallet_id},
        values={"wallet_id": wallet_id},
    )


def _counted_together(wallets: Sequence[str], group: str) -> list[RowChange]:
    """Rows by which all these wallets count against the limits of each of them, for ever."""
    return [
        Insert("limit_groups", {"id": group}, if_absent=True),
        *(
            Update(table="wallets", where={"id": wallet_id}, values={"limit_group": group})
            for wallet_id in wallets
        ),
    ]


def _grouping(groups: dict[str, str], pair: tuple[str, str], group: str) -> list[RowChange]:
    """Rows that put both, and all who are in a group with one of them, into one group."""
    new: list[RowChange] = [
        Insert("person_groups", {"person_id": person, "group_id": group})
        for person in pair
        if person not in groups
    ]
    changed: list[RowChange] = [
        Update(
            table="person_groups",
            where={"person_id": person, "group_id": before},
            values={"group_id": group},
        )
        for person, before in sorted(groups.items())
        if before != group
    ]
    return new + changed
