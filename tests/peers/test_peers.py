"""Each peer is the real thing and works."""

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import Browser
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.peers.synapse import SynapsePeer
from tests.peers.valkey import ValkeyPeer

ROOT = Path(__file__).parents[2]


async def test_valkey_keeps_a_value(valkey: ValkeyPeer) -> None:
    assert valkey.ask("SET", "a", "1") == "+OK\r\n"
    assert valkey.ask("GET", "a") == "$1\r\n1\r\n"


def test_valkey_is_empty_for_the_next_test(valkey: ValkeyPeer) -> None:
    assert valkey.ask("DBSIZE") == ":0\r\n"


async def test_an_own_valkey_can_be_paused_killed_and_started_again(
    own_valkey: ValkeyPeer,
) -> None:
    own_valkey.ask("SET", "a", "1")
    own_valkey.pause()
    own_valkey.resume()
    first = own_valkey.pid
    own_valkey.kill()
    await own_valkey.start_again()
    assert own_valkey.pid != first
    assert own_valkey.ask("GET", "a") == "$1\r\n1\r\n"


async def test_each_database_holds_a_table(empty_database_url: str) -> None:
    engine = create_async_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.execute(text("create table a (n integer)"))
        await connection.execute(text("insert into a values (7)"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("select n from a"))).scalar_one() == 7
    await engine.dispose()


async def test_postgres_is_18_and_each_test_has_a_database_of_its_own(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        version = (await connection.execute(text("show server_version"))).scalar_one()
        tables = await connection.execute(text("select to_regclass('a')"))
    await engine.dispose()
    assert str(version).startswith("18")
    assert tables.scalar_one() is None


def test_synapse_knows_the_users_it_registered(synapse: SynapsePeer) -> None:
    user_id, token = synapse.register("ann", password="secret")
    for session in (token, synapse.log_in(user_id, "secret")):
        answer = synapse.call("GET", "/_matrix/client/v3/account/whoami", token=session)
        assert answer["user_id"] == user_id


async def test_chromium_runs_a_page(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content("<button onclick=\"this.textContent='已付'\">Pay</button>")
    await page.click("button")
    assert await page.inner_text("button") == "已付"


ASKS_FOR_CHROMIUM = """
def test_it(chromium_path: str) -> None:
    pass
"""


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_missing_peer_is_named_at_the_end_and_fails_in_ci_only(
    tmp_path: Path, ci: str, status: int
) -> None:
    (tmp_path / "test_one.py").write_text(ASKS_FOR_CHROMIUM)
    plugins = ["-p", "tests.peers.missing", "-p", "tests.peers.chromium"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", *plugins, str(tmp_path)],
        env={"PATH": str(tmp_path), "CI": ci, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == status, ran.stdout
    assert "Chromium: none of" in "\n".join(ran.stdout.splitlines()[-4:])
