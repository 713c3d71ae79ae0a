"""Shops: opening one, claiming a host, proving it, standing acceptance.

Nothing is written here. Each step gives the rows that make it so, and the caller commits them
together with what he says about them, under the key of the event that asked for it.
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from ada_url import URL

from wallet_core.commerce.host_checks import DAILY, CheckTerms, HostLooks, next_look_us
from wallet_core.commerce.ports import MerchantReader
from wallet_core.commerce.records import HostClaim, Merchant, Place
from wallet_core.errors import Refusal, Refused
from wallet_core.ledger.commits import Insert, RowChange, Update, Value
from wallet_core.ledger.transfers import named

#: Characters in a shop's name.
NAME_LENGTH_MAX = 60
_HOST_LENGTH_MAX = 253
_LABEL_LENGTH_MAX = 63
_TOKEN_BYTES = 16
#: Cards mark a proven host with a tick; no name may bring one of its own.
_TICKS = frozenset("✓✔✅☑🗸🗹")


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A new shop, and the rows that open it."""

    merchant: Merchant
    rows: tuple[RowChange, ...]


class Claiming(msgspec.Struct, frozen=True, kw_only=True):
    """A claim with the token that proves it; no rows where it stood already."""

    claim: HostClaim
    rows: tuple[RowChange, ...]


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """A host that is proven; no rows where it was so already."""

    claim: HostClaim
    rows: tuple[RowChange, ...]


class NotShown(msgspec.Struct, frozen=True, kw_only=True):
    """The host does not show the claim's token.

    `strange`: methods that showed other tokens. `why`: method → one sentence what is in its way.
    """

    claim: HostClaim
    strange: tuple[str, ...]
    why: Mapping[str, str] = {}


@dataclass(frozen=True)
class Merchants:
    """The steps of a merchant. Whether somebody acts for a shop is the caller's to know.

    `checks` says how often a proof is looked for again.
    """

    reader: MerchantReader
    proofs: HostLooks
    checks: CheckTerms = DAILY

    def opening(
        self, event_id: str, name: str, place: Place, person_id: str, at_us: int
    ) -> Opening:
        """A new shop whose orders go to the room of `place`, and its opener as first member.

        The shop's id is made from the event, so the same event opens the same shop. Raises
        `Refused` (`NOT_ALLOWED`) for a name that `shop_name` does not take.
        """
        plain = shop_name(name)
        if plain is None:
            raise Refused(Refusal.NOT_ALLOWED, f"{name!r} is no name for a shop")
        merchant = Merchant(
            id=f"m_{named('merchant', event_id).hex}",
            name=plain,
            network=place.network,
            room_id=place.room_id,
            standing_acceptance=False,
        )
        member = {"merchant_id": merchant.id, "person_id": person_id}
        return Opening(
            merchant=merchant,
            rows=(
                Insert("merchants", {**msgspec.structs.asdict(merchant), "created_at_us": at_us}),
                Insert("merchant_members", member),
            ),
        )

    async def claiming(self, merchant: Merchant, host: str) -> Claiming:
        """The merchant's claim to `host` (as `host_name` gives it), with the token it had before.

        Raises `Refused` (`TAKEN`) for a host that another merchant has proven. The row refuses
        with `TAKEN` too, if the same claim is made twice at the same moment.
        """
        await self._check_free(merchant.id, host)
        for known in await self.reader.host_claims(merchant.id):
            if known.host == host:
                return Claiming(claim=known, rows=())
        claim = HostClaim(
            merchant_id=merchant.id,
            host=host,
            token=secrets.token_hex(_TOKEN_BYTES),
            verified_host=None,
            method=None,
        )
        row = {**msgspec.structs.asdict(claim), "verified_at_us": None}
        return Claiming(claim=claim, rows=(Insert("merchant_hosts", row),))

    async def verifying(self, claim: HostClaim, at_us: int) -> Proven | NotShown:
        """Ask the host for the claim's token, unless all is well with it.

        Raises `Refused` (`TAKEN`) for a host that another merchant has proven, and so does the
        row, if he proves it at the same moment.
        """
        if claim.verified_host is not None and claim.stage is None:
            return Proven(claim=claim, rows=())
        await self._check_free(claim.merchant_id, claim.host)
        look = await self.proofs.look(claim.host)
        shown = sorted(look.shown.items())
        method = next((m for m, tokens in shown if claim.token in tokens), None)
        if method is None:
            strange = tuple(m for m, tokens in shown if tokens)
            return NotShown(claim=claim, strange=strange, why={**look.hindered, **look.unread})
        values: dict[str, Value] = {
            "verified_host": claim.host,
            "method": method,
            "seen_at_us": at_us,
            "check_due_us": next_look_us(claim.host, self.checks, at_us),
            "stage": None,
            "failure": None,
            "failing_since_us": None,
        }
        row = Update(
            table="merchant_hosts",
            where={"merchant_id": claim.merchant_id, "host": claim.host, "token": claim.token},
            values={**values, "verified_at_us": at_us},
            refusal=Refusal.TAKEN,
        )
        return Proven(claim=msgspec.structs.replace(claim, **values), rows=(row,))

    def accepting(self, merchant: Merchant, *, on: bool) -> tuple[RowChange, ...]:
        """Switch standing acceptance; it counts for orders from now on."""
        row = Update(
            table="merchants", where={"id": merchant.id}, values={"standing_acceptance": on}
        )
        return (row,)

    async def _check_free(self, merchant_id: str, host: str) -> None:
        owner = await self.reader.merchant_of_host(host)
        if owner is not None and owner.id != merchant_id:
            raise Refused(Refusal.TAKEN, f"{host} is proven by {owner.id}")


def shop_name(text: str) -> str | None:
    """A shop's name as cards show it, on one line, or None for one that cards must not show.

    Invisible characters are left out; a tick is refused, because it would imitate a verified host.
    """
    blanks = " ".join(text.split())
    plain = "".join(c for c in blanks if not unicodedata.category(c).startswith("C")).strip()
    if not 0 < len(plain) <= NAME_LENGTH_MAX or _TICKS & set(plain):
        return None
    return plain if any(c.isalnum() for c in plain) else None


def host_name(text: str) -> str | None:
    """The host that somebody typed, alone or as part of a web address: `shop.example:8443`.

    Lower-case punycode, with the port only where it is not the scheme's own: exactly the way in
    which a canonical web address names its host. None for what names no host.
    """
    typed = text.strip()
    bare = "://" not in typed
    if not typed or any(c.isspace() or not c.isprintable() for c in typed):
        return None
    try:
        url = URL(f"https://{typed}" if bare else typed)
    except (ValueError, UnicodeEncodeError):
        return None
    if url.protocol not in ("http:", "https:") or url.username or url.password:
        return None
    if bare and url.port == "80":
        # Without a scheme both schemes' own ports go without saying.
        url.port = ""
    if url.hostname.endswith("."):
        url.hostname = url.hostname.rstrip(".")
    return urlsplit(url.href).netloc if _possible(url.hostname) else None


def _possible(hostname: str) -> bool:
    if hostname.startswith("[") or hostname == "localhost":
        return True
    labels = hostname.split(".")
    return (
        len(labels) > 1
        and len(hostname) <= _HOST_LENGTH_MAX
        and all(0 < len(label) <= _LABEL_LENGTH_MAX for label in labels)
    )
