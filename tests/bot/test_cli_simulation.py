"""`payontap simulate` as somebody types it."""

import asyncio

from tests.bot.test_cli import payontap
from tests.instances import ROOT


async def test_a_seed_gives_the_same_digest_in_every_process() -> None:
    runs = await asyncio.gather(
        *(
            payontap("simulate", "--seed", "5", "--steps", "120", cwd=ROOT, PYTHONHASHSEED=seed)
            for seed in ("0", "4242")
        )
    )
    assert runs[0] == runs[1]
    status, out, err = runs[0]
    assert (status, err) == (0, "")
    assert "the books' digest is " in out
    assert out.endswith(
        "Everything held: the books are right, and nobody was told anything else.\n"
    )


async def test_the_trace_tells_what_happened_and_when() -> None:
    status, out, _ = await payontap("simulate", "--seed", "5", "--steps", "60", "--trace", cwd=ROOT)
    assert status == 0
    assert " s  p" in out
    assert " hears e1 " in out


async def test_many_seeds_are_one_sentence() -> None:
    status, out, err = await payontap("simulate", "--seeds", "3", "--steps", "40", cwd=ROOT)
    assert (status, out, err) == (0, "Everything held: 3 seeds of 40 steps.\n", "")
