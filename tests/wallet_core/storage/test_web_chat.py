import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.web_chat import ChatStore
from wallet_core.storage.database import Database
from wallet_core.storage.web_chat import (
    WebChatTables,
    web_edits,
    web_messages,
    web_people,
    web_rooms,
)

TABLES = [web_people, web_rooms, web_messages, web_edits]


@pytest.fixture
async def store(empty_database_url: str) -> AsyncIterator[WebChatTables]:
    database = Database(empty_database_url)
    async with database.write() as connection:
        for table in TABLES:
            await connection.run_sync(table.create)
    yield WebChatTables(database)
    await database.close()


async def say(store: WebChatTables, ref: str, *, room: str = "lobby", text: str = "hi") -> None:
    await store.append(
        message_ref=ref, room_id=room, person_id="ann", name="Ann", text=text, said_at_s=1.0
    )


async def post(store: WebChatTables, ref: str, *, only_for: str | None = None) -> None:
    await store.append(
        message_ref=ref, room_id="lobby", card_json="{}", only_for_id=only_for, said_at_s=2.0
    )


async def edit(
    store: WebChatTables, send_id: str, ref: str, card: str = "[]", only_for: str | None = None
) -> bool:
    return await store.edit(
        send_id=send_id,
        message_ref=ref,
        room_id="lobby",
        only_for_id=only_for,
        card_json=card,
        changed_at_s=3.0,
    )


def test_the_tables_are_what_the_chat_asks_for(store: WebChatTables) -> None:
    port: ChatStore = store
    assert port is store


async def test_the_same_secret_is_the_same_person_even_when_opened_at_once(
    store: WebChatTables,
) -> None:
    people = await asyncio.gather(
        *(store.open_person("d" * 64, f"person-{n}", "Somebody") for n in range(8))
    )
    assert len({person.person_id for person in people}) == 1
    assert (await store.find_person("e" * 64)) is None


async def test_a_name_is_kept(store: WebChatTables) -> None:
    await store.open_person("d" * 64, "ann", "Amber Fox")
    await store.rename("ann", "安")
    found = await store.find_person("d" * 64)
    assert found is not None
    assert found.name == "安"


async def test_a_message_kept_twice_stands_once_as_it_was_first(store: WebChatTables) -> None:
    await say(store, "m1", text="first")
    await say(store, "m1", text="again")
    assert [m.text for m in await store.history("lobby", "ann", before_seq=None, limit=9)] == [
        "first"
    ]


async def test_everything_after_a_revision_is_new_messages_and_edits(store: WebChatTables) -> None:
    await post(store, "card")
    await say(store, "m1")
    seen = await store.revision("lobby")
    await edit(store, "e1", "card")
    await say(store, "m2")
    await say(store, "elsewhere", room="other")
    changed = await store.changes("lobby", after_revision=seen, limit=9)
    assert [m.message_ref for m in changed] == ["card", "m2"]
    assert changed[0].seq == 1
    assert changed[0].card_json == "[]"
    assert changed[0].said_at_s == 2.0
    assert changed[0].changed_at_s == 3.0


async def test_an_edit_delivered_again_does_not_undo_a_newer_one(store: WebChatTables) -> None:
    await post(store, "card")
    await edit(store, "e1", "card", '"old"')
    await edit(store, "e2", "card", '"new"')
    assert await edit(store, "e1", "card", '"old"')
    found = await store.find_message("lobby", "card")
    assert found is not None
    assert found.card_json == '"new"'


async def test_only_a_card_of_the_bot_in_that_room_and_for_that_person_can_be_edited(
    store: WebChatTables,
) -> None:
    await say(store, "m1")
    await post(store, "private", only_for="ann")
    assert not await edit(store, "e1", "m1")
    assert not await edit(store, "e2", "nothing")
    assert not await edit(store, "e3", "private", only_for="bob")
    assert await edit(store, "e4", "private")
    found = await store.find_message("lobby", "private")
    assert found is not None
    assert found.only_for_id == "ann"
    assert await store.find_message("other", "private") is None


async def test_history_goes_back_page_by_page_without_what_is_for_others(
    store: WebChatTables,
) -> None:
    for number in range(5):
        await say(store, f"m{number}")
    await post(store, "for-ann", only_for="ann")
    await post(store, "for-bob", only_for="bob")
    last = await store.history("lobby", "bob", before_seq=None, limit=3)
    assert [m.message_ref for m in last] == ["m3", "m4", "for-bob"]
    before = await store.history("lobby", "bob", before_seq=last[0].seq, limit=9)
    assert [m.message_ref for m in before] == ["m0", "m1", "m2"]


async def test_a_reader_beside_many_writers_misses_nothing(store: WebChatTables) -> None:
    async def follow() -> set[str]:
        found: set[str] = set()
        revision = 0
        while len(found) < 60:
            changed = await store.changes("lobby", after_revision=revision, limit=7)
            found |= {m.message_ref for m in changed}
            revision = changed[-1].revision if changed else revision
            await asyncio.sleep(0)
        return found

    reading = asyncio.create_task(follow())
    await asyncio.gather(*(say(store, f"m{n}") for n in range(60)))
    assert len(await asyncio.wait_for(reading, 30)) == 60


async def test_text_of_any_script_comes_back_as_it_was(store: WebChatTables) -> None:
    text = "青花瓷 שלום 👩‍🎨 <b>'\"\\ $1 :name"
    await say(store, "m1", text=text)
    assert (await store.history("lobby", "ann", before_seq=None, limit=1))[0].text == text
