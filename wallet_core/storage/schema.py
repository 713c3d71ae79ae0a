"""The whole schema: all modules that declare tables. Importing this fills `metadata` with them."""

from wallet_core.storage import (
    audit_tables,
    catalogue_tables,
    linking,
    tables,
    trade_tables,
    web_chat,
)
from wallet_core.storage.database import metadata

__all__ = ["TABLE_MODULES", "metadata"]

#: A module with tables that is not among these would have no migrations; a test looks for one.
TABLE_MODULES = (tables, trade_tables, web_chat, audit_tables, linking, catalogue_tables)
