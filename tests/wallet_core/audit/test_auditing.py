"""An audit finds each kind of wrong row and names it; it needs no more memory for more books."""

import tracemalloc
from string import Template

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.wallet_core.busy_books import audit_of, busy_books, unguarded
from wallet_core.audit.auditing import audit
from wallet_core.audit.findings import BrokenBooks
from wallet_core.storage.append_only import create_all
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.database import Database

HALF_ENTRIES = 100_000
MEMORY_BYTES_MAX = 8_000_000

#: What the statements below mean by a name.
NAMES = {
    "annas": (
        "(SELECT 'wallet:' || wallet_id || '/available/CNY' FROM persons JOIN identities "
        "ON person_id = id WHERE network_person_id = 'anna')"
    ),
    "held": (
        "(SELECT 'wallet:' || wallet_id || '/held/CNY' FROM persons JOIN identities "
        "ON person_id = id WHERE network_person_id = 'anna')"
    ),
    "open": "(SELECT hold_id FROM orders WHERE state = 'authorised')",
    "paid": "(SELECT hold_id FROM orders WHERE state = 'paid' AND refunded_minor = 0)",
    "capture": (
        "(SELECT t.id FROM transfers t JOIN orders o ON o.hold_id = t.hold_id "
        "WHERE t.kind = 'capture' AND o.state = 'paid' AND o.refunded_minor = 0)"
    ),
}

