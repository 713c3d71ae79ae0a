"""Each network in turn: every file `at_NAME.py` here has one."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.adapters.contract.driver import Ability, Network
from tests.bot.adapters.contract.house import House, house_of

NETWORKS = sorted(path.stem.removeprefix("at_") for path in Path(__file__).parent.glob("at_*.py"))
#: Imported before any test runs: what is imported under a moved clock would keep it for good.
DRIVERS: dict[str, type[Network]] = {
    name: import_module(f"tests.bot.adapters.contract.at_{name}").Driver for name in NETWORKS
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(ability): for networks that can do this only")


@pytest.fixture(scope="module", params=NETWORKS)
def driver(request: pytest.FixtureRequest) -> type[Network]:
    """A network's driver."""
    return DRIVERS[request.param]


@pytest.fixture(scope="module")
def network(
    request: pytest.FixtureRequest,
    driver: type[Network],
    tmp_path_factory: pytest.TempPathFactory,
) -> Network:
    """The network with its peer, not started yet."""
    peer = request.getfixturevalue(driver.peer_fixture) if driver.peer_fixture else None
    return driver(tmp_path_factory.mktemp(driver.name), peer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(network: Network) -> AsyncIterator[House]:
    """The bot in the network, for all tests of a module; each brings people of its own."""
    async with house_of(network, network.folder) as house:
        yield house


@pytest.fixture(autouse=True)
def skipped_where_it_cannot_be(request: pytest.FixtureRequest, driver: type[Network]) -> None:
    """Skip a test marked `needs(ability)` on a network that says it cannot, with its reason."""
    marker = request.node.get_closest_marker("needs")
    for ability in marker.args if marker else ():
        if ability in driver.cannot:
            pytest.skip(f"{driver.name}: {driver.cannot[Ability(ability)]}")
