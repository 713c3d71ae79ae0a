"""The watch looks for itself, and nothing that goes wrong ends it."""

import asyncio

import pytest

from bot.conversation import host_watch
from bot.conversation.host_watch import HostWatch
from wallet_core.commerce.host_checks import HostChecks
from wallet_core.errors import StorageUnavailable


async def test_the_watch_goes_on_whatever_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_watch, "EVERY_S", 0.001)
    enough = asyncio.Event()
    outcomes: list[Exception | int] = [
        StorageUnavailable("away"), ExceptionGroup("hosts", [ValueError("odd")]), 2, 1, 0,
    ]  # fmt: skip
    seen: list[int] = []

    async def run_due(_checks: HostChecks, now_us: int) -> int:
        seen.append(now_us)
        if not outcomes:
            enough.set()
            return 0
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(HostChecks, "run_due", run_due)
    checks = HostChecks.__new__(HostChecks)
    watching = asyncio.create_task(HostWatch(checks, lambda: 7).run())
    await asyncio.wait_for(enough.wait(), 30)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    # A round that found something is followed by another at once, until nothing is due.
    assert seen[:6] == [7] * 6
