"""/merchant catalogue, as merchants and strangers use it."""

import sqlalchemy as sa

from tests.bot.commands.chat import Chat, Said
from wallet_core.commerce.catalogue import CatalogueSource, SourceState
from wallet_core.commerce.catalogue_steps import SOURCES_MAX
from wallet_core.ledger.commits import Commit, Insert, Update

KITCHEN = "kitchen"
FEED = "https://tea.example/feed.xml"


async def ask(chat: Chat, text: str, who: str = "mei") -> Said:
    return await chat.ask(who, f"/merchant catalogue {text}", room=KITCHEN)


async def shop_of(chat: Chat, host: str = "tea.example") -> str:
    merchant_id = await chat.open_shop("mei", room=KITCHEN)
    await chat.ask("mei", f"/merchant host {host}", room=KITCHEN)
    row = Update(
        table="merchant_hosts",
        where={"merchant_id": merchant_id, "host": host},
        values={"verified_host": host, "method": "dns", "verified_at_us": 1},
    )
    await chat.writer.commit(Commit(key=f"prove:{host}", rows=(row,)))
    return merchant_id


async def sources(chat: Chat, merchant_id: str) -> list[CatalogueSource]:
    return list(await chat.desk.catalogues.sources_of(merchant_id))


async def shown(chat: Chat, merchant_id: str, *, read: bool = False) -> CatalogueSource:
    """The only source, as it is once it was read and shown."""
    (source,) = await sources(chat, merchant_id)
    async with chat.database.write() as connection:
        await connection.execute(
            sa.text(
                "UPDATE catalogue_sources SET state = 'shown', reading = 1, due_at_us = NULL,"
                " kind = 'csv', read_at_us = :read WHERE id = :id"
            ),
            {"id": source.id, "read": 1 if read else None},
        )
    return source


async def test_without_a_catalogue_it_is_told_how_to_add_one(chat: Chat) -> None:
    await shop_of(chat)
    said = await ask(chat, "")
    assert said.card.title == "Tea House: catalogues"
    assert "None yet." in said.text
    assert "/merchant catalogue add https://shop.example/products.json" in said.text
    assert "/merchant catalogue add URL" in (await chat.ask("mei", "/merchant", room=KITCHEN)).text


