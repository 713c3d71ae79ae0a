"""People: who is behind a network's id, who is an admin, and one-time tokens."""

import contextlib
import hashlib

import msgspec
import sqlalchemy as sa

from wallet_core.errors import KeyConflict, PayontapError, Refusal, Refused
from wallet_core.ledger.commits import Commit, Insert, Notice, RowChange, Update, WriterPort
from wallet_core.ledger.transfers import named
from wallet_core.ledger.wallets import WalletMode
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.requests import Statement
from wallet_core.storage.rows_by_key import RowLookups


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, in whichever network. `wallet_id` is the wallet that he pays from."""

    id: str
    wallet_id: str
    admin: bool


class Contact(msgspec.Struct, frozen=True):
    """Where a person is reached in private."""

    network: str
    room_id: str
    network_person_id: str


_PERSON = """i.network, i.network_person_id, p.id, p.wallet_id, p.admin, i.room_id"""
_IDENTITY = Statement(
    f"""SELECT {_PERSON} FROM unnest($1::text[], $2::text[]) AS k(network, network_person_id)
        JOIN identities i ON i.network = k.network AND i.network_person_id = k.network_person_id
        JOIN persons p ON p.id = i.person_id""",  # noqa: S608 - our own words
    f"""SELECT {_PERSON} FROM identities i JOIN persons p ON p.id = i.person_id
        WHERE i.network = ? AND i.network_person_id = ?""",  # noqa: S608 - same
)


class People:
    """Identities are the networks' immutable ids, never names."""

    def __init__(self, database: Database, writer: WriterPort) -> None:
        self._database = database
        self._writer = writer
        self._identities = RowLookups(database, _IDENTITY, parts=2)

    async def meet(self, network: str, network_person_id: str, room_id: str) -> Person:
        """The person behind a network's id; somebody new gets a wallet at once.

        `room_id` is remembered as the place where he was last, for private news.
        """
        known = await self._find(network, network_person_id)
        if known is None:
            # Met in another room at this very moment: then that introduction stands.
            with contextlib.suppress(KeyConflict):
                await self._writer.commit(_introduction(network, network_person_id, room_id))
            known = await self._find(network, network_person_id)
        assert known is not None  # noqa: S101 - it was committed a line ago, and rows stay
        person, last_room = known
        if last_room != room_id:
            await self._move(network, network_person_id, room_id)
        return person

    async def _find(self, network: str, network_person_id: str) -> tuple[Person, str] | None:
        row = await self._identities.row(network, network_person_id)
        if row is None:
            return None
        _, _, person_id, wallet_id, admin, room_id = row
        return Person(id=person_id, wallet_id=wallet_id, admin=bool(admin)), room_id

    async def _move(self, network: str, network_person_id: str, room_id: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(t.identities)
                .where(
                    t.identities.c.network == network,
                    t.identities.c.network_person_id == network_person_id,
                )
                .values(room_id=room_id)
            )

    async def person(self, person_id: str) -> Person | None:
        """Somebody by the id that this project gave him."""
        query = sa.select(t.persons).where(t.persons.c.id == person_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return Person(id=row.id, wallet_id=row.wallet_id, admin=row.admin) if row else None

    async def admins(self) -> list[Contact]:
        """Where the admins are reached."""
        query = (
            sa.select(t.identities)
            .join(t.persons, t.persons.c.id == t.identities.c.person_id)
            .where(t.persons.c.admin.is_(True))
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Contact(row.network, row.room_id, row.network_person_id) for row in rows]

    async def contacts(self, person_id: str) -> list[Contact]:
        """Where one person is reached."""
        query = sa.select(t.identities).where(t.identities.c.person_id == person_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Contact(row.network, row.room_id, row.network_person_id) for row in rows]

    async def mode_of(self, wallet_id: str) -> WalletMode:
        """What a wallet may do."""
        query = sa.select(t.wallets.c.mode).where(t.wallets.c.id == wallet_id)
        async with self._database.read() as connection:
            return WalletMode((await connection.execute(query)).scalar_one_or_none() or "open")

    async def offer_admin(self, token: str, expires_at_us: int) -> None:
        """Let whoever shows `token` first become an admin. Only its digest is kept."""
        digest = _digest(token)
        await self._writer.commit(
            Commit(
                key=f"token:{digest}",
                rows=(
                    Insert(
                        "one_time_tokens",
                        {
                            "digest": digest,
                            "purpose": "admin",
                            "expires_at_us": expires_at_us,
                            "used": False,
                        },
                    ),
                ),
            )
        )

    async def claim_admin(
        self,
        token: str,
        person: Person,
        now_us: int,
        also: tuple[RowChange, ...] = (),
        said: tuple[Notice, ...] = (),
    ) -> bool:
        """Make `person` an admin if the token is good; it is good once. `said` is said then.

        Raises `Refused` when it was used a moment ago.
        """
        digest = _digest(token)
        query = sa.select(t.one_time_tokens.c.expires_at_us, t.one_time_tokens.c.used)
        async with self._database.read() as connection:
            row = (
                await connection.execute(query.where(t.one_time_tokens.c.digest == digest))
            ).first()
        if row is None or row.used or row.expires_at_us < now_us:
            return False
        commit = Commit(
            key=f"claim:{digest}",
            rows=(
                Update(
                    table="one_time_tokens",
                    where={"digest": digest, "used": False},
                    values={"used": True},
                ),
                Update(table="persons", where={"id": person.id}, values={"admin": True}),
                *also,
            ),
            outbox=said,
        )
        try:
            await self._writer.commit(commit)
        except KeyConflict as conflict:
            raise Refused(Refusal.TAKEN, "somebody else has just used the token") from conflict
        return True


class UnknownPerson(PayontapError):
    """Nobody has that id."""


async def grant_admin(database: Database, who: str) -> None:
    """Make the person with the id `who` (ours, a network's, or `network:id`) an admin.

    For the command line, beside a running instance or without one. Raises `UnknownPerson`.
    """
    network, _, network_person_id = who.partition(":")
    known = t.identities.c
    of_network = sa.select(known.person_id).where(
        sa.or_(
            known.network_person_id == who,
            sa.and_(known.network == network, known.network_person_id == network_person_id),
        )
    )
    async with database.write() as connection:
        changed = await connection.execute(
            sa.update(t.persons)
            .where(sa.or_(t.persons.c.id == who, t.persons.c.id.in_(of_network)))
            .values(admin=True)
        )
        if changed.rowcount == 0:
            raise UnknownPerson(f"Nobody with the id {who} has spoken with this instance yet.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _introduction(network: str, network_person_id: str, room_id: str) -> Commit:
    # Made from the network's id, so that two processes that meet somebody at once agree.
    name = named("person", network, network_person_id).hex
    person_id, wallet_id = f"p_{name}", f"w_{name}"
    return Commit(
        key=f"person:{name}",
        rows=(
            Insert(
                "persons", {"id": person_id, "wallet_id": wallet_id, "admin": False}, if_absent=True
            ),
            Insert(
                "wallets",
                {"id": wallet_id, "person_id": person_id, "mode": WalletMode.OPEN, "fence": 0},
                if_absent=True,
            ),
            Insert(
                "identities",
                {
                    "network": network,
                    "network_person_id": network_person_id,
                    "person_id": person_id,
                    "room_id": room_id,
                },
                if_absent=True,
            ),
        ),
    )
