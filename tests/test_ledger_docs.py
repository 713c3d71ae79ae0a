"""The code that docs/ledger.md hands to strangers does what the page says."""

import json
import re
from pathlib import Path
from typing import Any

from tests.wallet_core.busy_books import trade
from tests.wallet_core.world import world_at
from wallet_core.audit.liabilities import checked_proof
from wallet_core.audit.receipts import signed_receipt
from wallet_core.audit.signing import SigningKey
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.receipts import ReceiptReader

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
