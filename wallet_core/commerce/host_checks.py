"""Proofs of hosts are looked for again, and what becomes of one that is no longer there.

A domain may change hands, so what was proven once is not proven for ever. The owner hears of the
first look that fails, and again before the grace is over; after that the host is nobody's, and
nothing on it can be paid until the proof is back. What was ordered before stays as it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

import msgspec

from wallet_core.commerce.records import HostClaim, Merchant, Place, Speech
from wallet_core.errors import KeyConflict, Refusal, Refused
from wallet_core.ledger.commits import Commit, Refresh, Update, Value, WriterPort
from wallet_core.ledger.transfers import named

_MICROSECONDS = 1_000_000
#: How long a look may take before another process may begin the same one.
CLAIM_S = 300
#: A proof that is missing is looked for at least this often.
RETRY_S = 6 * 3600
#: When the look could not be made for reasons of our own.
BUSY_S = 600
#: How long a lost proof is still looked for; after that its owner has to ask for it.
WATCH_LOST_S = 30 * 24 * 3600
#: Hosts that are looked at in one round, and at the same time.
_ROUND_MAX = 20
_AT_ONCE = 4
_TENTHS = 10


class Stage(StrEnum):
    """How far the loss of a proof has gone. The values are stored."""

    FAILING = "failing"
    ENDING = "ending"
    LOST = "lost"


class Failure(StrEnum):
    """What is wrong: the host answers and shows no proof, or it cannot be asked."""

    GONE = "gone"
    UNREACHABLE = "unreachable"


class HostLook(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen at a host. `shown`: method → the tokens that it shows by it.

    `unread`: method → one sentence why it could not be asked. `hindered`: method → one sentence why
    what it answered with can show nothing. `busy`: we had no time for it, which says nothing about
    the host.
    """

    shown: Mapping[str, frozenset[str]]
    unread: Mapping[str, str] = {}
    hindered: Mapping[str, str] = {}
    busy: bool = False


class HostLooks(Protocol):
    """Looks at a host."""

    async def look(self, host: str) -> HostLook:
        """What `host` (with a port where it has one) shows now; raises nothing for its sake."""


class CheckTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`every_s`: how often a proof is looked for. `grace_s`: how long it may be missing."""

    every_s: int = 24 * 3600
    grace_s: int = 7 * 24 * 3600

    @property
    def warn_before_s(self) -> int:
        """How long before the grace is over the owner is warned: a day, or half of a short one."""
        return min(24 * 3600, self.grace_s // 2)


DAILY = CheckTerms()


class HostNews(msgspec.Struct, frozen=True, kw_only=True):
    """A proof is missing, will soon count no more, is lost, or is there again.

    `stage` is None when it is there again. `until_us`: when it is lost. `places` are those who act
    for the shop. `why`: one sentence, where something was in the way.
    """

    cause: str
    merchant: Merchant
    claim: HostClaim
    stage: Stage | None
    until_us: int
    places: tuple[Place, ...]
    why: str = ""


class HostAnnouncer(Protocol):
    """Finds the words; see `wallet_core.commerce.news.Announcer`."""

    def __call__(self, news: HostNews) -> Speech:
        """What is to be said about `news`."""


class HostCheckReader(Protocol):
    """What checks ask of the storage."""

    async def due_hosts(self, now_us: int, limit: int) -> Sequence[HostClaim]:
        """Claims whose proof is to be looked for, the longest due first."""

    async def merchant(self, merchant_id: str) -> Merchant | None:
        """One merchant."""

    async def members(self, merchant_id: str) -> Sequence[Place]:
        """Where those who act for a merchant are reached in private."""

    async def open_quotes(self, claim: HostClaim, now_us: int) -> Sequence[str]:
        """Quotes of the claim's merchant on its host that have not expired, the newest first."""


class Judged(msgspec.Struct, frozen=True):
    """A claim after a look; `news` is what its owner has to hear, if anything."""

    claim: HostClaim
    news: Stage | None = None
    found_again: bool = False
    why: str = ""


def judge_host(claim: HostClaim, look: HostLook, terms: CheckTerms, now_us: int) -> Judged:
    """What a look says about a claim.

    | the token … | before | after | the owner hears |
    |---|---|---|---|
    | is there | well | well | |
    | is there | failing, ending, lost | well | found again |
    | could not be looked for by us | any | the same | |
    | is not there | well | failing | failing |
    | is not there | failing, the grace nearly over | ending | ending |
    | is not there | failing or ending, the grace over | lost | lost |
    | is not there | lost | lost | |
    """
    method = next((m for m, tokens in sorted(look.shown.items()) if claim.token in tokens), None)
    if method is not None:
        found = msgspec.structs.replace(
            claim,
            verified_host=claim.host,
            method=method,
            seen_at_us=now_us,
            stage=None,
            failure=None,
            failing_since_us=None,
            check_due_us=next_look_us(claim.host, terms, now_us),
        )
        return Judged(found, found_again=claim.stage is not None)
    if look.busy:
        later = msgspec.structs.replace(claim, check_due_us=now_us + BUSY_S * _MICROSECONDS)
        return Judged(later)
    return _missing(claim, look, terms, now_us)


