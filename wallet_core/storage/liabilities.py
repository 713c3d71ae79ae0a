"""What is owed to whom, and the published proofs of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from secrets import token_hex
from typing import Any

import msgspec
import sqlalchemy as sa

from wallet_core.audit.liabilities import (
    Liability,
    PersonalProof,
    RootFile,
    Tree,
    signed_statement,
    statement_of,
    tree_of,
)
from wallet_core.audit.receipts import instant
from wallet_core.audit.signing import SigningKey
from wallet_core.audit.sum_tree import siblings
from wallet_core.ledger.posting import MICROSECONDS
from wallet_core.storage import audit_tables as at
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.snapshots import big_sum, pages, snapshot

#: Proofs whose paths are kept; the statements of older ones stay.
KEPT_PROOFS = 8
#: Whose accounts are debts of the instance. What lies with providers is what it owns.
_OWED_TO = ("wallet:%", "merchant:%", "escrow:%")
#: Rows written in one transaction, so that payments are kept waiting for milliseconds only.
_ROWS_MAX = 2000


class Liabilities:
    """The proofs of liabilities on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, key: SigningKey) -> RootFile:
        """Make the trees of this moment, one a currency, and keep what their paths need.

        The statements are written last: until then nobody sees anything of the new proof. Trees
        are made in memory, about 600 bytes for each leaf.
        """
        at_us, liabilities = await self._owed()
        proof = _name(at_us, await self.latest())
        statements, signed = [], []
        rows = []
        for currency, owed in groupby(liabilities, key=lambda each: each.currency):
            tree = tree_of(currency, owed)
            await self._insert(at.liability_leaves, _leaf_rows(proof, tree))
            await self._insert(at.liability_nodes, _node_rows(proof, tree))
            statement = statement_of(tree, proof, at_us)
            statements.append(statement)
            signed.append(signed_statement(key, statement))
            rows.append(
                {
                    "proof": proof,
                    "currency": currency,
                    "leaf_count": statement.leaf_count,
                    "signed": signed[-1],
                    "at_us": at_us,
                }
            )
        await self._insert(at.liability_statements, rows)
        await self._forget_old()
        return RootFile(
            proof=proof,
            at=instant(at_us),
            public_key=key.public.text,
            statements=tuple(statements),
            signed=tuple(signed),
        )

    async def latest(self) -> str | None:
        """The name of the newest proof, or None."""
        query = sa.select(sa.func.max(at.liability_statements.c.proof))
        async with self._database.read() as connection:
            name: str | None = (await connection.execute(query)).scalar()
        return name

    async def proofs_of(self, owners: Sequence[str]) -> list[PersonalProof]:
        """What the newest proof has for each of `owners`, by owner and currency."""
        newest = await self.latest()
        s, leaves = at.liability_statements.c, at.liability_leaves.c
        query = (
            sa.select(*leaves, s.leaf_count, s.signed)
            .join_from(
                at.liability_leaves,
                at.liability_statements,
                sa.and_(s.proof == leaves.proof, s.currency == leaves.currency),
            )
            .where(leaves.proof == newest, leaves.owner.in_(owners))
            .order_by(leaves.owner, leaves.currency)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [await self._personal(row) for row in rows]

    async def _personal(self, row: sa.RowMapping) -> PersonalProof:
        nodes = at.liability_nodes.c
        places = siblings(row["position"], row["leaf_count"])
        query = sa.select(nodes.level, nodes.digest, nodes.sum_minor).where(
            nodes.proof == row["proof"],
            nodes.currency == row["currency"],
            sa.or_(
                sa.false(),
                *(sa.and_(nodes.level == level, nodes.position == n) for level, n in places),
            ),
        )
        async with self._database.read() as connection:
            beside = (await connection.execute(query.order_by(nodes.level))).all()
        return PersonalProof(
            statement=row["signed"],
            owner=row["owner"],
            amount_minor=row["amount_minor"],
            salt=bytes(row["salt"]).hex(),
            position=row["position"],
            path=tuple((bytes(node.digest).hex(), node.sum_minor) for node in beside),
        )

    async def _owed(self) -> tuple[int, list[Liability]]:
        """The moment, and all that was owed then, by currency."""
        a = t.accounts.c
        owner = sa.func.coalesce(sa.literal("person:") + t.wallets.c.person_id, a.owner)
        query = (
            sa.select(owner.label("who"), a.currency, big_sum(a.balance_minor))
            .join_from(
                t.accounts,
                t.wallets,
                a.owner == sa.literal("wallet:") + t.wallets.c.id,
                isouter=True,
            )
            .where(sa.or_(*(a.owner.like(kind) for kind in _OWED_TO)))
            .group_by("who", a.currency)
            .order_by(a.currency)
        )
        async with snapshot(self._database) as connection:
            at_us = await self._database.now_us(connection)
            return at_us, [
                one async for page in pages(connection, query, Liability) for one in page
            ]

    async def _insert(self, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
        for part in _parts(iter(rows)):
            async with self._database.write() as connection:
                await connection.execute(sa.insert(table), part)

    async def _forget_old(self) -> None:
        """Names sort by time: whatever is older than the oldest kept proof goes."""
        names = sa.select(at.liability_statements.c.proof).distinct()
        names = names.order_by(at.liability_statements.c.proof.desc()).limit(KEPT_PROOFS)
        async with self._database.write() as connection:
            kept = (await connection.execute(names)).scalars().all()
            if len(kept) == KEPT_PROOFS:
                for table in (at.liability_leaves, at.liability_nodes):
                    await connection.execute(sa.delete(table).where(table.c.proof < kept[-1]))


def root_file_text(published: RootFile) -> str:
    """The public file as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(published)).decode() + "\n"


def _name(at_us: int, newest: str | None) -> str:
    """A name for a proof; names sort by time, and behind the newest also after a clock went back.

    The name is not its evidence: the statement says its moment.
    """
    if newest is not None:
        at_us = max(at_us, _named_us(newest) + 1)
    seconds, rest_us = divmod(at_us, MICROSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%S}.{rest_us:06d}Z-{token_hex(2)}"


def _named_us(name: str) -> int:
    """The microsecond that `_name` wrote."""
    seconds, _, rest_us = name.partition("Z")[0].partition(".")
    named = datetime.strptime(seconds, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return int(named.timestamp()) * MICROSECONDS + int(rest_us)


def _leaf_rows(proof: str, tree: Tree) -> Iterator[dict[str, Any]]:
    for position, leaf in enumerate(tree.leaves):
        yield {
            "proof": proof,
            "currency": tree.currency,
            "owner": leaf.owner,
            "position": position,
            "amount_minor": leaf.amount_minor,
            "salt": leaf.salt,
        }


def _node_rows(proof: str, tree: Tree) -> Iterator[dict[str, Any]]:
    for level, nodes in enumerate(tree.levels):
        for position, node in enumerate(nodes):
            yield {
                "proof": proof,
                "currency": tree.currency,
                "level": level,
                "position": position,
                "digest": node.digest,
                "sum_minor": node.sum_minor,
            }


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while part := list(islice(rows, _ROWS_MAX)):
        yield part