#: What is done to the books, and words of the one sentence that must come of it.
HARM = {
    "an account's balance": (
        "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE id = $annas",
        ("Account wallet:", "states CNY", "but its entries come to CNY"),
    ),
    "an account's count": (
        "UPDATE accounts SET version = version + 1 WHERE id = $annas",
        ("Account wallet:", "entries and has"),
    ),
    "an account's owner": (
        "UPDATE accounts SET owner = 'wallet:w_thief' WHERE id = $annas",
        ("Account wallet:", "says that it is wallet:w_thief"),
    ),
    "an account's floor": (
        "UPDATE accounts SET floor_minor = NULL WHERE id = $annas",
        ("Account wallet:", "has the floor None instead of 0"),
    ),
    "an account's name": (
        "INSERT INTO accounts VALUES ('nonsense', 'n', 'available', 'CNY', 0, 0, 0)",
        ("Account nonsense has a name that is no account's.",),
    ),
    "an entry's amount": (
        "UPDATE entries SET amount_minor = amount_minor + 1 WHERE account_id = $annas AND seq = 2",
        ("Account wallet:", "after entry 2, but its entries come to"),
    ),
    "an entry's balance": (
        "UPDATE entries SET balance_after_minor = 7 WHERE account_id = $annas AND seq = 3",
        ("Account wallet:", "states CNY 0.07 after entry 3"),
    ),
    "an entry of nothing": (
        "UPDATE entries SET amount_minor = 0 WHERE account_id = $annas AND seq = 1",
        ("Account wallet:", "has an entry 1 that moves nothing"),
    ),
    "an entry that is gone": (
        "DELETE FROM entries WHERE account_id = $annas AND seq = 2",
        ("Account wallet:", "misses entry 2: the next one there is 3"),
    ),
    "the last entry that is gone": (
        (
            "DELETE FROM entries WHERE account_id = $annas AND seq = "
            "(SELECT version FROM accounts WHERE id = $annas)"
        ),
        ("Account wallet:", "entries and has"),
    ),
    "a balance below the floor": (
        (
            "INSERT INTO accounts VALUES ('wallet:w/available/CNY', 'wallet:w', 'available', "
            "'CNY', 0, -5, 1); INSERT INTO entries SELECT 'wallet:w/available/CNY', 1, id, -5, -5 "
            "FROM transfers WHERE id = $capture"
        ),
        ("Account wallet:w/available/CNY is below its floor after entry 1: CNY -0.05",),
    ),
    "an entry without its account": (
        "DELETE FROM accounts WHERE id = $annas",
        ("Entry wallet:", "1 stands on an account that is not there"),
    ),
    "a transfer that is gone": (
        "DELETE FROM transfers WHERE id = $capture",
        ("Entry ", "belongs to a transfer that is not there"),
    ),
    "a commit that is gone": (
        "DELETE FROM commits WHERE key = (SELECT commit_key FROM transfers WHERE id = $capture)",
        ("Transfer ", "belongs to a commit that is not there"),
    ),
    "a transfer that makes money": (
        (
            "INSERT INTO accounts VALUES ('wallet:w/available/CNY', 'wallet:w', 'available', "
            "'CNY', 0, 5, 1); INSERT INTO entries SELECT 'wallet:w/available/CNY', 1, id, 5, 5 "
            "FROM transfers WHERE id = $capture"
        ),
        ("Transfer capture ", "does not sum to zero: its entries come to CNY 0.05"),
    ),
    "a transfer with one side": (
        (
            "INSERT INTO transfers SELECT $new, 'post', fingerprint, '', NULL, commit_key, 1 "
            "FROM transfers WHERE id = $capture; INSERT INTO accounts VALUES "
            "('wallet:w/available/CNY', 'wallet:w', 'available', 'CNY', 0, 5, 1); "
            "INSERT INTO entries VALUES ('wallet:w/available/CNY', 1, $new, 5, 5)"
        ),
        ("Transfer post ", "has 1 entries; money has two sides"),
    ),
    "a transfer without entries": (
        (
            "INSERT INTO transfers SELECT $new, 'post', fingerprint, '', NULL, commit_key, 1 "
            "FROM transfers WHERE id = $capture"
        ),
        ("Transfer post ", "has 0 entries"),
    ),
    "a transfer's kind": (
        "UPDATE transfers SET kind = 'post' WHERE id = $capture",
        ("Transfer post ", "is of the kind 'post' and has a hold"),
    ),
    "a hold that is gone": (
        "DELETE FROM holds WHERE id = $paid",
        ("belongs to hold ", "which is not there"),
    ),
    "a hold that nothing made": (
        (
            "INSERT INTO holds SELECT $new, payer_account_id, payee_account_id, amount_minor, "
            "currency, state, ending, due_at_us, '' FROM holds WHERE id = $open"
        ),
        ("Hold ", "was made by no transfer"),
    ),
    "a hold's amount": (
        "UPDATE holds SET amount_minor = amount_minor - 1 WHERE id = $open",
        ("Hold ", "says CNY 198.99, but its transfer moved something else"),
    ),
    "a hold's currency": (
        "UPDATE holds SET currency = 'USD' WHERE id = $open",
        ("Hold ", "is in USD on wallet:"),
    ),
    "a hold that was opened again": (
        "UPDATE holds SET state = 'open' WHERE id = $paid",
        ("Hold ", "is open, but its transfers have ended it"),
    ),
    "a hold that was ended by hand": (
        "UPDATE holds SET state = 'voided' WHERE id = $open",
        ("Hold ", "is voided, but its transfers leave CNY 199.00 held"),
    ),
    "a hold with another ending": (
        "UPDATE holds SET state = 'voided' WHERE id = $paid",
        ("Hold ", "is voided, but no transfer ended it so"),
    ),
    "a hold's payee": (
        "UPDATE holds SET payee_account_id = 'merchant:m_x/available/CNY' WHERE id = $paid",
        ("Transfer capture ", "captures nothing for merchant:m_x/available/CNY"),
    ),
    "held money without a hold": (
        (
            "INSERT INTO transfers SELECT $new, 'post', fingerprint, '', NULL, commit_key, 1 "
            "FROM transfers WHERE id = $capture; "
            "UPDATE accounts SET balance_minor = balance_minor + 5, version = version + 1 "
            "WHERE id = $held; "
            "INSERT INTO entries SELECT id, version, $new, 5, balance_minor FROM accounts "
            "WHERE id = $held; "
            "UPDATE accounts SET balance_minor = balance_minor - 5, version = version + 1 "
            "WHERE id = 'provider:cash/clearing/CNY'; "
            "INSERT INTO entries SELECT id, version, $new, -5, balance_minor FROM accounts "
            "WHERE id = 'provider:cash/clearing/CNY'"
        ),
        ("Account wallet:", "has CNY 199.05 on it, but its open holds come to CNY 199.00"),
    ),
    "an order's state": (
        "UPDATE orders SET state = 'paid' WHERE state = 'undone'",
        ("Order ", "is paid, but its hold is voided"),
    ),
    "an order's price": (
        "UPDATE orders SET amount_minor = amount_minor + 1 WHERE hold_id = $paid",
        ("Order ", "costs CNY 199.01, but its hold is of CNY 199.00"),
    ),
    "an order's wallet": (
        "UPDATE orders SET wallet_id = 'w_x' WHERE hold_id = $paid",
        ("Order ", "and its hold name other people"),
    ),
    "an order's capture": (
        "UPDATE orders SET captured_minor = captured_minor - 1 WHERE hold_id = $paid",
        ("Order ", "says CNY 198.99 captured, but its transfers moved CNY 199.00"),
    ),
    "an order's refund": (
        "UPDATE orders SET refunded_minor = refunded_minor + 1 WHERE hold_id = $paid",
        ("Order ", "says CNY 0.01 refunded, but its transfers moved CNY 0.00"),
    ),
    "a refund above the capture": (
        (
            "UPDATE orders SET refunded_minor = 19901 WHERE state = 'refunded'; "
            "UPDATE accounts SET balance_minor = balance_minor + 1, version = version + 1 "
            "WHERE id = $annas; INSERT INTO entries SELECT id, version, (SELECT t.id FROM "
            "transfers t JOIN orders o ON t.subject = 'order:' || o.id WHERE o.state = 'refunded' "
            "AND t.kind = 'post'), 1, balance_minor FROM accounts WHERE id = $annas; "
            "UPDATE accounts SET balance_minor = balance_minor - 1, version = version + 1 "
            "WHERE id = 'provider:cash/clearing/CNY'; INSERT INTO entries SELECT id, version, "
            "(SELECT t.id FROM transfers t JOIN orders o ON t.subject = 'order:' || o.id WHERE "
            "o.state = 'refunded' AND t.kind = 'post'), -1, balance_minor FROM accounts "
            "WHERE id = 'provider:cash/clearing/CNY'"
        ),
        ("Order ", "has CNY 199.01 refunded of CNY 199.00 captured"),
    ),
    "a refunded order that says paid": (
        "UPDATE orders SET state = 'paid' WHERE state = 'refunded'",
        ("Order ", "is paid, which its refunds contradict"),
    ),
    "an order that is gone": (
        "DELETE FROM orders WHERE hold_id = $paid",
        ("Hold ", "is about an order that is not there"),
    ),
    "a payout's state": (
        "UPDATE funding_requests SET state = 'done' WHERE amount_minor = 1000",
        ("Payout ", "is done, but its hold is open"),
    ),
    "a payout's amount": (
        "UPDATE funding_requests SET amount_minor = 1001 WHERE amount_minor = 1000",
        ("Payout ", "and its hold name other money"),
    ),
}


