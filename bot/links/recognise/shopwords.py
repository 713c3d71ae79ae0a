"""Words by which shops of many languages say price, cart, in stock and sold out.

Conventions of shop software and plain language; never a site's own.
"""

import re

#: In class names and ids of elements that hold a price.
PRICE_NAMES = ("price", "preis", "prijs", "prix", "preci", "prec", "prezz", "cena", "amount",
               "kaina", "hinta", "harga", "fiyat")  # fmt: skip

CURRENT_NAME = re.compile(
    r"current|sale|special|final|now|actual|main|our|promo|buy|sell|product|total|value|akci|new|neu",
    re.IGNORECASE,
)
#: Among those that are not the current price: what it was before.
OLD_NAME = re.compile(
    r"(?<![bghs])old(?!er)|was\b|was-|-was|list-?price|rrp|msrp|uvp|regular|before|orig|strike"
    r"|compare|prev|barrato|barre|ancien|altpreis|stara|skreslen",
    re.IGNORECASE,
)
OTHER_NAME = re.compile(
    r"(?<![bghs])old(?!er)|was\b|was-|-was|list-?price|rrp|msrp|uvp|regular|before|orig|strike|cross|compare|prev"
    r"|sav(?:e|ing)|discount|shipping|deliver|versand|unit|per-|month|install?ment|financ|deposit"
    r"|credit|from-|min-?price|max-?price|filter|range|tax|vat|histor|rabat|bonus|point|coupon"
    r"|barrato|barre|ancien|altpreis|stara|label|title|badge|advis|retail|free|refund|trade-?in"
    r"|average|similar|market",
    re.IGNORECASE,
)
OTHER_PLACE = re.compile(
    r"relat|simil|recommend|carousel|slider|swiper|upsell|cross|also|recent|mini-?cart|basket"
    r"|cart-|header|footer|\bnav|menu|aside|sidebar|access|bundle|listing|grid|review|compar"
    r"|popular|trend|sponsor|\bads?\b|banner|suggest|other|viewed|history|shipping|deliver|bid"
    r"|finance|filter|tooltip|popup|together|subscri|service|warrant|insur|variant|option",
    re.IGNORECASE,
)
PRODUCT_PLACE = re.compile(
    r"product|detail|pdp|buy|purchase|item|summary|main|add-?to", re.IGNORECASE
)
#: In lower case, on or around the buttons of a page that sells what it shows.
ADD_TO_CART = (
    "add to cart", "add to basket", "add to bag", "add to trolley", "add-to-cart", "add-to-basket",
    "add-to-bag", "addtocart", "addtobasket", "addtobag", "add_to_cart", "add_to_basket",
    "add-cart", "btn-cart", "cart-btn", "cart-form", "cartform", "buy now", "buy it now", "buynow",
    "buy-now", "btn-buy", "buy-btn", "buy-button", "order now", "place bid", "in den warenkorb",
    "ajouter au panier", "aggiungi al carrello", "acquista ora", "al carrito", "ao carrinho",
    "comprar ahora", "カートに", "加入购物车", "加入購物車", "放入購物車", "立即购买", "立即購買",
    "장바구니", "구매하기", "в корзину", "до кошика", "do košík", "do košar", "u košaric",
    "v košaric", "do koszyka", "winkelwagen", "sepete ekle", "kundvagn", "handlekurv",
    "læg i kurv", "ostukorvi", "ostoskoriin", "grozam", "krepšel", "kosárba", "în coș",
    "в количката", "καλάθι", "לסל", "أضف إلى",
)  # fmt: skip
#: In lower case, where a page speaks of its stock and the product is gone.
SOLD_OUT = (
    "out of stock", "sold out", "currently unavailable", "no longer available", "ausverkauft",
    "nicht auf lager", "nicht verfügbar", "nicht lieferbar", "rupture de stock", "épuisé",
    "agotado", "sin existencias", "esaurito", "non disponibile", "esgotado", "indisponível",
    "uitverkocht", "slutsåld", "udsolgt", "utsolgt", "loppu varastosta", "нет в наличии",
    "немає в наявності", "brak w magazynie", "niedostępn", "vypredané", "vyprodáno",
    "není skladem", "nie je na sklade", "ni na zalogi", "nema na zalihi", "rasprodano",
    "läbi müüdud", "nav pieejams", "izpārdots", "išparduota", "elfogyott", "stoc epuizat",
    "tükendi", "stokta yok", "εξαντλ", "אזל", "نفد", "غير متوفر", "缺货", "缺貨", "售罄", "无货",
    "售完", "補貨中", "품절", "売り切れ", "在庫切れ", "在庫なし", "完売", "hết hàng", "stok habis",
)  # fmt: skip