async def test_a_source_is_noted_due_at_once_and_told_to_the_asker(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    said = await ask(chat, f"add {FEED}")
    assert "Nothing counts before you agree." in said.text
    (source,) = await sources(chat, merchant_id)
    assert (source.url, source.state, source.loud) == (FEED, SourceState.WAITING, True)
    assert (source.network, source.room_id, source.network_person_id) == ("web", KITCHEN, "mei")
    assert source.due_at_us is not None
    assert "1. https://tea.example/feed.xml" in (await ask(chat, "list")).text


async def test_adding_delivered_three_times_or_said_twice_adds_one(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    for _ in range(3):
        await chat.write(
            "mei", f"/merchant catalogue add {FEED}", room=KITCHEN, event_id="web:same"
        )
    assert "there already" in (await ask(chat, "add tea.example/feed.xml")).text
    assert len(await sources(chat, merchant_id)) == 1


async def test_only_hosts_that_the_shop_has_proven_are_taken(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    for url in (
        "https://other.example/f",
        "https://www.tea.example/f",
        "https://tea.example:8443/f",
    ):
        said = await ask(chat, f"add {url}")
        assert "is not proven to be Tea House's" in said.text
        assert said.text.endswith("Nothing was changed.")
    await chat.ask("mei", "/merchant host claimed.example", room=KITCHEN)
    assert "is not proven" in (await ask(chat, "add https://claimed.example/f")).text
    assert "over https" in (await ask(chat, "add http://tea.example/feed.xml")).text
    for typed in ("", "nonsense", "ftp://tea.example/f", "https://u:p@tea.example/f"):
        said = await ask(chat, f"add {typed}")
        assert said.text.endswith("Nothing was changed.")
    assert await sources(chat, merchant_id) == []


async def test_a_shop_has_only_so_many(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    for n in range(SOURCES_MAX):
        await ask(chat, f"add {FEED}?n={n}")
    assert "at most 10 catalogues" in (await ask(chat, f"add {FEED}")).text
    assert len(await sources(chat, merchant_id)) == SOURCES_MAX


async def test_the_owner_agrees_by_the_button_or_by_words(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    source = await shown(chat, merchant_id)
    assert "It waits for your word: /merchant catalogue apply 1" in (await ask(chat, "")).text
    (said,) = await chat.tap("mei", f"catyes:{source.id}:1", room=KITCHEN)
    assert "being taken over" in said.text
    assert (await sources(chat, merchant_id))[0].state == SourceState.APPROVED
    (late,) = await chat.tap("mei", f"catyes:{source.id}:1", room=KITCHEN)
    assert "That is over" in late.text
    await shown(chat, merchant_id)
    await ask(chat, "apply")
    assert (await sources(chat, merchant_id))[0].state == SourceState.APPROVED
    assert "Nothing of it waits" in (await ask(chat, "apply 1")).text


async def test_a_button_for_an_older_reading_changes_nothing(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    source = await shown(chat, merchant_id)
    for ref in (f"{source.id}:0", f"{source.id}:2", f"{source.id}:", source.id, "c_none:1", ""):
        for verb in ("catyes", "catno"):
            (said,) = await chat.tap("mei", f"{verb}:{ref}", room=KITCHEN)
            assert "Nothing was changed." in said.text
    assert (await sources(chat, merchant_id))[0].state == SourceState.SHOWN


async def test_no_leaves_a_new_one_out_and_an_old_one_as_it_was(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    source = await shown(chat, merchant_id, read=True)
    (left,) = await chat.tap("mei", f"catno:{source.id}:1", room=KITCHEN)
    assert "Left as it was" in left.text
    assert (await sources(chat, merchant_id))[0].state == SourceState.ACTIVE
    await shown(chat, merchant_id)
    (out,) = await chat.tap("mei", f"catno:{source.id}:1", room=KITCHEN)
    assert "Left out" in out.text
    assert await sources(chat, merchant_id) == []


async def test_a_stranger_neither_agrees_nor_removes(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    source = await shown(chat, merchant_id)
    for verb in ("catyes", "catno"):
        (said,) = await chat.tap("eve", f"{verb}:{source.id}:1")
        assert "Nothing was changed." in said.text
    for text in ("remove 1", "refresh 1", f"add {FEED}"):
        assert "You have no shop yet" in (await ask(chat, text, who="eve")).text
    assert (await sources(chat, merchant_id))[0].state == SourceState.SHOWN


async def test_refresh_and_remove_name_a_source_by_number_or_address(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    await ask(chat, f"add {FEED}?two")
    for typed in ("", "0", "3", "x", "٣", "9" * 5000):
        said = await ask(chat, f"remove {typed}")
        assert "Say which by its number: /merchant catalogue remove 1." in said.text
    assert "tell you here what came of it" in (await ask(chat, "refresh 2")).text
    assert "is read no more" in (await ask(chat, f"remove {FEED}")).text
    (left,) = await sources(chat, merchant_id)
    assert left.url == f"{FEED}?two"
    assert "no /merchant catalogue fly" in (await ask(chat, "fly")).text


async def test_a_file_is_not_read_again(chat: Chat) -> None:
    merchant_id = await shop_of(chat)
    await ask(chat, f"add {FEED}")
    (source,) = await sources(chat, merchant_id)
    row = {name: getattr(source, name) for name in CatalogueSource.__struct_fields__}
    more = {"taken_to": "", "claimed_until_us": None, "fence": 0}
    file = Insert("catalogue_sources", {**row, **more, "id": "c_file", "url": "file:tea.csv"})
    await chat.writer.commit(Commit(key="file", rows=(file,)))
    number = 1 + [one.id for one in await sources(chat, merchant_id)].index("c_file")
    assert "hand it in again" in (await ask(chat, f"refresh {number}")).text
