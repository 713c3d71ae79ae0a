"""Each way in which a lease can fail is counted, and whoever knows the token sees it."""

from dataclasses import fields
from pathlib import Path

import aiohttp
import pytest

from bot.web.metrics import exposition
from tests.instances import instance
from tests.peers.valkey import ValkeyPeer
from wallet_core.locks import LeaseCounts, Leases, LeaseUnavailable

TOKEN = "a-token-of-some-length"


async def _raise_fence(_wallet_id: str) -> int:
    return 1


async def test_what_failed_is_told_by_how_it_failed(valkey: ValkeyPeer) -> None:
    async with (
        Leases(valkey.url, _raise_fence) as leases,
        leases.hold("w", token="one", wait_s=1),
    ):
        with pytest.raises(LeaseUnavailable):
            async with leases.hold("w", token="two", wait_s=0.05):
                pass
    text = exposition(leases.counts)
    assert 'payontap_leases_total{outcome="granted"} 1\n' in text
    assert 'payontap_leases_total{outcome="timed_out"} 1\n' in text
    assert 'payontap_leases_total{outcome="lost_to_other"} 0\n' in text


def test_nothing_that_is_counted_is_left_out() -> None:
    lines = exposition(LeaseCounts()).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        f'payontap_leases_total{{outcome="{field.name}"}} 0' for field in fields(LeaseCounts)
    ]


async def test_only_who_knows_the_token_sees_them(tmp_path: Path) -> None:
    async with (
        instance(tmp_path / "data", {"PAYONTAP_METRICS__TOKEN": TOKEN}) as running,
        aiohttp.ClientSession() as session,
    ):
        # Whoever watches asks by the machine's bare address.
        bare = {"Host": "10.0.0.7:9"}
        for given, status in ((None, 401), ("Bearer another-token", 401), (f"Bearer {TOKEN}", 200)):
            headers = bare if given is None else {**bare, "Authorization": given}
            async with session.get(f"{running.url}/metrics", headers=headers) as response:
                assert response.status == status
                text = await response.text()
                assert ("payontap_leases_total" in text) == (status == 200)


async def test_without_a_token_there_is_no_such_page(tmp_path: Path) -> None:
    async with instance(tmp_path / "data") as running, aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bearer "}
        async with session.get(f"{running.url}/metrics", headers=headers) as response:
            assert response.status == 404
