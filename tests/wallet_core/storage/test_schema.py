"""Every table of the program is in the one list of modules that migrations know."""

from importlib import import_module
from pkgutil import walk_packages

import sqlalchemy as sa

from wallet_core import storage
from wallet_core.storage.schema import TABLE_MODULES, metadata


def test_every_module_with_a_table_is_in_the_list() -> None:
    for module in walk_packages(storage.__path__, f"{storage.__name__}."):
        # Migrations run where Alembic runs them.
        if ".migrations" not in module.name:
            import_module(module.name)
    listed = {
        table.name
        for module in TABLE_MODULES
        for table in vars(module).values()
        if isinstance(table, sa.Table)
    }
    assert listed == set(metadata.tables)
