"""The keys under which a host's signed offers count: its own, from its own file."""

from bot.links.fetch import Fetcher, FetchError
from bot.links.host_proofs import KEY_PREFIX, PROOF_PATH, is_on, lines_in_file, schemes_of
from bot.links.signed_offers import OfferRefused
from wallet_core.audit.signing import NotProven, PublicKey

#: How long a file of keys counts; so soon a key that was taken out counts no more.
FRESH_S = 300.0
#: Keys of one host that are looked at: room for an old one, a new one, and some for others.
_KEYS_MAX = 8


async def keys_of(fetcher: Fetcher, host: str) -> tuple[PublicKey, ...]:
    """The keys that `host` (with a port where it has one) publishes now.

    Asked over https, but for loopback. Raises `OfferRefused` when they cannot be read.
    """
    url = f"{schemes_of(host)[0]}://{host}{PROOF_PATH}"
    try:
        page = await fetcher.get(url, accept="text", invited=True, age_s_max=FRESH_S)
    except FetchError as error:
        raise OfferRefused(
            f"The signed offer cannot be checked: {url} was not read. {error.message}"
        ) from error
    return keys_in_file(page.body) if is_on(page, host) else ()


def keys_in_file(body: bytes) -> tuple[PublicKey, ...]:
    """The keys of a proof file: lines such as `offer-key=11qYAYKx…`; a comment begins with `#`."""
    keys: list[PublicKey] = []
    for written in lines_in_file(body):
        if not written.startswith(KEY_PREFIX):
            continue
        try:
            keys.append(PublicKey.of_text(written.removeprefix(KEY_PREFIX)))
        except NotProven:
            continue
    return tuple(keys[:_KEYS_MAX])
