"""The command as somebody types it: what it prints, and one sentence for each mistake."""

import asyncio
import json
import os
import re
import shlex
import socket
import sys
import time
from pathlib import Path

import pytest

from bot.demo.visitor import browser, claim_admin, visit
from tests.instances import ROOT, instance, start_instance

PAGE = """<html><head><title>Cup</title><script type="application/ld+json">
{"@context":"https://schema.org","@type":"Product","name":"Blue cup","sku":"C1",
 "offers":{"@type":"Offer","price":"19.90","priceCurrency":"EUR",
 "availability":"https://schema.org/InStock"}}</script></head><body><h1>Blue cup</h1></body></html>
"""
KEYS = [
    "url", "title", "price_minor", "currency", "exponent", "availability", "sku", "brand", "gtin",
    "image", "sources", "trust", "reason", "list_price_minor", "stock", "seller", "variants",
    "confidence", "disagreements", "structured", "advice", "signed_offer",
]  # fmt: skip


async def payontap(
    *words: str, stdin: str = "", cwd: Path = ROOT, **environ: str
) -> tuple[int, str, str]:
    """Run the command; gives its exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bot.cli import main; main()",
        *words,
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate(stdin.encode(errors="surrogateescape"))
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def shell(script: str, cwd: Path) -> tuple[int, str, str]:
    """Run a script that calls `payontap`, with pipes and redirections as people write them."""
    main = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bot.cli import main; main()"
    called = f'payontap() {{ {shlex.quote(sys.executable)} -c {shlex.quote(main)} "$@"; }}'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"{called}\n{script}", cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())


async def test_demo_walks_through_the_whole_loop_from_any_folder(tmp_path: Path) -> None:
    status, out, err = await payontap("demo", cwd=tmp_path)
    assert (status, err) == (0, "")
    for words in ("Pay ¥199.00", "Undone", "1 bought", "You have this.", "refunded", "capture"):
        assert words in out
    assert "Every step held." in out
    assert is_empty(tmp_path)


async def test_inspect_prints_one_json_object_a_page(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        (tmp_path / name).write_text(PAGE)
    status, out, _ = await payontap(
        "inspect", "one.html", "two.html", "--url", "https://shop.example/c", "--json", cwd=tmp_path
    )
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert list(first) == [*KEYS, "target"]
    assert (first.pop("target"), second.pop("target")) == ("one.html", "two.html")
    assert first == second
    assert (first["price_minor"], first["currency"], first["exponent"]) == (1990, "EUR", 2)
    assert (first["availability"], first["trust"]) == ("InStock", "preview")


async def test_inspect_tells_people_which_page_is_which(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        (tmp_path / name).write_text(PAGE)
    status, out, _ = await payontap("inspect", "one.html", "two.html", cwd=tmp_path)
    assert status == 0
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert heads == ["one.html: Blue cup", "two.html: Blue cup"]
    assert out.count("Name it with --url.") == 2
    status, out, _ = await payontap("inspect", "one.html", "--json", cwd=tmp_path)
    assert list(json.loads(out)) == KEYS


async def test_inspect_goes_on_after_a_page_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text(PAGE)
    status, out, err = await payontap("inspect", "none.html", "one.html", "--json", cwd=tmp_path)
    assert status == 1
    assert json.loads(out)["title"] == "Blue cup"
    assert err.strip() == "payontap: none.html: There is no file none.html."


async def test_inspect_shows_a_progress_bar_on_a_terminal_only(tmp_path: Path) -> None:
    names = [f"{number}.html" for number in range(12)]
    for name in names:
        (tmp_path / name).write_text(PAGE)
    status, out, err = await payontap("inspect", *names, "--json", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 12
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bot.cli import main; main()",
        "inspect",
        *names,
        "--json",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    async with asyncio.timeout(60):
        out_again, _ = await process.communicate()
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert out_again.decode() == out
    assert "pages" in shown
    assert "100%" in shown


async def test_inspect_never_reads_a_private_address() -> None:
    status, out, err = await payontap("inspect", "http://127.0.0.1:1/", "--json")
    assert (status, out) == (1, "")
    assert "127.0.0.1" in err


async def test_links_answers_each_line_with_an_array() -> None:
    lines = ["看这个https://shop.example/p?utm_source=x。", "nothing", "a https://b.example/ü b"]
    status, out, _ = await payontap("links", "--json", stdin="\n".join(map(json.dumps, lines)))
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [len(answer) for answer in answers] == [1, 0, 1]
    found = answers[0][0]
    assert list(found) == ["text", "url", "start", "end"]
    assert lines[0][found["start"] : found["end"]] == found["text"]
    assert found["url"] == "https://shop.example/p"


async def test_links_tells_share_codes_and_warnings_an_object_a_line() -> None:
    lines = ["a.com ￥pZLk2EyTWQ0￥", "nothing", "[a.com](https://b.com)"]
    status, out, _ = await payontap("links", "--records", stdin="\n".join(map(json.dumps, lines)))
    found = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [(one["line"], one["kind"], one["url"]) for one in found] == [
        (1, "link", "https://a.com/"),
        (1, "share_code", None),
        (3, "link", "https://a.com/"),
        (3, "link", "https://b.com/"),
    ]
    assert [len(one["warnings"]) for one in found] == [0, 1, 0, 1]


async def test_links_reads_many_files_and_says_its_doubts_in_words(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("https://a.com/x?utm_source=y\n")
    (tmp_path / "two.txt").write_text("nothing\n[a.com](https://b.com)\n")
    status, out, err = await payontap("links", "one.txt", "none.txt", "two.txt", cwd=tmp_path)
    assert status == 1
    assert out.split() == ["https://a.com/x", "https://a.com/", "https://b.com/"]
    missing, doubt = err.splitlines()
    assert missing.startswith("payontap: none.txt cannot be read")
    assert doubt == (
        "payontap: two.txt, line 2: The link shows a.com but leads to b.com. (docs/links.md#doubts)"
    )


async def test_links_reads_a_file_with_letters_of_another_charset(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("Grüße, https://a.com/x\nhttps://b.com/y".encode("cp1252"))
    status, out, err = await payontap("links", "old.txt", "none.txt", cwd=tmp_path)
    assert (status, out) == (1, "https://a.com/x\nhttps://b.com/y\n")
    assert err == "payontap: none.txt cannot be read: No such file or directory.\n"


async def test_links_tells_which_file_an_object_is_from(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text('"nothing"\n"a.com"\n')
    status, out, err = await payontap("links", "--records", "one.txt", cwd=tmp_path)
    assert (status, err) == (0, "")
    (found,) = map(json.loads, out.splitlines())
    assert (found["file"], found["line"], found["url"]) == ("one.txt", 2, "https://a.com/")


async def test_links_names_the_line_that_is_no_json_string() -> None:
    status, _, err = await payontap("links", "--json", stdin='"fine"\n{"not": "a string"}\n')
    assert status == 2
    assert err.strip() == "payontap: line 2 is not a JSON string."


@pytest.mark.parametrize("line", ["[" * 20_000, "9" * 5_000, "[" + "9" * 5_000 + "]"])
async def test_links_calls_no_json_string_what_is_too_deep_or_too_long_to_be_read(
    line: str,
) -> None:
    status, out, err = await payontap("links", "--json", stdin=f"{line}\n")
    assert (status, out) == (2, "")
    assert err == "payontap: line 1 is not a JSON string.\n"


async def test_links_reads_letters_of_another_charset_from_a_pipe(tmp_path: Path) -> None:
    script = (
        r"printf 'Gr\xfc\xdfe, https://a.com/x\n' | PYTHONIOENCODING=utf-8:strict payontap links"
    )
    assert await shell(script, tmp_path) == (0, "https://a.com/x\n", "")


async def test_links_says_that_standard_input_is_closed(tmp_path: Path) -> None:
    status, out, err = await shell("payontap links <&-", tmp_path)
    assert (status, out) == (1, "")
    assert err == "payontap: standard input cannot be read: it is closed.\n"


@pytest.mark.parametrize(
    "words", ["links m.txt", "links --json < j.txt", "inspect p.html", "inspect p.html --json"]
)
async def test_a_full_disk_is_one_true_sentence(words: str, tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text("https://a.com/x\n")
    (tmp_path / "j.txt").write_text('"https://a.com/x"\n')
    (tmp_path / "p.html").write_text(PAGE)
    status, _, err = await shell(f"payontap {words} >/dev/full", tmp_path)
    assert status == 2
    assert err == "payontap: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("words", ["links m.txt n.txt", "links --json < j.txt"])
async def test_whoever_reads_no_more_ends_the_command_quietly(words: str, tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text("https://a.com/x\n" * 20_000)
    (tmp_path / "n.txt").write_text("https://b.com/x\n")
    (tmp_path / "j.txt").write_text('"https://a.com/x"\n' * 20_000)
    status, out, err = await shell(f"set -o pipefail; payontap {words} | head -2", tmp_path)
    assert (status, err) == (141, "")
    assert len(out.splitlines()) == 2


@pytest.mark.parametrize(
    "words",
    [
        "cat tea.html | payontap inspect -",
        "payontap inspect - < tea.html",
        "cat tea.html | payontap inspect /dev/stdin",
        "payontap inspect <(cat tea.html)",
        "gzip -c tea.html | payontap inspect -",
        "payontap inspect <(sleep 6; cat tea.html)",
        "mkfifo pipe; (sleep 1; cat tea.html > pipe) & payontap inspect pipe",
    ],
)
async def test_inspect_reads_a_pipe_once_and_to_its_end(words: str, tmp_path: Path) -> None:
    # Longer than a pipe holds.
    (tmp_path / "tea.html").write_text(PAGE + "<!-- more -->" * 10_000)
    status, out, err = await shell(words, tmp_path)
    assert (status, err) == (0, "")
    assert out.startswith("Blue cup\n")
    assert "19.90 EUR" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("mkfifo pipe; payontap inspect pipe", "pipe: Nobody writes to the pipe pipe."),
        ("payontap inspect - <&-", "-: Standard input is closed."),
    ],
)
async def test_inspect_does_not_wait_for_what_nobody_writes(
    words: str, says: str, tmp_path: Path
) -> None:
    status, out, err = await shell(words, tmp_path)
    assert (status, out) == (1, "")
    assert err == f"payontap: {says}\n"


async def test_inspect_needs_no_standard_files(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text(PAGE)
    status, out, err = await shell("payontap inspect one.html <&-", tmp_path)
    assert (status, out.partition("\n")[0], err) == (0, "Blue cup", "")
    assert await shell("payontap inspect one.html two.html >&- 2>&-", tmp_path) == (1, "", "")


@pytest.mark.parametrize("url", ["not a url", "shop.example/tea", "ftp://shop.example/", ""])
async def test_inspect_refuses_an_address_that_is_none(url: str, tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text(PAGE)
    status, out, err = await payontap("inspect", "one.html", "--url", url, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err == f"payontap: “{url}” is no web address such as https://shop.example/tea.\n"


async def test_the_version_is_told_without_a_command() -> None:
    status, out, _ = await payontap("--version")
    assert status == 0
    assert re.fullmatch(r"payontap \d+\.\d+\.\d+\n", out)
    status, out, _ = await payontap("--help")
    assert "A bot that answers shared product links" in out


async def test_config_hides_secrets_and_an_unknown_key_names_the_nearest() -> None:
    status, out, _ = await payontap("config", PAYONTAP_REDIS__URL="redis://:hunter2@localhost/0")
    assert status == 0
    assert "hunter2" not in out
    status, _, err = await payontap("config", PAYONTAP_WEB__PROT="1")
    assert status == 2
    assert "PAYONTAP_WEB__PORT" in err
    assert len(err.splitlines()) == 1


async def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, _, err = await payontap(
            "run", PAYONTAP_DATA_DIR=str(tmp_path / "d"), PAYONTAP_WEB__PORT=port
        )
    assert status == 2
    assert port in err.splitlines()[-1]
    assert "Traceback" not in err


async def test_a_redis_that_is_away_is_reported_at_the_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        # It ends at once, as its port is taken; what it says before that is what matters.
        _, out, err = await payontap(
            "run",
            PAYONTAP_DATA_DIR=str(tmp_path / "d"),
            PAYONTAP_WEB__PORT=str(taken.getsockname()[1]),
            PAYONTAP_REDIS__URL="redis://:hunter2@127.0.0.1:1/0",
        )
    assert "redis_is_away" in out + err
    assert "each tap is refused" in out + err
    assert "hunter2" not in out + err


async def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = await payontap("run", PAYONTAP_DATA_DIR=str(tmp_path / "file" / "data"))
    assert status == 2
    assert "PAYONTAP_DATA_DIR" in err
    assert len(err.splitlines()) == 1


async def test_a_second_instance_on_the_same_data_is_turned_away(tmp_path: Path) -> None:
    async with instance(tmp_path / "data"):
        status, _, err = await payontap("run", PAYONTAP_DATA_DIR=str(tmp_path / "data"))
    assert status == 2
    assert "Another Payontap runs" in err


async def test_the_first_admin_finds_what_was_asked_for_before_he_came(tmp_path: Path) -> None:
    async with (
        instance(tmp_path / "data") as running,
        browser() as session,
        browser() as admin_session,
        visit(session, running.url, "lobby") as anna,
    ):
        await anna.say("/topup 123")
        await anna.see(lambda seen: "Code" in seen.text, "her top-up's code")
        assert running.admin_link is not None
        await claim_admin(admin_session, running.admin_link)
        async with visit(admin_session, running.url, "lobby") as boss:
            till = await boss.see(lambda seen: seen.has_button("Confirm"), "the till card")
            await boss.press(till, "Confirm")
            await anna.see_text("¥123.00 is in your wallet")


async def test_where_no_rate_is_set_nobody_is_promised_a_conversion(tmp_path: Path) -> None:
    async with (
        instance(tmp_path / "data") as running,
        browser() as session,
        visit(session, running.url, "lobby") as anna,
    ):
        await anna.say("/convert always up to 50 USD")
        await anna.see_text("Nothing is converted on this instance. No money moved.")


async def test_a_second_start_is_quick_and_finds_the_same_balances_and_no_second_admin_link(
    tmp_path: Path,
) -> None:
    first = await start_instance(tmp_path / "data")
    port = first.url.rpartition(":")[2]
    assert first.admin_link is not None
    async with browser() as session:
        await claim_admin(session, first.admin_link)
        async with visit(session, first.url, "lobby") as anna:
            await anna.say("/topup 123")
            till = await anna.see(lambda seen: seen.has_button("Confirm"), "the till card")
            await anna.press(till, "Confirm")
            await anna.see_text("is in your wallet")
        assert await first.stop() == 0
        began = time.monotonic()
        second = await start_instance(tmp_path / "data", {"PAYONTAP_WEB__PORT": port})
        try:
            assert time.monotonic() - began < 30
            assert second.admin_link is None
            async with visit(session, second.url, "lobby") as anna:
                await anna.say("/balance")
                await anna.see_text("¥123.00")
        finally:
            await second.kill()


@pytest.mark.parametrize("who", ["{person}", "web:{person}", "{ours}"])
async def test_admin_grant_makes_somebody_an_admin_beside_the_running_bot(
    tmp_path: Path, who: str
) -> None:
    data_dir = str(tmp_path / "data")
    async with (
        instance(tmp_path / "data") as running,
        browser() as session,
        visit(session, running.url, "lobby") as anna,
    ):
        await anna.say("/admin books")
        await anna.see_text("Only an admin")
        await anna.say("/whoami")
        shown = await anna.see_text("p_")
        words = shown.text.replace("·", " ").split()
        ours = next(word for word in words if word.startswith("p_")).strip(".,")
        status, _, err = await payontap(
            "admin", "grant", who.format(person=anna.person, ours=ours), PAYONTAP_DATA_DIR=data_dir
        )
        assert (status, err) == (0, "")
        await anna.say("/admin books")
        await anna.see_text("The books are empty")


async def test_admin_grant_without_an_instance_says_so(tmp_path: Path) -> None:
    status, _, err = await payontap("admin", "grant", "x", PAYONTAP_DATA_DIR=str(tmp_path))
    assert status == 2
    assert "There is no instance" in err
