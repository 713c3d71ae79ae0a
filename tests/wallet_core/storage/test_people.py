"""Who is who: one person for one id of a network, and tokens that are good once."""

import asyncio

import pytest

from tests.wallet_core.world import NETWORK, World, now_us, world_at
from wallet_core.errors import Refused
from wallet_core.ledger.commits import Update
from wallet_core.ledger.wallets import WalletMode
from wallet_core.storage import tables as t
from wallet_core.storage.people import Contact, People, UnknownPerson, grant_admin

HOUR_US = 3_600_000_000


@pytest.fixture
async def people(world: World) -> People:
    return world.people


async def test_the_same_id_is_the_same_person_in_every_room_and_another_elsewhere(
    people: People,
) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    assert await people.meet(NETWORK, "anna", "else") == anna
    assert (await people.meet("matrix", "anna", "lobby")).id != anna.id
    assert (await people.meet(NETWORK, "Anna", "lobby")).id != anna.id
    assert await people.person(anna.id) == anna
    assert await people.person("nobody") is None


async def test_private_news_goes_where_the_person_was_last(people: People) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    await people.meet(NETWORK, "anna", "else")
    assert await people.contacts(anna.id) == [Contact(NETWORK, "else", "anna")]


async def test_somebody_new_in_many_rooms_at_once_is_one_person(
    people: People, world: World, database_url: str
) -> None:
    async with world_at(database_url, create=False) as other:
        met = await asyncio.gather(
            *(p.meet(NETWORK, "anna", f"r{n}") for n in range(10) for p in (people, other.people))
        )
    assert len(set(met)) == 1
    assert await world.count(t.persons) == await world.count(t.wallets) == 1


async def test_a_token_makes_one_admin_once(people: People) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    ben = await people.meet(NETWORK, "ben", "lobby")
    await people.offer_admin("secret", now_us() + HOUR_US)
    assert not await people.claim_admin("guess", anna, now_us())
    assert await people.claim_admin("secret", anna, now_us())
    assert not await people.claim_admin("secret", ben, now_us())
    assert await people.admins() == [Contact(NETWORK, "lobby", "anna")]
    assert (await people.meet(NETWORK, "anna", "lobby")).admin


async def test_a_token_shown_by_many_at_once_makes_one_admin(
    people: People, world: World, database_url: str
) -> None:
    await people.offer_admin("secret", now_us() + HOUR_US)
    async with world_at(database_url, create=False) as other:
        crowd = [await people.meet(NETWORK, f"p{n}", "lobby") for n in range(10)]
        results = await asyncio.gather(
            *(
                (people, other.people)[n % 2].claim_admin("secret", person, now_us())
                for n, person in enumerate(crowd)
            ),
            return_exceptions=True,
        )
    assert results.count(True) == 1
    assert all(isinstance(result, bool | Refused) for result in results)
    assert len(await people.admins()) == 1
    assert await world.count(t.one_time_tokens, t.one_time_tokens.c.used) == 1


async def test_a_token_that_is_too_old_makes_nobody_an_admin(people: People) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    await people.offer_admin("secret", now_us() - 1)
    assert not await people.claim_admin("secret", anna, now_us())
    assert await people.admins() == []


async def test_what_belongs_to_the_claim_is_written_with_it_or_not_at_all(
    people: People,
) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    await people.offer_admin("secret", now_us() + HOUR_US)
    impossible = Update(table="wallets", where={"id": "nobody"}, values={"mode": "frozen"})
    with pytest.raises(Refused):
        await people.claim_admin("secret", anna, now_us(), also=(impossible,))
    assert await people.admins() == []
    assert await people.claim_admin("secret", anna, now_us())


async def test_the_token_itself_is_nowhere_in_the_database(people: People, world: World) -> None:
    await people.offer_admin("secret", now_us() + HOUR_US)
    assert await world.count(t.one_time_tokens, t.one_time_tokens.c.digest == "secret") == 0
    assert await world.count(t.commits, t.commits.c.key.contains("secret")) == 0


async def test_an_admin_is_granted_by_either_id(people: People, world: World) -> None:
    anna = await people.meet(NETWORK, "anna", "lobby")
    await people.meet(NETWORK, "ben", "lobby")
    await grant_admin(world.database, anna.id)
    await grant_admin(world.database, "ben")
    assert len(await people.admins()) == 2
    with pytest.raises(UnknownPerson):
        await grant_admin(world.database, "nobody")


async def test_frozen_is_seen(world: World, people: People) -> None:
    anna = await world.person("anna")
    assert await people.mode_of(anna.wallet_id) is WalletMode.OPEN
    await world.freeze(anna.wallet_id)
    assert await people.mode_of(anna.wallet_id) is WalletMode.FROZEN