#: Many top-ups of one unit each.
FILLING = [
    "INSERT INTO commits VALUES ('k', $empty, NULL, '', 1)",
    (
        "INSERT INTO accounts $numbers SELECT $owner || '/available/CNY', $owner, 'available', "
        "'CNY', 0, $each, $each FROM n WHERE i <= 100"
    ),
    "INSERT INTO accounts VALUES ($till, 'provider:cash', 'clearing', 'CNY', NULL, -$all, $all)",
    "INSERT INTO transfers $numbers SELECT $uuid, 'post', $empty, '', NULL, 'k', i FROM n",
    "INSERT INTO entries $numbers SELECT $till, i, $uuid, -1, -i FROM n",
    (
        "INSERT INTO entries $numbers SELECT $owner || '/available/CNY', (i + 99) / 100, $uuid, 1, "
        "(i + 99) / 100 FROM n"
    ),
]


async def do(connection: AsyncConnection, statements: str) -> None:
    sqlite = connection.dialect.name == "sqlite"
    new = f"'{1:032x}'" if sqlite else f"'{1:032x}'::uuid"
    for statement in Template(statements).substitute(NAMES, new=new).split("; "):
        result = await connection.exec_driver_sql(statement)
        assert result.rowcount == 1, statement


async def test_books_with_a_bit_of_everything_are_right(database_url: str) -> None:
    async with busy_books(database_url) as world, books_of(world.database) as books:
        audited = await audit(books)
    assert audited.order_count == 5
    assert audited.transfer_count == 2 + 5 + 4 + 2 + 2 + 1
    assert audited.entry_count == 2 * audited.transfer_count
    assert audited.account_count == 6


async def test_empty_books_are_right(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as connection:
        await connection.run_sync(create_all)
    async with books_of(database) as books:
        assert (await audit(books)).entry_count == 0
    await database.close()


async def test_every_kind_of_wrong_row_is_named(database_url: str) -> None:
    async with busy_books(database_url) as world:
        for harm, (statements, words) in HARM.items():
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


async def test_an_audit_sees_one_moment_while_money_moves_on(database_url: str) -> None:
    async with busy_books(database_url) as world, books_of(world.database) as books:
        before = await audit(books)
        await world.person("carl", 500)
        assert await audit(books) == before
        async with books_of(world.database) as later:
            assert (await audit(later)).transfer_count == before.transfer_count + 1


async def test_memory_does_not_grow_with_the_books(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as connection:
        await connection.run_sync(create_all)
        await _fill(connection)
    tracemalloc.start()
    try:
        async with books_of(database) as books:
            audited = await audit(books)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await database.close()
    assert audited.entry_count == 2 * HALF_ENTRIES
    assert peak_bytes < MEMORY_BYTES_MAX


async def _fill(connection: AsyncConnection) -> None:
    """Many top-ups of one unit, spread over a hundred wallets; the till is one hot account."""
    sqlite = connection.dialect.name == "sqlite"
    names = {
        "uuid": "printf('%032x', i)" if sqlite else "lpad(to_hex(i), 32, '0')::uuid",
        "empty": "x'00'" if sqlite else "'\\x00'::bytea",
        "numbers": (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $all)"
        ).replace("$all", str(HALF_ENTRIES)),
        "all": HALF_ENTRIES,
        "each": HALF_ENTRIES // 100,
        "owner": "'wallet:w' || (i % 100)",
        "till": "'provider:cash/clearing/CNY'",
    }
    for line in FILLING:
        await connection.exec_driver_sql(Template(line).substitute(names))
