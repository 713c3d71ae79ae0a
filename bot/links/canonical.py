"""One name for one page: the canonical form of a web address, and doubts about its host."""

import re
import unicodedata
from functools import cache
from urllib.parse import unquote

from ada_url import URL, HostType

_URL_LENGTH_MAX = 4096
_HOST_LENGTH_MAX = 253
_LABEL_LENGTH_MAX = 63

#: Parameters that say where a visitor came from, never what is shown. Only names that are
#: conventions of advertising and analytics systems, whatever the site.
_TRACKING_NAMES = """
fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid ttclid twclid igshid igsh li_fat_id
mc_cid mc_eid mkt_tok oly_anon_id oly_enc_id vero_id vero_conv _hsenc _hsmi __hstc __hssc __hsfp
hsctatracking rb_clickid s_cid srsltid epik irclickid irgwc wickedid _openstat _ga _gl _ke
_branch_match_id _branch_referrer spm scm pvid share_token share_source share_medium share_plat
share_session_id sharefrom shareuid wt_mc wt.mc_id ns_source ns_mchannel ns_campaign cmpid xtor
zanpid awc ranmid raneaid ransiteid gad_source gad_campaignid ref_src ref_url mibextid vn_source
si_share
"""
_TRACKING_PREFIXES = (
    "utm_",
    "mtm_",
    "pk_",
    "piwik_",
    "matomo_",
    "hsa_",
    "at_custom",
    "sc_campaign",
)

_LATIN_LOOKALIKES = frozenset("аеорсухіѕјԁһԛԝьгпкмтвнзґѵүӏʟοανικρτυχωϲϳεηβγ")
_ODD_LATIN = frozenset("ıɑɡɩʟʏɢɴʀʙʜɪꞌʼƿⅼⅰⅴⅹ")
_SPELLINGS_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_CONTROL_OR_BLANK = re.compile(r"[\x00-\x20\x7f]")


def canonical_url(url: str) -> str | None:
    """`url` as browsers would write it, without tracking parameters, fragment or default port.

    None when it is no usable web address: another scheme than http or https, credentials in it,
    an impossible host, blanks inside, or more than 4,096 characters.
    """
    parsed = _parsed(url)
    if parsed is None:
        return None
    if parsed.hostname.endswith("."):
        parsed.hostname = parsed.hostname.rstrip(".")
    if parsed.search:
        parsed.search = _without_tracking(parsed.search[1:])
    del parsed.hash
    return parsed.href.removesuffix("?")


def usable_url(url: str, *, base: str | None = None) -> str | None:
    """`url` (relative to `base`) made absolute for fetching: every parameter kept, no fragment.

    None under the same conditions as `canonical_url`.
    """
    parsed = _parsed(url, base)
    if parsed is None:
        return None
    del parsed.hash
    return parsed.href


def host_of(url: str) -> str | None:
    """The host of a web address in lower-case punycode, None when `canonical_url` has none."""
    parsed = _parsed(url)
    return parsed.hostname.rstrip(".") if parsed is not None else None


def host_and_port(url: str) -> tuple[str, int] | None:
    """Host (as `host_of` gives it) and port, with the scheme's own port where none is written."""
    parsed = _parsed(url)
    if parsed is None:
        return None
    default = 443 if parsed.protocol == "https:" else 80
    return parsed.hostname.rstrip("."), int(parsed.port or default)


def host_warning(host: str) -> str | None:
    """Why a reader may take `host` (Unicode or punycode) for another one; None if he will not."""
    for label in host.lower().split("."):
        shown = _unicode_label(label)
        if shown is None:
            return "The address has a part that no browser can show."
        if shown.isascii():
            continue
        if len(_scripts(shown)) > 1 and not any(
            _scripts(shown) <= ok for ok in _SPELLINGS_TOGETHER
        ):
            return f"The address mixes alphabets in “{shown}” and may imitate another one."
        if _looks_latin(shown, host):
            return f"The letters of “{shown}” look like Latin ones and may imitate another address."
    return None


def _parsed(url: str, base: str | None = None) -> URL | None:
    trimmed = url.strip()
    if len(trimmed) > _URL_LENGTH_MAX or _CONTROL_OR_BLANK.search(trimmed):
        return None
    try:
        parsed = URL(trimmed, base)
    except (ValueError, UnicodeEncodeError):
        return None
    if parsed.protocol not in {"http:", "https:"} or parsed.username or parsed.password:
        return None
    if parsed.host_type == HostType.DEFAULT and not _possible_name(parsed.hostname.rstrip(".")):
        return None
    return parsed


def _possible_name(hostname: str) -> bool:
    labels = hostname.split(".")
    return len(hostname) <= _HOST_LENGTH_MAX and all(
        0 < len(x) <= _LABEL_LENGTH_MAX for x in labels
    )


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _is_tracking(pair))


@cache
def _tracking_names() -> frozenset[str]:
    return frozenset(_TRACKING_NAMES.split())


def _is_tracking(pair: str) -> bool:
    name = unquote(pair.partition("=")[0]).lower()
    return name in _tracking_names() or name.startswith(_TRACKING_PREFIXES)


def _unicode_label(label: str) -> str | None:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return None


def _scripts(label: str) -> frozenset[str]:
    letters = (char for char in label if char.isalpha())
    return frozenset(unicodedata.name(char, "UNKNOWN").partition(" ")[0] for char in letters)


def _looks_latin(label: str, host: str) -> bool:
    letters = {char for char in label if char.isalpha()}
    if letters & _ODD_LATIN:
        return True
    # Under a top-level domain in the same alphabet such a name is at home: сор.рф is Russian.
    at_home = not (_unicode_label(host.lower().rsplit(".", 1)[-1]) or "").isascii()
    foreign = {char for char in letters if not char.isascii()}
    return bool(foreign) and not at_home and foreign <= _LATIN_LOOKALIKES
