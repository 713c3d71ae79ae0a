"""The code that docs/ledger.md hands to strangers does what the page says."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.busy_books import busy_books, trade
from tests.wallet_core.world import world_at
from wallet_core.audit.liabilities import checked_proof
from wallet_core.audit.receipts import signed_receipt
from wallet_core.audit.signing import SigningKey
from wallet_core.storage import tables as t
from wallet_core.storage.checkpoints import Checkpoints
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.receipts import ReceiptReader

KINDS = ("post", "authorise", "capture", "void")
PAGE = Path(__file__).parent.parent / "docs" / "ledger.md"


def shown_code() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)  # noqa: S102 - our own page
    return names


async def test_a_stranger_with_the_page_can_check_receipts_and_proofs(tmp_path: Path) -> None:
    code, key = shown_code(), SigningKey.new()
    async with world_at(f"sqlite:///{tmp_path / 'x.db'}") as world:
        await trade(world)
        for n in range(4):
            await world.person(f"more {n}", 100 + n)
        ben = await world.person("ben")
        order = await world.latest_order(ben)
        facts = await ReceiptReader(world.database).facts(order)
        said = code["check"](signed_receipt(key, facts), key.public.text)
        assert said["order"] == order.number
        liabilities = Liabilities(world.database)
        await liabilities.publish(key)
        proofs = await liabilities.proofs_of([f"person:{ben.person_id}"])
        for n in range(4):
            someone = await world.person(f"more {n}")
            proofs += await liabilities.proofs_of([f"person:{someone.person_id}"])
    assert len(proofs) == 5
    for proof in proofs:
        statement, _ = checked_proof(proof)
        root, total = code["root"](
            proof.owner,
            proof.amount_minor,
            bytes.fromhex(proof.salt),
            proof.position,
            statement.leaf_count,
            json.loads(json.dumps(proof.path)),
        )
        assert (root.hex(), total) == (statement.root, statement.total_minor)


async def test_a_stranger_with_the_page_can_compute_the_journal(tmp_path: Path) -> None:
    code, key = shown_code(), SigningKey.new()
    async with busy_books(f"sqlite:///{tmp_path / 'x.db'}") as world:
        async with world.database.read() as connection:
            transfers = await _all(connection, t.transfers)
            batches = await _all(connection, t.journal)
            names = {row["no"]: row["id"] for row in await _all(connection, t.accounts)}
            entries = defaultdict(list)
            for row in await _all(connection, t.entries):
                entries[row["transfer_id"]].append({**row, "account": names[row["account_no"]]})
        signed = await Checkpoints(world.database).fresh(key)
    assert {row["kind"] for row in transfers} == set(KINDS)
    heads: dict[int, tuple[int, bytes]] = {}
    for row in sorted(batches, key=lambda row: (row["chain_no"], row["batch_no"])):
        chain, batch = row["chain_no"], row["batch_no"]
        mine = [m for m in transfers if (m["chain_no"], m["batch_no"]) == (chain, batch)]
        mine.sort(key=lambda m: m["place"])
        leaves = [code["leaf"](m, entries[m["id"]]) for m in mine]
        assert leaves == [m["leaf"] for m in mine]
        _, before = heads.get(chain, (0, bytes(32)))
        digest = code["batch"](before, chain, batch, row["at_us"], leaves)
        assert digest == row["hash"]
        heads[chain] = (batch, digest)
    said = json.loads(code["raw"](signed.split(".")[1]))
    assert [(c["chain"], (c["length"], bytes.fromhex(c["head"]))) for c in said["chains"]] == [
        *heads.items()
    ]


async def _all(connection: AsyncConnection, table: sa.Table) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(sa.select(table))).mappings()]
