"""`payontap offer-key` and `payontap sign-offer`, and the recipe in the docs."""

import io
import re
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.links.fetch import Fetched
from bot.links.offer_keys import keys_in_file
from bot.links.signed_offers import offer_in_link, offers_in_page, opened_offer

URL = "https://shop.example/tea"
DOCS = Path(__file__).parents[2] / "docs" / "merchants.md"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def payontap(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def sign(*more: str, price: str = "4.90", currency: str = "EUR") -> Result:
    given = ("--url", URL, "--title", "Green tea", "--price", price, "--currency", currency)
    return payontap("sign-offer", "shop.pem", *given, *more)


def test_a_key_is_made_once_and_read_by_nobody_else() -> None:
    made, again = payontap("offer-key", "shop.pem"), payontap("offer-key", "shop.pem")
    assert (made.exit_code, again.exit_code) == (0, 0)
    assert made.stdout == again.stdout
    assert re.fullmatch(r"offer-key=[A-Za-z0-9_-]{43}\n", made.stdout)
    assert Path("shop.pem").stat().st_mode & 0o077 == 0
    assert "PRIVATE KEY" not in made.output


def test_what_is_signed_counts_on_its_page_in_each_form() -> None:
    keys = keys_in_file(payontap("offer-key", "shop.pem").stdout.encode())
    page = Fetched(URL, 200, "text/html", "utf-8", b"")
    tag, link, bare = (sign("--sku", "T1", "--as", form).stdout for form in ("page", "link", "jws"))
    (in_page,) = offers_in_page(tag.encode())
    in_link = offer_in_link(link.strip())
    assert link.startswith(f"{URL}#payontap-offer=")
    assert in_link is not None
    for text in (in_page, in_link, bare.strip()):
        offer = opened_offer(text, page, keys, time.time())
        assert (offer.amount_minor, offer.currency, offer.sku) == (490, "EUR", "T1")
        assert offer.exp - offer.iat == 30 * 24 * 3600


@pytest.mark.parametrize(
    ("price", "currency", "amount_minor"), [("1200", "JPY", 1200), ("19.9", "KWD", 19_900)]
)
def test_the_amount_has_the_currencys_decimals(
    price: str, currency: str, amount_minor: int
) -> None:
    keys = keys_in_file(payontap("offer-key", "shop.pem").stdout.encode())
    text = sign("--as", "jws", price=price, currency=currency).stdout.strip()
    page = Fetched(URL, 200, "text/html", "utf-8", b"")
    assert opened_offer(text, page, keys, time.time()).amount_minor == amount_minor


def test_what_cannot_be_signed_is_one_sentence_and_exit_status_two() -> None:
    for given, words in (
        (sign(), "There is no key shop.pem; payontap offer-key shop.pem makes it."),
        (payontap("offer-key", "no/such/folder.pem"), "cannot be written"),
    ):
        assert given.exit_code == 2
        assert words in given.stderr
    payontap("offer-key", "shop.pem")
    assert "decimals" in sign(price="4.901").stderr
    assert sign(price="0").exit_code == 2
    assert "$ is not the sign of EUR" in sign(price="$4.90").stderr
    assert sign(currency="XQZ").exit_code == 2
    Path("shop.pem").write_text("no key")
    assert "is no Ed25519 key" in sign().stderr
    assert sign().stdout == ""


def test_the_recipe_in_the_docs_makes_an_offer_that_counts() -> None:
    keys = keys_in_file(payontap("offer-key", "shop.pem").stdout.encode())
    found = re.search(r"<!-- recipe: sign -->\n```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(found[1], {})  # noqa: S102 - what the docs tell people to run
    page = Fetched(URL, 200, "text/html", "utf-8", b"")
    offer = opened_offer(printed.getvalue().strip(), page, keys, time.time())
    assert (offer.title, offer.amount_minor, offer.sku) == ("Green tea", 490, "TEA-1")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--price", "4,90"), "write the price with a point and no comma, such as 4.90"),
        (("--price", "1,200"), "write the price with a point"),
        (("--price", "0"), "The price has to be above zero."),
        (("--price", "-1"), "The price has to be above zero."),
        (("--url", "shop.example/tea"), "“shop.example/tea” is no web address such as https://"),
        (("--url", ""), "is no web address"),
    ],
)
def test_what_makes_no_sense_is_told_with_the_way_to_write_it(
    more: tuple[str, str], says: str
) -> None:
    payontap("offer-key", "shop.pem")
    refused = sign(*more)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert says in refused.stderr


def test_a_currency_may_be_written_in_small_letters() -> None:
    payontap("offer-key", "shop.pem")
    assert sign(currency="eur").exit_code == 0
    assert "'xyz'" in sign(currency="xyz").stderr.lower()
