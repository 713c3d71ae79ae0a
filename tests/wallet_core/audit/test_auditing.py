"""An audit finds each kind of wrong row and names it; it needs no more memory for more books."""

import asyncio
import tracemalloc
from pathlib import Path

from tests.peers.tables import create_tables
from tests.wallet_core.audit.harm import each_is_named
from tests.wallet_core.busy_books import busy_books
from wallet_core.audit.auditing import audit
from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Leg, Post, named
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.database import Database
from wallet_core.storage.writer import Writer

TOP_UPS = 5_000

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
        (
            "INSERT INTO $account VALUES "
            "(777, 'nonsense', 'n', 'available', 'CNY', NULL, 0, 0, 0, NULL)"
        ),
        ("Account nonsense has a name that is no account's.",),
    ),
    "an entry's amount": (
        (
            "UPDATE entries SET amount_minor = amount_minor + 1 "
            "WHERE account_no = $annas_no AND seq = 2"
        ),
        ("Account wallet:", "after entry 2, but its entries come to"),
    ),
    "an entry's balance": (
        "UPDATE entries SET balance_after_minor = 7 WHERE account_no = $annas_no AND seq = 3",
        ("Account wallet:", "states CNY 0.07 after entry 3"),
    ),
    "an entry of nothing": (
        "UPDATE entries SET amount_minor = 0 WHERE account_no = $annas_no AND seq = 1",
        ("Account wallet:", "has an entry 1 that moves nothing"),
    ),
    "an entry's word of the one before it": (
        (
            "UPDATE entries SET before_no = (SELECT max(no) FROM entries) "
            "WHERE account_no = $annas_no AND seq = 2"
        ),
        ("Account wallet:", "has an entry 2 that does not name the one before it"),
    ),
    "an account's word of its newest entry": (
        "UPDATE accounts SET newest_entry_no = 1 WHERE id = $annas",
        ("Account wallet:", "does not name its newest entry"),
    ),
    "an entry's number": (
        (
            "UPDATE entries SET no = 1 WHERE no = "
            "(SELECT newest_entry_no FROM accounts WHERE id = $annas); "
            "UPDATE accounts SET newest_entry_no = 1 WHERE id = $annas"
        ),
        ("Transfer ", "has an entry numbered 1, which is no number of batch "),
    ),
    "an entry that is gone": (
        "DELETE FROM entries WHERE account_no = $annas_no AND seq = 2",
        ("Account wallet:", "misses entry 2: the next one there is 3"),
    ),
    "the last entry that is gone": (
        (
            "DELETE FROM entries WHERE account_no = $annas_no AND seq = "
            "(SELECT version FROM accounts WHERE id = $annas)"
        ),
        ("Account wallet:", "entries and has"),
    ),
    "a balance below the floor": (
        (
            "INSERT INTO $account VALUES ($thief, -5, 1, 1); "
            "INSERT INTO $entry SELECT 1, 777, 1, NULL, id, -5, -5 "
            "FROM transfers WHERE id = $capture"
        ),
        ("Account wallet:w/available/CNY is below its floor after entry 1: CNY -0.05",),
    ),
    "an entry without its account": (
        "DELETE FROM accounts WHERE id = $annas",
        ("Entry 1 stands on account number ", "which is not there"),
    ),
    "a transfer that is gone": (
        "DELETE FROM transfers WHERE id = $capture",
        ("Entry ", " of account ", "belongs to a transfer that is not there"),
    ),
    "a commit that says that it was refused": (
        (
            "UPDATE commits SET refusal = 'no_funds' WHERE key = "
            "(SELECT commit_key FROM transfers WHERE id = $capture)"
        ),
        ("Transfer ", "belongs to the commit ", "which says that it was refused"),
    ),
    "a commit that is gone": (
        "DELETE FROM commits WHERE key = (SELECT commit_key FROM transfers WHERE id = $capture)",
        ("Transfer ", "belongs to a commit that is not there"),
    ),
    "a transfer that makes money": (
        (
            "INSERT INTO $account VALUES ($thief, 5, 1, 1); "
            "INSERT INTO $entry SELECT 1, 777, 1, NULL, id, 5, 5 "
            "FROM transfers WHERE id = $capture"
        ),
        ("Transfer capture ", "does not sum to zero: its entries come to CNY 0.05"),
    ),
    "a transfer with one side": (
        (
            "INSERT INTO $transfer SELECT $new, 'post', $like_it WHERE id = $capture; "
            "INSERT INTO $account VALUES ($thief, 5, 1, 1); "
            "INSERT INTO $entry VALUES (1, 777, 1, NULL, $new, 5, 5)"
        ),
        ("Transfer post ", "has 1 entries; money has two sides"),
    ),
    "a transfer without entries": (
        ("INSERT INTO $transfer SELECT $new, 'post', $like_it WHERE id = $capture"),
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
            "INSERT INTO holds SELECT $new, payer_account_id, payee_account_id, amount_minor, 0, "
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
        ("Hold ", "is for merchant:m_x, but was made for merchant:m_shop"),
    ),
    "what a hold says was captured": (
        "UPDATE holds SET captured_minor = captured_minor + 1 WHERE id = $parts",
        ("Hold ", "says CNY 80.01 captured, but its transfers captured CNY 80.00"),
    ),
    "a capture that gives more back": (
        ("UPDATE holds SET captured_minor = amount_minor, state = 'open' WHERE id = $parts"),
        ("Hold ", "says CNY 100.00 captured, but its transfers captured CNY 80.00"),
    ),
    "a hold with a part that was closed by hand": (
        ("UPDATE holds SET state = 'captured' WHERE captured_minor = 500 AND state = 'open'"),
        ("Hold ", "is captured, but its transfers leave CNY 55.00 held"),
    ),
    "a hold that was captured in part and says that it was not": (
        (
            "UPDATE holds SET state = 'voided' "
            "WHERE captured_minor = 2000 AND amount_minor > 2000 AND state = 'captured'"
        ),
        ("Hold ", "is voided, but no transfer ended it so"),
    ),
    "what a wallet counts as spent": (
        "UPDATE accounts SET spending = NULL WHERE id = $annas",
        ("Account wallet:", "counts CNY 0.00 as spent in the last day, but its payments come to"),
    ),
    "an account's wallet": (
        "UPDATE accounts SET wallet_id = NULL WHERE id = $annas",
        ("Account wallet:", "says that it is money of the wallet None"),
    ),
    "a transfer's subject": (
        "UPDATE transfers SET subject = 'gift of the house' WHERE subject = 'keep'",
        ("Transfer post ", "is not as it was written: its leaf in the journal is "),
    ),
    "a transfer's time": (
        "UPDATE transfers SET created_at_us = created_at_us + 1 WHERE subject = 'keep'",
        ("Transfer post ", "is not as it was written"),
    ),
    "a transfer's leaf": (
        "UPDATE transfers SET leaf = fingerprint WHERE subject = 'keep'",
        ("Transfer post ", "is not as it was written"),
    ),
    "a transfer's place": (
        "UPDATE transfers SET place = 1 WHERE subject = 'keep'",
        ("Batch ", " of chain ", " at place 1, not 0"),
    ),
    "a transfer in another batch": (
        "UPDATE transfers SET batch_no = batch_no + 5000 WHERE subject = 'keep'",
        ("Chain ", "misses batch "),
    ),
    "a transfer in another chain": (
        (
            "INSERT INTO chains VALUES (77, 0, $zeros); "
            "UPDATE transfers SET chain_no = 77, batch_no = 1 WHERE chain_no = 0 AND batch_no = "
            "(SELECT length FROM chains WHERE no = 0)"
        ),
        ("Chain ", " says ", " batches and has "),
    ),
    "a batch's hash": (
        (
            "UPDATE journal SET hash = (SELECT leaf FROM transfers WHERE subject = 'keep') "
            "WHERE chain_no = 0 AND batch_no = 1"
        ),
        ("Batch 1 of chain 0 has another hash than its transfers and the batch before it.",),
    ),
    "a batch's time": (
        "UPDATE journal SET at_us = at_us + 1 WHERE chain_no = 0 AND batch_no = 2",
        ("Batch 2 of chain 0 has another hash",),
    ),
    "a batch's count": (
        "UPDATE journal SET transfer_count = 2 WHERE chain_no = 0 AND batch_no = 1",
        ("Batch 1 of chain 0 counts 2 transfers and has 1.",),
    ),
    "a batch that is gone": (
        "DELETE FROM journal WHERE chain_no = 0 AND batch_no = 2",
        ("Batch 2 of chain 0 is not in the journal",),
    ),
    "a batch behind the end": (
        (
            "INSERT INTO journal SELECT chain_no, 9999, 1, hash, at_us FROM journal "
            "WHERE chain_no = 0 AND batch_no = 1"
        ),
        ("Batch 9999 of chain 0 lies beyond the end that the chain states.",),
    ),
    "a chain's head": (
        (
            "UPDATE chains SET head = (SELECT leaf FROM transfers WHERE subject = 'keep') "
            "WHERE no = 0"
        ),
        ("Chain 0 states ", "and a head that is not that of its last batch"),
    ),
    "a chain's length": (
        "UPDATE chains SET length = length - 1 WHERE no = 0",
        ("lies beyond the end that the chain states",),
    ),
    "a chain that is gone": (
        "DELETE FROM chains WHERE no = 0",
        ("Batch 1 of chain 0 lies beyond the end",),
    ),
    "held money without a hold": (
        (
            "INSERT INTO $transfer SELECT $new, 'post', $like_it WHERE id = $capture; "
            "INSERT INTO $entry SELECT 1, no, version + 1, newest_entry_no, $new, 5, "
            "balance_minor + 5 FROM accounts WHERE id = $held; "
            "UPDATE accounts SET balance_minor = balance_minor + 5, version = version + 1, "
            "newest_entry_no = 1 WHERE id = $held; "
            "INSERT INTO $entry SELECT 2, no, version + 1, newest_entry_no, $new, -5, "
            "balance_minor - 5 FROM accounts WHERE no = $till; "
            "UPDATE accounts SET balance_minor = balance_minor - 5, version = version + 1, "
            "newest_entry_no = 2 WHERE no = $till"
        ),
        ("Account wallet:", "has CNY 254.05 on it, but its open holds come to CNY 254.00"),
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
        ("Order ", "that is not there"),
    ),
    "an order's merchant": (
        (
            "INSERT INTO merchants VALUES ('m_x', 'Thief', 'web', 'room', TRUE, 1, NULL); "
            "UPDATE orders SET merchant_id = 'm_x' WHERE hold_id = $paid"
        ),
        ("Order ", "and its hold name other people"),
    ),
    "an order without its offer": (
        "DELETE FROM offers WHERE id = 'of_tea'",
        ("Order ", "that is not there"),
    ),
    "an order without its quote": (
        "DELETE FROM quotes WHERE id = 'q_4'",
        ("Order ", "that is not there"),
    ),
    "an attempt without its order": (
        "UPDATE attempts SET order_id = 'o_x' WHERE quote_id = 'q_3'",
        ("An attempt is about the order o_x, which is not there.",),
    ),
    "an attempt for another quote": (
        "UPDATE attempts SET n = 7, quote_id = 'q_1' WHERE quote_id = 'q_3'",
        ("The attempt of order ", "names another quote or wallet than the order"),
    ),
    "an order without its attempt": (
        "DELETE FROM attempts WHERE quote_id = 'q_4'",
        ("Order ", "has no attempt, so that a further tap would pay once more"),
    ),
    "an attempt with another number": (
        "UPDATE attempts SET n = 2 WHERE quote_id = 'q_4'",
        ("The attempts on the quote q_4 from the wallet w_", "are not numbered one by one"),
    ),
    "an order in two attempts": (
        (
            "INSERT INTO attempts SELECT quote_id, wallet_id, 2, order_id, tap_ref, person_id "
            "FROM attempts WHERE quote_id = 'q_4'"
        ),
        ("The attempts on the quote q_4 from the wallet w_", "each with an order of its own"),
    ),
    "an attempt of somebody else": (
        (
            "UPDATE attempts SET person_id = (SELECT person_id FROM identities "
            "WHERE network_person_id = 'ben') WHERE quote_id = 'q_4'"
        ),
        ("The attempt of order ", "as its payer, whose wallet it never was"),
    ),
    "a quote for another offer": (
        (
            "INSERT INTO offers SELECT 'of_x', url || 'x', host, merchant_id, title, sku, picture, "
            "availability, stock_total, stock_page, sold, seen_at_us FROM offers "
            "WHERE id = 'of_tea'; "
            "UPDATE quotes SET offer_id = 'of_x' WHERE id = 'q_4'"
        ),
        ("Order ", "is of the offer of_tea, but its quote was of of_x"),
    ),
    "a quote from another merchant": (
        (
            "INSERT INTO merchants VALUES ('m_x', 'Thief', 'web', 'room', TRUE, 1, NULL); "
            "UPDATE quotes SET merchant_id = 'm_x' WHERE id = 'q_4'"
        ),
        ("Order ", "is with m_shop, but its quote was from m_x"),
    ),
    "a quote from nobody": (
        "UPDATE quotes SET merchant_id = NULL WHERE id = 'q_4'",
        ("Order ", "is with somebody, but its quote was from nobody"),
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
            "UPDATE orders SET refunded_minor = 19901 WHERE state = 'refunded' "
            "AND merchant_id = 'm_shop'; "
            "INSERT INTO $entry SELECT 1, no, version + 1, newest_entry_no, $refunding, 1, "
            "balance_minor + 1 FROM accounts WHERE id = $annas; "
            "UPDATE accounts SET balance_minor = balance_minor + 1, version = version + 1, "
            "newest_entry_no = 1 WHERE id = $annas; "
            "INSERT INTO $entry SELECT 2, no, version + 1, newest_entry_no, $refunding, -1, "
            "balance_minor - 1 FROM accounts WHERE no = $till; "
            "UPDATE accounts SET balance_minor = balance_minor - 1, version = version + 1, "
            "newest_entry_no = 2 WHERE no = $till"
        ),
        ("Order ", "has CNY 199.01 refunded of CNY 199.00 captured"),
    ),
    "a refunded order that says paid": (
        "UPDATE orders SET state = 'paid' WHERE state = 'refunded' AND merchant_id = 'm_shop'",
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


async def test_books_with_a_bit_of_everything_are_right(database_url: str) -> None:
    async with busy_books(database_url) as world, books_of(world.database) as books:
        audited = await audit(books)
    assert audited.order_count == 5 + 2 + 2
    trade, in_parts, conversion = 2 + 5 + 4 + 2 + 2 + 1, 4 + 3 + 2, 4
    earned, brought, liked = 1 + 2 + 4 + 1 + 2, 1, 2
    assert audited.transfer_count == trade + in_parts + conversion + earned + brought + liked
    more_than_two = (1 + 2 + 1) + 2 + (4 * 2 + 2 * 2)
    assert audited.entry_count == 2 * audited.transfer_count + more_than_two
    # Who has dollars has an account for held ones too, on which nothing was ever entered.
    assert audited.account_count == 6 + 4 + 7 + 1
    assert audited.batch_count <= audited.transfer_count
    assert audited.chain_count in (1, 2)


async def test_empty_books_are_right(database_url: str) -> None:
    database = Database(database_url)
    await create_tables(database)
    async with books_of(database) as books:
        assert (await audit(books)).entry_count == 0
    await database.close()


async def test_every_kind_of_wrong_row_is_named(database_url: str) -> None:
    await each_is_named(database_url, HARM)


#: What SQLite keeps though no such row can be, and words of the sentence that must come of it.
NO_SUCH_ROWS = {
    "a balance": (
        "UPDATE accounts SET balance_minor = 'much' WHERE id = $annas",
        ("Account wallet:", "states 'much' of CNY, but its entries come to CNY"),
    ),
    "an entry's amount": (
        "UPDATE entries SET amount_minor = 'much' WHERE account_no = $annas_no AND seq = 2",
        ("What stands in account wallet:", "is no such row"),
    ),
    "what was spent": (
        "UPDATE accounts SET spending = x'00' WHERE id = $annas",
        ("What stands in spending wallet:", "is no such row"),
    ),
    "a hold's payer": (
        "UPDATE holds SET payer_account_id = 'somebody' WHERE id = $open",
        ("What stands in movement ", "is no such row"),
    ),
    "a hold's id": (
        "UPDATE holds SET id = 'this' WHERE id = $open",
        ("rows cannot be read",),
    ),
    "a subject without end": (
        (
            "UPDATE transfers SET subject = 'sale' || hex(zeroblob(40000)) WHERE subject = 'sale' "
            "AND kind = 'authorise' AND id = $parts"
        ),
        ("What stands in journal ", "is no such row"),
    ),
    "a transfer's time": (
        (
            "UPDATE transfers SET created_at_us = 'late' "
            "WHERE chain_no = 0 AND batch_no = 2 AND place = 0"
        ),
        ("One of the transfer rows cannot be read",),
    ),
    "a batch's time": (
        "UPDATE journal SET at_us = 'late' WHERE chain_no = 0 AND batch_no = 2",
        ("What stands in journal ", "is no such row"),
    ),
    "a price": (
        "UPDATE conversions SET sold_minor = 'much' WHERE id = (SELECT min(id) FROM conversions)",
        ("What stands in conversion ", "is no such row"),
    ),
    "a name that steers a terminal": (
        "UPDATE accounts SET owner = 'wallet:' || char(27, 10) || '[2J' WHERE id = $annas",
        ("Account wallet:", "says that it is wallet:\N{REPLACEMENT CHARACTER}"),
    ),
}


async def test_what_no_row_can_hold_is_a_finding_too_and_no_crash(tmp_path: Path) -> None:
    await each_is_named(f"sqlite+aiosqlite:///{tmp_path / 'harmed.db'}", NO_SUCH_ROWS)


async def test_an_audit_sees_one_moment_while_money_moves_on(database_url: str) -> None:
    async with busy_books(database_url) as world, books_of(world.database) as books:
        before = await audit(books)
        await world.person("carl", 500)
        assert await audit(books) == before
        async with books_of(world.database) as later:
            assert (await audit(later)).transfer_count == before.transfer_count + 1


async def test_memory_does_not_grow_with_the_books(database_url: str) -> None:
    database = Database(database_url)
    await create_tables(database)
    await _fill(database, "some")
    # The first reads and keeps what is needed once, such as modules and types.
    await _peak_of_an_audit(database, 2 * TOP_UPS)
    with_some_bytes = await _peak_of_an_audit(database, 2 * TOP_UPS)
    for more in "twice", "three times":
        await _fill(database, more)
    with_more_bytes = await _peak_of_an_audit(database, 6 * TOP_UPS)
    await database.close()
    # One audit differs from the next by up to a quarter, as rows arrive in larger or smaller
    # pieces. Rows that were kept, of some 100 bytes each, would make it twice as much.
    assert with_more_bytes < 1.5 * with_some_bytes


async def _peak_of_an_audit(database: Database, entry_count: int) -> int:
    """The most memory, in bytes, that Python's objects took at once while all was read."""
    tracemalloc.start()
    try:
        async with books_of(database) as books:
            audited = await audit(books)
        assert audited.entry_count == entry_count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def _fill(database: Database, name: str) -> None:
    """Many top-ups of one unit, spread over a hundred wallets; the till is one hot account."""
    till = accounts.clearing("cash", "CNY")
    wallets = [accounts.wallet(f"w{n}", "CNY") for n in range(100)]
    async with Writer(database) as writer:
        await asyncio.gather(
            *(
                writer.commit(
                    Commit(
                        transfers=(
                            Post(
                                id=named(name, n),
                                legs=(Leg(till, -1), Leg(wallets[n % 100], 1)),
                            ),
                        )
                    )
                )
                for n in range(TOP_UPS)
            )
        )
