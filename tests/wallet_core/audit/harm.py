"""Ways to harm books, and the test that an audit names each."""

from collections.abc import Mapping
from string import Template

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.busy_books import audit_of, busy_books, unguarded
from wallet_core.audit.auditing import audit
from wallet_core.audit.findings import BrokenBooks
from wallet_core.storage.audit_reader import books_of

#: Statements that harm the books, and words of the one sentence that must come of it.
Harm = Mapping[str, tuple[str, tuple[str, ...]]]

#: What the statements mean by a name.
NAMES = {
    "annas": (
        "(SELECT 'wallet:' || wallet_id || '/available/CNY' FROM persons JOIN identities "
        "ON person_id = id WHERE network_person_id = 'anna')"
    ),
    "held": (
        "(SELECT 'wallet:' || wallet_id || '/held/CNY' FROM persons JOIN identities "
        "ON person_id = id WHERE network_person_id = 'anna')"
    ),
    "annas_no": (
        "(SELECT a.no FROM accounts a JOIN persons p ON a.id = 'wallet:' || p.wallet_id || "
        "'/available/CNY' JOIN identities i ON i.person_id = p.id "
        "WHERE i.network_person_id = 'anna')"
    ),
    "till": "(SELECT no FROM accounts WHERE id = 'provider:cash/clearing/CNY')",
    "account": (
        "accounts (no, id, owner, purpose, currency, wallet_id, floor_minor, balance_minor, "
        "version, newest_entry_no)"
    ),
    "entry": (
        "entries (no, account_no, seq, before_no, transfer_id, amount_minor, balance_after_minor)"
    ),
    "transfer": (
        "transfers (id, kind, fingerprint, subject, commit_key, created_at_us, chain_no, batch_no, "
        "place, leaf)"
    ),
    "thief": "777, 'wallet:w/available/CNY', 'wallet:w', 'available', 'CNY', 'w', 0",
    "like_it": "fingerprint, '', commit_key, 1, chain_no, batch_no, place, leaf FROM transfers",
    "parts": "(SELECT hold_id FROM transfers WHERE kind = 'capture' AND subject = 'sale' "
    "GROUP BY hold_id HAVING count(*) = 3)",
    "open": "(SELECT hold_id FROM orders WHERE state = 'authorised' AND amount_minor = 19900)",
    "paid": "(SELECT hold_id FROM orders WHERE state = 'paid' AND refunded_minor = 0)",
    "newest": "WHERE proof = (SELECT max(proof) FROM liability_statements) AND currency =",
    "oldest": "WHERE proof = (SELECT min(proof) FROM liability_leaves) AND currency =",
    "refunding": (
        "(SELECT t.id FROM transfers t JOIN orders o ON t.subject = 'order:' || o.id WHERE "
        "o.state = 'refunded' AND o.merchant_id = 'm_shop' AND t.kind = 'post')"
    ),
    "capture": (
        "(SELECT t.id FROM transfers t JOIN orders o ON o.hold_id = t.hold_id "
        "WHERE t.kind = 'capture' AND o.state = 'paid' AND o.refunded_minor = 0)"
    ),
}


async def do(connection: AsyncConnection, statements: str) -> None:
    sqlite = connection.dialect.name == "sqlite"
    new = f"'{1:032x}'" if sqlite else f"'{1:032x}'::uuid"
    zeros = f"x'{bytes(32).hex()}'" if sqlite else f"'\\x{bytes(32).hex()}'::bytea"
    for statement in Template(statements).substitute(NAMES, new=new, zeros=zeros).split("; "):
        result = await connection.exec_driver_sql(statement)
        assert result.rowcount == 1, statement


async def each_is_named(database_url: str, harms: Harm) -> None:
    """Each harm alone is found, and named in one sentence; without any the books are right."""
    async with busy_books(database_url) as world:
        for harm, (statements, words) in harms.items():
            async with unguarded(world.database) as connection:
                await do(connection, statements)
                with pytest.raises(BrokenBooks) as found:
                    await audit_of(connection)
            sentence = str(found.value)
            assert all(word in sentence for word in words), (harm, sentence)
            assert sentence.count("\n") == 0
            assert found.value.row.partition(" ")[2].split()[0] in sentence
        async with books_of(world.database) as books:
            await audit(books)
