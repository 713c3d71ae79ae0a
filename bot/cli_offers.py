"""`payontap offer-key` and `payontap sign-offer`: prices that a merchant signs himself."""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_ground import ConfigFile, plainly, require_text, settings_of
from wallet_core.errors import PayontapError

if TYPE_CHECKING:
    from wallet_core.audit.signing import SigningKey

_DAY_S = 24 * 3600


class KeyFileError(PayontapError):
    """A key file that cannot be used; the text is one sentence for people."""


class UnusableOffer(PayontapError):
    """An offer that makes no sense; the text is one sentence for people."""


class Form(StrEnum):
    """In which form a signed offer is printed."""

    PAGE = "page"
    LINK = "link"
    JWS = "jws"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("offer-key")(offer_key)
    app.command("sign-offer")(sign_offer)


KeyFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where your secret key is kept.")]


def offer_key(file: KeyFile) -> None:
    """Print the public key of a key file, as the host has to show it; make the key if need be."""
    from bot.links.host_proofs import KEY_PREFIX, PROOF_PATH  # noqa: PLC0415 - only needed here

    with plainly():
        key = _read_key(file) if file.exists() else _new_key(file)
        typer.echo(f"{KEY_PREFIX}{key.public.text}")
        typer.echo(f"Put this line into https://YOUR-HOST{PROOF_PATH}", err=True)


def sign_offer(
    file: KeyFile,
    url: Annotated[str, typer.Option(help="The product's page.")],
    title: Annotated[str, typer.Option(help="What is sold.")],
    price: Annotated[str, typer.Option(help="What it costs, such as 4.90.")],
    currency: Annotated[str, typer.Option(help="Its ISO 4217 code, such as EUR.")],
    sku: Annotated[str | None, typer.Option(help="Your own article number.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long you stand by it.")] = 30,
    form: Annotated[
        Form, typer.Option("--as", help="A tag for the page, a link, or the bare text.")
    ] = Form.PAGE,
    config: ConfigFile = None,
) -> None:
    """Sign a price, so that it can be paid at once on the page that it is for."""
    from bot.house import define_currencies  # noqa: PLC0415 - only this command needs it
    from bot.links.canonical import canonical_url  # noqa: PLC0415 - same
    from bot.links.signed_offers import (  # noqa: PLC0415 - same
        AUDIENCE,
        FRAGMENT,
        MEDIA_TYPE,
        SignedOffer,
        sign_offer,
    )

    with plainly():
        require_text(url, title, price, currency, sku)
        define_currencies(settings_of(config))
        currency, amount_minor = _amount(price, currency)
        if canonical_url(url) is None:
            raise UnusableOffer(f"“{url}” is no web address such as https://shop.example/tea.")
        now_s = int(time.time())
        offer = SignedOffer(
            aud=AUDIENCE,
            url=url,
            title=title,
            amount_minor=amount_minor,
            currency=currency,
            iat=now_s,
            exp=now_s + days * _DAY_S,
            sku=sku,
        )
        text = sign_offer(_read_key(file), offer)
    shown = {
        Form.PAGE: f'<script type="{MEDIA_TYPE}">{text}</script>',
        Form.LINK: f"{url.partition('#')[0]}#{FRAGMENT}{text}",
        Form.JWS: text,
    }
    typer.echo(shown[form])


def _amount(price: str, currency: str) -> tuple[str, int]:
    """The currency's code as it is written everywhere, and the price in its minor units."""
    from wallet_core.money import Money  # noqa: PLC0415 - only needed here

    if "," in price:
        raise UnusableOffer(f"“{price}”: write the price with a point and no comma, such as 4.90.")
    money = Money.parse(price, currency.strip().upper())
    if money.amount_minor <= 0:
        raise UnusableOffer("The price has to be above zero.")
    return money.currency, money.amount_minor


def _new_key(file: Path) -> "SigningKey":
    from wallet_core.audit.signing import SigningKey  # noqa: PLC0415 - only needed here

    key = SigningKey.new()
    try:
        # Never over something that is there, and for its owner's eyes only from the first byte on.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(key.to_pem())
    except OSError as error:
        raise KeyFileError(f"{file} cannot be written: {error.strerror}.") from error
    typer.echo(f"{file} holds your new secret key: keep it, and keep it to yourself.", err=True)
    return key


def _read_key(file: Path) -> "SigningKey":
    from wallet_core.audit.signing import SigningKey  # noqa: PLC0415 - only needed here

    try:
        return SigningKey.of_pem(file.read_bytes())
    except FileNotFoundError:
        raise KeyFileError(f"There is no key {file}; payontap offer-key {file} makes it.") from None
    except OSError as error:
        raise KeyFileError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError):
        raise KeyFileError(f"{file} is no Ed25519 key in PEM form.") from None
