"""Every table is either checked by the audit or known to hold no money."""

import re
from collections.abc import Iterator

import sqlalchemy as sa

from tests.wallet_core.audit.test_auditing import HARM
from tests.wallet_core.audit.test_auditing_trade import PUBLISHED, TRADE
from tests.wallet_core.busy_books import busy_books
from wallet_core.audit.auditing import audit
from wallet_core.storage.audit_cover import CHECKED, NO_MONEY
from wallet_core.storage.audit_reader import books_of
from wallet_core.storage.schema import metadata

#: Amounts of money that are none of the books': what somebody allows.
_ALLOWED = {"conversion_consents.cap_minor"}


def test_every_table_is_checked_or_holds_no_money() -> None:
    assert set(CHECKED) | set(NO_MONEY) == set(metadata.tables)
    assert not set(CHECKED) & set(NO_MONEY)


def test_no_table_that_holds_no_money_has_a_column_with_an_amount() -> None:
    found = {
        f"{name}.{column.name}"
        for name in NO_MONEY
        for column in metadata.tables[name].columns
        if column.name.endswith("_minor")
    }
    assert found == _ALLOWED


async def test_an_audit_reads_every_table_that_it_says_it_checks(database_url: str) -> None:
    read: set[str] = set()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        read.update(re.findall(r"(?:FROM|JOIN) (\w+)", statement))

    async with busy_books(database_url) as world:
        engine = world.database.engine.sync_engine
        sa.event.listen(engine, "before_cursor_execute", note)
        async with books_of(world.database) as books:
            await audit(books)
        sa.event.remove(engine, "before_cursor_execute", note)
    assert set(CHECKED) <= read


def test_of_every_checked_table_a_wrong_row_is_found() -> None:
    assert set(CHECKED) <= set(_harmed())


def _harmed() -> Iterator[str]:
    for statements, _ in ({**HARM, **TRADE, **PUBLISHED}).values():
        yield from re.findall(r"(?:UPDATE|DELETE FROM|INSERT INTO) (\w+)", statements)
