"""What all tests share: the peers, and the event loop that the bot runs on."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from bot.event_loop import new_event_loop

pytest_plugins = [
    "tests.peers.memory_disk",
    "tests.peers.missing",
    "tests.peers.valkey",
    "tests.peers.postgres",
    "tests.peers.databases",
    "tests.peers.synapse",
    "tests.peers.snac",
    "tests.peers.bluesky",
    "tests.peers.chromium",
]


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The bot's own event loop; asyncio's where a test moves Python's clocks."""
    if item.get_closest_marker("moves_clocks"):
        return {"asyncio": asyncio.new_event_loop}
    return {"loop": new_event_loop}
