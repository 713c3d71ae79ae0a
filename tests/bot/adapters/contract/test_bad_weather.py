"""The network down for a minute, or tired of the bot, by a clock that can be moved."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

# Imported here, although nobody names them: what is imported under a moved clock keeps it for good.
import bot.adapters.bluesky
import bot.adapters.mastodon
import bot.adapters.matrix
import bot.adapters.matrix.cross_signing
import bot.adapters.matrix.encryption
import bot.adapters.telegram
import bot.adapters.weibo  # noqa: F401
from bot.cards import Card
from tests.bot.adapters.contract.driver import Ability, Network
from tests.bot.adapters.contract.goods import PRICE
from tests.bot.adapters.contract.house import House, house_of
from tests.bot.adapters.contract.moving_clock import STEP_S, UNHURRIED_S, MovingClock

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.moves_clocks]
needs = pytest.mark.needs

DOWN_S = 60.0


@pytest.fixture(scope="module")
def clock() -> Iterator[MovingClock]:
    with pytest.MonkeyPatch.context() as patch:
        yield MovingClock(patch)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(network: Network, clock: MovingClock) -> AsyncIterator[House]:
    """The bot under the moving clock, from its start to its stop."""
    del clock
    async with house_of(network, network.folder) as house:
        yield house


@needs(Ability.OUTAGE)
async def test_what_happened_in_a_minute_without_the_network_is_made_up_for_once(
    house: House, clock: MovingClock
) -> None:
    anna, bob = await house.network.gather("anna", "bob")
    await house.fund(anna)
    offer = await house.offer_to(anna)
    await house.settled(anna)
    async with house.network.outage():
        # Said by the bot into the void, and said and tapped by people behind its back.
        await house.say(anna, Card(title="For you alone"), private=True)
        await anna.tap(offer)
        await bob.say(house.shop.url("oolong"))
        await clock.pass_by(DOWN_S)
    async with clock.hurrying(breath_s=UNHURRIED_S):
        await anna.see(lambda shown: shown.text.startswith(f"Paid {PRICE}"))
        await anna.see("For you alone")
        await bob.see("Oolong")
    await house.settled(anna)
    assert len(await house.orders_of(anna)) == 1
    texts = [shown.text for shown in await anna.read()]
    assert sum("For you alone" in text for text in texts) == 1
    assert sum(text.startswith(f"Paid {PRICE}") for text in texts) == 1
    texts = [shown.text for shown in await bob.read()]
    assert sum(text.startswith("Oolong") for text in texts) == 1


@needs(Ability.RATE_LIMIT)
async def test_what_the_network_finds_too_fast_is_said_later_and_once(
    house: House, clock: MovingClock
) -> None:
    anna, _ = await house.network.gather("anna", "bob")
    await anna.hear_back(house.network.prefix)
    before = await anna.read()
    step_s = max(STEP_S, house.network.wait_s / 100)
    async with house.network.rate_limited(), clock.hurrying(step_s=step_s):
        for title in ("First", "Second"):
            await house.say(anna, Card(title=title), private=False)
        for title in ("First", "Second"):
            await anna.see(title)
    await house.settled(anna)
    said = [shown.text for shown in await anna.read() if shown not in before]
    assert [text for text in said if "· wallet" not in text] == ["First", "Second"]
