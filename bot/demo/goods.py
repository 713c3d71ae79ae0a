"""What the demo shop sells."""

from dataclasses import dataclass
from decimal import Decimal

from wallet_core.money import Money, exponent_of


@dataclass(frozen=True, slots=True)
class Good:
    """One product. `price` is in whole units of the shop's currency, as a price tag says it.

    `stock` is how many there were at first, None for something that never runs out.
    """

    slug: str
    sku: str
    gtin: str
    title: str
    brand: str
    language: str
    blurb: str
    facts: tuple[str, ...]
    price: Decimal
    stock: int | None

    def money(self, currency: str) -> Money:
        """The price in that currency; decimals it does not have are cut off."""
        return Money(int(self.price.scaleb(exponent_of(currency))), currency)


GOODS = (
    Good(
        slug="qinghua-teacup",
        sku="CUP-08",
        gtin="6901234500080",
        title="青花瓷茶杯",
        brand="景德小窑",
        language="zh-CN",
        blurb="手绘缠枝莲纹，釉下青花，一千三百度烧成。一杯一画，没有两只完全相同。",
        facts=("容量 180 毫升", "高 6.5 厘米", "可用洗碗机清洗"),
        price=Decimal("199.00"),
        stock=12,
    ),
    Good(
        slug="walnut-desk-lamp",
        sku="LAMP-02",
        gtin="4006381333931",
        title="Walnut desk lamp",
        brand="Nook & Beam",
        language="en",
        blurb="A turned walnut foot, a linen shade, and a light that is kind to tired eyes.",
        facts=("2,700 K, dimmable by touch", "38 cm high", "2 m cloth cable"),
        price=Decimal("349.00"),
        stock=5,
    ),
    Good(
        slug="last-red-umbrella",
        sku="RAIN-01",
        gtin="5901234123457",
        title="The last red umbrella",
        brand="Drizzle",
        language="en",
        blurb="The workshop has closed and this is the one that is left. It has never seen rain.",
        facts=("Ash handle", "Eight steel ribs", "Only one"),
        price=Decimal("89.00"),
        stock=1,
    ),
    Good(
        slug="stoneware-pour-over",
        sku="BREW-04",
        gtin="9780201379624",
        title="Stoneware pour-over",
        brand="Kiln Street",
        language="en",
        blurb="Slow coffee for one or two. Every one of the last firing found a home.",
        facts=("For size 02 filters", "Holds 500 ml", "The next firing is in spring"),
        price=Decimal("128.00"),
        stock=0,
    ),
    Good(
        slug="linen-tote",
        sku="BAG-11",
        gtin="0036000291452",
        title="Linen tote with a pocket",
        brand="Nook & Beam",
        language="en",
        blurb="Washed linen that gets softer each year, and a pocket where keys stay found.",
        facts=("38 × 40 cm", "Carries 12 kg", "Sewn in Porto"),
        price=Decimal("59.00"),
        stock=40,
    ),
    Good(
        slug="city-birds-ebook",
        sku="BOOK-EPUB-3",
        gtin="9783161484100",
        title="City Birds: a field guide (e-book)",
        brand="Rooftop Press",
        language="en",
        blurb="Sixty birds that live between our chimneys, with drawings and their songs.",
        facts=("EPUB and PDF, 212 pages", "No copy protection", "Yours the moment it is paid"),
        price=Decimal("29.90"),
        stock=None,
    ),
)

GOOD_BY_SLUG = {good.slug: good for good in GOODS}