def _missing(claim: HostClaim, look: HostLook, terms: CheckTerms, now_us: int) -> Judged:
    since_us = claim.failing_since_us if claim.failing_since_us is not None else now_us
    over_us = since_us + terms.grace_s * _MICROSECONDS
    warn_us = over_us - terms.warn_before_s * _MICROSECONDS
    # By the way it was proven: whether another way answers says nothing about this one.
    why = look.unread.get(claim.method or "", "")
    if claim.stage == Stage.LOST or now_us >= over_us:
        stage = Stage.LOST
    elif claim.stage == Stage.ENDING or now_us >= warn_us:
        stage = Stage.ENDING
    else:
        stage = Stage.FAILING
    due_us: int | None = next_look_us(claim.host, terms, now_us)
    if stage is Stage.LOST:
        if now_us >= over_us + WATCH_LOST_S * _MICROSECONDS:
            due_us = None
    else:
        due_us = now_us + min(terms.every_s, RETRY_S) * _MICROSECONDS
        due_us = min(at_us for at_us in (due_us, warn_us, over_us) if at_us > now_us)
    after = msgspec.structs.replace(
        claim,
        verified_host=None if stage is Stage.LOST else claim.verified_host,
        stage=stage,
        failure=Failure.UNREACHABLE if why else Failure.GONE,
        failing_since_us=since_us,
        check_due_us=due_us,
    )
    # The first failure is always told, even where the grace is so short that its end is near.
    heard = stage if claim.stage != stage else None
    if claim.stage is None and stage is Stage.ENDING:
        heard = Stage.FAILING
    return Judged(after, heard, why=why or look.hindered.get(claim.method or "", ""))


def next_look_us(host: str, terms: CheckTerms, now_us: int) -> int:
    """When a host is looked at next: up to a tenth earlier or later than `every_s` from now.

    So hosts that were proven on one day do not stay together.
    """
    spread_us = terms.every_s * _MICROSECONDS // _TENTHS
    jitter_us = named("host check", host, now_us).int % (2 * spread_us + 1) - spread_us
    return now_us + terms.every_s * _MICROSECONDS + jitter_us


@dataclass
class HostChecks:
    """Looks for the proofs that are due."""

    writer: WriterPort
    reader: HostCheckReader
    looks: HostLooks
    announce: HostAnnouncer
    terms: CheckTerms = DAILY

    async def run_due(self, now_us: int) -> int:
        """Look at what is due; gives how many hosts were due.

        Several processes may do so at the same time: each host is looked at by one of them. What
        went wrong is raised together afterwards, as an `ExceptionGroup`.
        """
        due = await self.reader.due_hosts(now_us, _ROUND_MAX)
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(claim: HostClaim) -> None:
            async with free:
                await self._check(claim, now_us)

        results = await asyncio.gather(*map(one, due), return_exceptions=True)
        errors = [result for result in results if isinstance(result, Exception)]
        if errors:
            raise ExceptionGroup("Hosts that could not be checked", errors)
        return len(due)

    async def _check(self, claim: HostClaim, now_us: int) -> None:
        mine = msgspec.structs.replace(claim, check_due_us=now_us + CLAIM_S * _MICROSECONDS)
        try:
            await self.writer.commit(Commit(key=f"look:{uuid4().hex}", rows=(_row(claim, mine),)))
        except Refused:
            # Another process looks, or the owner proved it himself a moment ago.
            return
        judged = judge_host(mine, await self.looks.look(claim.host), self.terms, now_us)
        await self._write(mine, judged, now_us)

    async def _write(self, claim: HostClaim, judged: Judged, now_us: int) -> None:
        key = f"looked:{named(claim.merchant_id, claim.host, claim.check_due_us, now_us).hex}"
        speech = await self._speech(key, judged)
        if claim.verified_host != judged.claim.verified_host:
            # Cards that are out lose their button, or get it back.
            quotes = await self.reader.open_quotes(claim, now_us)
            speech = (*speech, *(Refresh(view="offer", ref=quote_id) for quote_id in quotes))
        commit = Commit(key=key, rows=(_row(claim, judged.claim),), outbox=speech)
        try:
            await self.writer.commit(commit)
        except KeyConflict:
            return
        except Refused as refused:
            if refused.code is Refusal.TAKEN and judged.claim.verified_host is not None:
                # A lost host that another shop has proven since: it is that shop's now.
                given_up = msgspec.structs.replace(claim, check_due_us=None)
                await self.writer.commit(
                    Commit(key=f"given up:{key}", rows=(_row(claim, given_up),))
                )

    async def _speech(self, key: str, judged: Judged) -> Speech:
        if judged.news is None and not judged.found_again:
            return ()
        claim = judged.claim
        merchant = await self.reader.merchant(claim.merchant_id)
        if merchant is None:
            return ()
        since_us = claim.failing_since_us or 0
        news = HostNews(
            cause=key,
            merchant=merchant,
            claim=claim,
            stage=judged.news,
            until_us=since_us + self.terms.grace_s * _MICROSECONDS,
            places=tuple(await self.reader.members(merchant.id)),
            why=judged.why,
        )
        return self.announce(news)


def _row(before: HostClaim, after: HostClaim) -> Update:
    """The change from `before` to `after`; refused when the claim is no longer as it was."""
    values: dict[str, Value] = {
        name: getattr(after, name)
        for name in HostClaim.__struct_fields__
        if getattr(after, name) != getattr(before, name)
    }
    proven_anew = before.verified_host is None and after.verified_host is not None
    return Update(
        table="merchant_hosts",
        where={
            "merchant_id": before.merchant_id,
            "host": before.host,
            "token": before.token,
            "verified_host": before.verified_host,
            "check_due_us": before.check_due_us,
        },
        values=values,
        refusal=Refusal.TAKEN if proven_anew else Refusal.CHANGED,
    )
