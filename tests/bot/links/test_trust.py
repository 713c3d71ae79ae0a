"""One table of what a price may be used for."""

import pytest

from bot.links.recognise import Sighting
from bot.links.trust import TITLES, Trust, judge


def sighting(
    url: str = "https://shop.example/p",
    price_minor: int | None = 19900,
    currency: str | None = "CNY",
    availability: str | None = "InStock",
    stock: int | None = None,
    disagreements: tuple[str, ...] = (),
    *,
    structured: bool = True,
    source: str = "json-ld",
) -> Sighting:
    return Sighting(
        url=url,
        title="Tea",
        price_minor=price_minor,
        currency=currency,
        exponent=2,
        availability=availability,
        stock=stock,
        disagreements=disagreements,
        structured=structured,
        sources={"price": source},
    )


SOUND = sighting()


@pytest.mark.parametrize(
    ("seen", "verified", "catalogue", "escrow", "expected"),
    [
        (SOUND, True, True, False, Trust.PAYABLE),
        (sighting(structured=False), True, True, False, Trust.PAYABLE),
        (SOUND, True, False, False, Trust.HOLD),
        (SOUND, True, False, True, Trust.HOLD),
        (SOUND, False, False, True, Trust.ESCROW),
        (SOUND, False, False, False, Trust.PREVIEW),
        (SOUND, False, True, False, Trust.PREVIEW),
        (SOUND, False, True, True, Trust.ESCROW),
        (sighting(currency=None), True, True, True, Trust.PREVIEW),
        (sighting(availability="SoldOut"), True, True, True, Trust.PREVIEW),
        (sighting(stock=0), True, True, True, Trust.PREVIEW),
        (sighting(disagreements=("They differ.",)), True, True, True, Trust.PAYABLE),
        (sighting(disagreements=("They differ.",)), False, False, True, Trust.PREVIEW),
        (sighting(source="meta"), True, False, True, Trust.PREVIEW),
        (sighting(source="oembed"), True, False, True, Trust.PREVIEW),
        (sighting(source="opengraph"), True, False, True, Trust.HOLD),
        (sighting(source="shop-api"), False, False, True, Trust.ESCROW),
        (sighting(url="ftp://shop.example/p"), True, True, True, Trust.PREVIEW),
        (sighting(availability=None), True, False, False, Trust.HOLD),
        (sighting(availability="PreOrder"), True, False, False, Trust.HOLD),
        (sighting(availability="OutOfStock"), True, False, True, Trust.PREVIEW),
        (sighting(availability="SoldOut"), True, False, True, Trust.PREVIEW),
        (sighting(stock=0), True, False, True, Trust.PREVIEW),
        (sighting(currency=None), True, False, True, Trust.PREVIEW),
        (sighting(structured=False), True, False, True, Trust.PREVIEW),
        (sighting(disagreements=("They differ.",)), True, False, True, Trust.PREVIEW),
        (sighting(url="https://shоp.example/p"), True, True, True, Trust.PREVIEW),
        (sighting(url=""), False, False, True, Trust.PREVIEW),
        (sighting(price_minor=None), True, True, True, Trust.NONE),
    ],
)
def test_each_price_gets_the_trust_it_has_earned(
    seen: Sighting,
    verified: bool,  # noqa: FBT001 (a column of the table)
    catalogue: bool,  # noqa: FBT001 (a column of the table)
    escrow: bool,  # noqa: FBT001 (a column of the table)
    expected: Trust,
) -> None:
    trust, reason = judge(
        seen, host_verified=verified, catalogue_price=catalogue, escrow_allowed=escrow
    )
    assert trust is expected
    assert reason.endswith(".")


def test_the_reason_names_the_disagreement() -> None:
    assert judge(sighting(disagreements=("They differ.",)), host_verified=True)[1] == "They differ."


def test_every_trust_has_a_title_for_the_card() -> None:
    assert set(TITLES) == set(Trust)


def test_only_a_price_that_somebody_stands_by_is_payable() -> None:
    reasons = {
        judge(seen, host_verified=verified, catalogue_price=catalogue, escrow_allowed=escrow)
        for seen in (SOUND, sighting(structured=False), sighting(currency=None))
        for verified in (False, True)
        for catalogue in (False, True)
        for escrow in (False, True)
    }
    assert len({reason for trust, reason in reasons if trust is Trust.PAYABLE}) == 1
    for trust, reason in reasons:
        assert reason[0].isupper(), trust
        assert reason.count(".") == 1
