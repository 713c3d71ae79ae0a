"""A room that goes on under another id takes along what was to be said there."""

from tests.wallet_core.world import NETWORK, World
from wallet_core.commerce.catalogue_steps import adding
from wallet_core.commerce.records import Place
from wallet_core.ledger.commits import Commit, Notice
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.moves import Moves
from wallet_core.storage.people import Contact


async def test_what_leads_to_a_room_leads_to_the_new_one_and_twice_changes_nothing(
    world: World,
) -> None:
    anna = await world.people.meet(NETWORK, "anna", "old")
    ben = await world.people.meet(NETWORK, "ben", "elsewhere")
    _, source = adding("m_1", "https://shop.example/feed", Place(NETWORK, "old", "anna"), 1)
    await world.writer.commit(Commit(key="add", rows=source))
    notices = tuple(
        Notice(send_id=room, network=NETWORK, room_id=room, body=b"{}") for room in ("old", "other")
    )
    await world.writer.commit(Commit(key="say", outbox=notices))
    for _ in range(2):
        await Moves(world.database).follow(NETWORK, "old", "new")
    await Moves(world.database).follow("matrix", "elsewhere", "nowhere")
    assert await world.people.contacts(anna.id) == [Contact(NETWORK, "new", "anna")]
    assert await world.people.contacts(ben.id) == [Contact(NETWORK, "elsewhere", "ben")]
    (catalogue,) = await Catalogues(world.database).sources_of("m_1")
    assert catalogue.room_id == "new"
    due = await world.outbox.take([NETWORK], 10)
    assert [row.room_id for row in due] == ["new", "other"]
