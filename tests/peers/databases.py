"""One test, both databases."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.peers.postgres import PostgresPeer
from tests.peers.tables import create_tables
from wallet_core.storage.database import Database


def _sqlite_url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _with_tables(url: str) -> None:
    async def create() -> None:
        database = Database(url)
        await create_tables(database)
        await database.close()

    # In a thread: a fixture may be asked for inside a running loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, create()).result()


@pytest.fixture(scope="session")
def _sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("with_tables") / "payontap.db"
    _with_tables(_sqlite_url(file))
    return file


@pytest.fixture(scope="session")
def _postgres_with_tables(postgres: PostgresPeer) -> str:
    name = postgres.create()
    _with_tables(postgres.url(name))
    return name


@pytest.fixture
def sqlite_tables_url(_sqlite_with_tables: Path, tmp_path: Path) -> str:
    """A SQLite file of this test alone, with all tables."""
    return _sqlite_url(shutil.copyfile(_sqlite_with_tables, tmp_path / "payontap.db"))


@pytest.fixture
def postgres_tables_url(postgres: PostgresPeer, _postgres_with_tables: str) -> Iterator[str]:
    """A PostgreSQL database of this test alone, with all tables."""
    name = postgres.create(_postgres_with_tables)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A SQLite file, then a PostgreSQL database, with all tables and nothing in them."""
    url: str = request.getfixturevalue(f"{request.param}_tables_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same without tables, for what makes them."""
    if request.param == "sqlite":
        return _sqlite_url(tmp_path / "payontap.db")
    url: str = request.getfixturevalue("postgres_url")
    return url
