"""The servers that all cases share: one PostgreSQL at its defaults, one Valkey as an instance's."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ledger_cases.loops import Measured
from tests.peers.postgres import PostgresPeer
from tests.peers.valkey import ValkeyPeer

#: Durability and everything else is the server's default; only the network is closed.
POSTGRES_OPTIONS = {"listen_addresses": ""}
PGBENCH_CLIENTS = 32
_PGBENCH_THREADS = 2


@dataclass(frozen=True)
class Machine:
    """What runs: `folder` is for files that a case keeps on the same disk."""

    folder: Path
    postgres: PostgresPeer
    valkey_url: str

    def settle(self) -> None:
        """Write what earlier measurements left in memory, so that none pays for another."""
        self.postgres.ask("checkpoint")

    def deadlocks(self, name: str) -> int:
        """How often the server found a deadlock in a database, since the database was made."""
        query = f"select deadlocks from pg_stat_database where datname = '{name}'"  # noqa: S608 - ours
        return int(self.postgres.ask(query))

    def fill_pgbench(self, scale: int) -> str:
        """A database with pgbench's own tables; answers its name."""
        name = self.postgres.create()
        self._pgbench("--initialize", "--quiet", "--scale", str(scale), name)
        return name

    def run_pgbench(self, name: str, scale: int, seconds: int) -> Measured:
        """The tpcb-like script, pgbench's default."""
        told = self._pgbench(
            *("--scale", str(scale), "--protocol", "simple", "--client", str(PGBENCH_CLIENTS)),
            *("--jobs", str(_PGBENCH_THREADS), "--time", str(seconds), name),
        )
        return Measured(per_s=float(re.findall(r"tps = ([\d.]+)", told)[-1]))

    def _pgbench(self, *arguments: str) -> str:
        place = ("--host", str(self.postgres.socket_folder), "--username", "postgres")
        ran = subprocess.run(  # noqa: S603 - the server's own program
            [str(self.postgres.programs / "pgbench"), *place, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise RuntimeError(f"pgbench failed: {ran.stderr[-500:]}")
        return ran.stdout


@contextmanager
def started() -> Iterator[Machine]:
    """Both servers, until the end of the block.

    Raises `PostgresMissing` or `EmbeddedValkeyError` where one cannot run.
    """
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    # The server's user has to pass through.
    folder.chmod(0o755)
    for name in ("postgres", "valkey", "files"):
        (folder / name).mkdir()
    postgres = PostgresPeer(folder / "postgres", POSTGRES_OPTIONS)
    valkey = ValkeyPeer(folder / "valkey")
    try:
        postgres.start()
        valkey.start()
        yield Machine(folder / "files", postgres, valkey.url)
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder)
