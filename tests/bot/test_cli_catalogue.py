"""A catalogue handed in as a file, as an operator types it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.catalogue.template import TEMPLATE
from tests.bot.test_cli import payontap
from tests.instances import ROOT
from wallet_core.ledger.commits import Commit, Insert
from wallet_core.storage.catalogues import Catalogues
from wallet_core.storage.database import Database
from wallet_core.storage.migrate import migrate
from wallet_core.storage.writer import Writer

HOST = "shop.example"


@dataclass
class Office:
    """An instance with a shop whose host is proven, and a file."""

    database: Database
    environ: dict[str, str]
    file: Path

    async def run(self, *words: str, who: str = HOST) -> tuple[int, str, str]:
        return await payontap(
            "import-catalogue", str(self.file), "--merchant", who, *words, cwd=ROOT, **self.environ
        )

    async def listed(self) -> list[str]:
        found: list[str] = []
        for source in await Catalogues(self.database).sources_of("m_1"):
            page = await Catalogues(self.database).page(source.id, "", 100)
            found += [one.item.feed_id for one in page.listed.values() if one.listed]
        return sorted(found)


@pytest.fixture
async def office(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    database = Database(empty_database_url)
    await migrate(database)
    environ = {"PAYONTAP_DATA_DIR": str(tmp_path)}
    if not empty_database_url.startswith("sqlite"):
        environ["PAYONTAP_DATABASE__URL"] = empty_database_url
    async with Writer(database) as writer:
        shop = {"id": "m_1", "name": "Tea House", "network": "web", "room_id": "kitchen"}
        more = {"standing_acceptance": False, "created_at_us": 1}
        proof = {"merchant_id": "m_1", "host": HOST, "token": "t", "method": "dns"}
        rows = (
            Insert("merchants", {**shop, **more}),
            Insert("merchant_hosts", {**proof, "verified_host": HOST, "verified_at_us": 1}),
        )
        await writer.commit(Commit(key="set up", rows=rows))
    file = tmp_path / "tea.csv"
    file.write_text(TEMPLATE, encoding="utf-8")
    yield Office(database, environ, file)
    await database.close()


async def test_the_template_is_printed_and_explained(tmp_path: Path) -> None:
    environ = {"PAYONTAP_DATA_DIR": str(tmp_path)}
    status, out, err = await payontap("catalogue-template", cwd=ROOT, **environ)
    assert (status, out, err) == (0, TEMPLATE, "")
    status, out, _ = await payontap("catalogue-template", "--explain", cwd=ROOT, **environ)
    assert status == 0
    assert "price         12.50, or 12.50 EUR" in out


async def test_a_file_is_shown_first_and_taken_over_when_asked(office: Office) -> None:
    status, out, err = await office.run()
    assert (status, err) == (0, "")
    assert "3 products: 3 new, 0 changed, 0 gone." in out
    assert out.endswith("Nothing was changed; --apply takes it over.\n")
    assert await office.listed() == []
    status, out, _ = await office.run("--apply", who="m_1")
    assert (status, out.splitlines()[-1]) == (0, "Taken over.")
    assert await office.listed() == ["cup-blue", "cup-white", "tea-100"]
    kept = [line for line in TEMPLATE.splitlines() if "cup-white" not in line]
    office.file.write_text("\n".join(kept).replace("12.50,", "13.00,"), encoding="utf-8")
    status, out, _ = await office.run("--apply")
    assert "Changed: Green tea 100 g: €12.50 → €13.00" in out
    assert "Gone (unavailable from now): Tea cup · White" in out
    assert await office.listed() == ["cup-blue", "tea-100"]


async def test_a_file_of_another_name_is_listed_beside_the_first_and_says_so(
    office: Office,
) -> None:
    _, out, _ = await office.run("--apply")
    assert "beside" not in out
    office.file = office.file.rename(office.file.with_name("tea-2.csv"))
    _, out, _ = await office.run()
    assert "Listed beside it, from other files: tea.csv." in out
    assert "/merchant catalogue remove" in out


async def test_problems_that_are_not_shown_are_counted(office: Office) -> None:
    rows = "".join(f"x{n},,https://shop.example/{n},5,EUR\n" for n in range(20))
    head = "id,title,link,price,currency\ngood,Tea,https://shop.example/tea,5,EUR\n"
    office.file.write_text(head + rows, encoding="utf-8")
    _, out, _ = await office.run()
    shown = out.count(" has no title.")
    assert "Left out, for they cannot be used: 20.\n" in out
    assert f"… and {20 - shown} more.\n" in out


async def test_what_cannot_be_used_is_one_sentence(office: Office) -> None:
    for content, says in (
        ("hello\n", "neither a Google merchant feed"),
        ("id,title,link,price\n1,Tea,https://other.example/,5 EUR\n", "no product that can be"),
        ("id,price\n1,5 EUR\n", "no column link, title"),
    ):
        office.file.write_text(content, encoding="utf-8")
        status, out, err = await office.run("--apply")
        assert (status, out) == (2, "")
        assert says in err
        assert err.startswith("payontap: ")
        assert err.count("\n") == 1
    assert await office.listed() == []
    assert await Catalogues(office.database).sources_of("m_1") == []
    status, _, err = await office.run(who="nobody.example")
    assert status == 2
    assert "No shop has the id nobody.example" in err
    office.file.unlink()
    status, _, err = await office.run()
    assert status == 2
    assert "cannot be read" in err
