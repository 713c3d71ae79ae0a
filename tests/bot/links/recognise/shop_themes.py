"""Pages as shop software draws them, without any data for machines, in a dozen languages.

The markup is cut down to what a theme's names and order say: heading, price, the price before a
reduction, stock, the button that buys, and cards of other products.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """What a shop says in one language, and the locale and currency it counts in."""

    tag: str
    locale: str
    currency: str
    tld: str
    buy: str
    there: str
    gone: str
    stock_label: str
    price_label: str
    old_label: str
    tell_me: str
    cart: str
    shoes: str


LANGUAGES = (
    Language("en-US", "en_US", "USD", "com", "Add to Cart", "In Stock", "Out of Stock",
             "Availability", "Price", "Old price", "Notify me when available", "Cart", "Shoes"),
    Language("en-GB", "en_GB", "GBP", "co.uk", "Add to basket", "In stock", "Out of stock",
             "Availability", "Price", "Was", "Email me when back in stock", "Your basket", "Shoes"),
    Language("de-DE", "de_DE", "EUR", "de", "In den Warenkorb", "Sofort lieferbar", "Ausverkauft",
             "Verfügbarkeit", "Preis", "Statt", "Benachrichtigen", "Warenkorb", "Schuhe"),
    Language("de-CH", "de_CH", "CHF", "ch", "In den Warenkorb", "An Lager", "Nicht lieferbar",
             "Lieferstatus", "Preis", "Statt", "Benachrichtigen", "Warenkorb", "Schuhe"),
    Language("fr-FR", "fr_FR", "EUR", "fr", "Ajouter au panier", "En stock", "Rupture de stock",
             "Disponibilité", "Prix", "Au lieu de", "Prévenez-moi", "Panier", "Chaussures"),
    Language("pl-PL", "pl_PL", "PLN", "pl", "Dodaj do koszyka", "Produkt dostępny",
             "Produkt niedostępny", "Dostępność", "Cena", "Cena regularna", "Powiadom", "Koszyk",
             "Buty"),
    Language("sv-SE", "sv_SE", "SEK", "se", "Lägg i varukorgen", "I lager", "Slut i lager",
             "Lagerstatus", "Pris", "Ord. pris", "Bevaka", "Varukorg", "Skor"),
    Language("ja-JP", "ja_JP", "JPY", "jp", "カートに入れる", "在庫あり", "在庫切れ", "在庫",
             "価格", "通常価格", "再入荷のお知らせ", "カート", "靴"),
    Language("pt-BR", "pt_BR", "BRL", "com.br", "Adicionar ao carrinho", "Em estoque", "Esgotado",
             "Disponibilidade", "Preço", "Preço anterior", "Avise-me", "Carrinho", "Sapatos"),
    Language("he-IL", "he_IL", "ILS", "co.il", "הוסף לסל", "במלאי", "אזל מהמלאי", "זמינות",
             "מחיר", "מחיר קודם", "עדכנו אותי", "סל קניות", "נעליים"),
    Language("ru-RU", "ru_RU", "RUB", "ru", "Добавить в корзину", "В наличии", "Нет в наличии",
             "Наличие", "Цена", "Старая цена", "Сообщить о поступлении", "Корзина", "Обувь"),
    Language("es-ES", "es_ES", "EUR", "es", "Añadir a la cesta", "En stock", "Agotado",
             "Disponibilidad", "Precio", "Antes", "Avísame", "Carrito", "Zapatos"),
    Language("ro-RO", "ro_RO", "RON", "ro", "Adaugă în coș", "În stoc", "Stoc epuizat",
             "Disponibilitate", "Preț", "Preț vechi", "Anunță-mă", "Coș de cumpărături", "Pantofi"),
)  # fmt: skip


@dataclass(frozen=True)
class Product:
    """What a page shows: amounts as written, and whether the product is gone.

    `old` is empty where nothing is reduced, `other` what other products cost.
    """

    said: Language
    price: str
    old: str
    other: str
    gone: bool

    @property
    def stock(self) -> str:
        """What is said of it."""
        return self.said.gone if self.gone else self.said.there

    def if_old(self, markup: str) -> str:
        """`markup` where there is a price before a reduction."""
        return markup if self.old else ""

    def if_there(self, markup: str, otherwise: str = "") -> str:
        """`markup` where it is there."""
        return otherwise if self.gone else markup

    def cards(self, card: str, price: str) -> str:
        """Three other products, by the classes of their cards and prices."""
        return "".join(
            f'<div class="{card}"><a href="/p/other-{n}"><img src="/{n}.jpg" alt=""></a>'
            f'<h3><a href="/p/other-{n}">Other {n}</a></h3>'
            f'<div class="{price}">{self.other}</div><button>{self.said.buy}</button></div>'
            for n in range(3)
        )


Theme = Callable[[Product], str]
NAME = "Qorvex 300"


def _woocommerce(p: Product) -> str:
    def amount(written: str) -> str:
        return f'<span class="woocommerce-Price-amount amount"><bdi>{written}</bdi></span>'

    old = p.if_old(f"<del aria-hidden='true'>{amount(p.old)}</del>")
    buy = f'<button name="add-to-cart" class="single_add_to_cart_button">{p.said.buy}</button>'
    return (
        f'<body class="single single-product woocommerce"><div class="summary entry-summary">'
        f'<h1 class="product_title">{NAME}</h1><p class="price">{old} {amount(p.price)}</p>'
        f'<p class="stock">{p.stock}</p>{p.if_there(buy)}</div>'
        f'<section class="related products">{p.cards("product", "price")}</section></body>'
    )


def _magento(p: Product) -> str:
    old = p.if_old(
        f'<span class="old-price"><span class="price-label">{p.said.old_label}</span>'
        f'<span class="price">{p.old}</span></span>'
    )
    buy = f'<button id="product-addtocart-button">{p.said.buy}</button>'
    return (
        f'<body class="catalog-product-view"><main><h1 class="page-title">{NAME}</h1>'
        f'<div class="price-box price-final_price"><span class="special-price">'
        f'<span class="price">{p.price}</span></span>{old}</div><div class="stock" '
        f'title="{p.said.stock_label}"><span>{p.stock}</span></div>{p.if_there(buy)}</main>'
        f'<div class="block related">{p.cards("item product product-item", "price-box")}</div>'
    )


def _prestashop(p: Product) -> str:
    old = p.if_old(
        f'<div class="product-discount"><span class="regular-price">{p.old}</span></div>'
    )
    gone = f'<span id="product-availability">{p.stock}</span>'
    return (
        f'<body id="product"><div class="row"><h1 class="h1">{NAME}</h1>'
        f'<div class="product-prices">{old}<div class="product-price"><div class="current-price">'
        f'<span>{p.price}</span></div></div></div><form><button class="btn add-to-cart" '
        f"{p.if_there('', 'disabled')}>{p.said.buy}</button>{p.if_there('', gone)}</form></div>"
    )


def _opencart(p: Product) -> str:
    old = p.if_old(f'<li><span style="text-decoration: line-through;">{p.old}</span></li>')
    return (
        f'<body><div id="cart"><button><span id="cart-total">0</span></button></div>'
        f'<div id="content"><h1>{NAME}</h1><ul class="list-unstyled">'
        f'<li>{p.said.stock_label}: {p.stock}</li></ul><ul class="list-unstyled">{old}'
        f'<li><h2>{p.price}</h2></li></ul><button id="button-cart">{p.said.buy}</button>'
        f'<div class="row">{p.cards("product-thumb", "price")}</div></div></body>'
    )


def _bigcommerce(p: Product) -> str:
    old = p.if_old(
        f'<div class="price-section non-sale-price--withoutTax"><span class="price-was-label">'
        f'{p.said.old_label}:</span><span class="price price--non-sale">{p.old}</span></div>'
    )
    buy = f'<input class="button" type="submit" value="{p.said.buy}">'
    return (
        f'<body><div class="productView"><h1 class="productView-title">{NAME}</h1>'
        f'<div class="productView-price">{old}<div class="price-section"><span class="price '
        f'price--withoutTax">{p.price}</span></div></div><dl><dt>{p.said.stock_label}:</dt>'
        f"<dd>{p.stock}</dd></dl>{p.if_there(buy)}</div>{p.cards('card', 'price-section')}</body>"
    )


def _shopware(p: Product) -> str:
    listed = p.if_old(f'<span class="list-price"><span>{p.old}*</span></span>')
    buy = f'<button class="btn-buy">{p.said.buy}</button>'
    return (
        f'<body class="is-ctl-product"><div><h1 class="product-detail-name">{NAME}</h1>'
        f'</div><div class="product-detail-buy"><p class="product-detail-price '
        f'{p.if_old("with-list-price")}">{p.price}*</p>{listed}<p class="delivery-information '
        f'delivery-{p.if_there("available", "soldout")}">{p.stock}</p>{p.if_there(buy)}</div>'
        f"{p.cards('card product-box', 'product-price-info')}</body>"
    )


def _nopcommerce(p: Product) -> str:
    old = p.if_old(
        f'<div class="old-product-price"><label>{p.said.old_label}:</label>'
        f"<span>{p.old}</span></div>"
    )
    buy = f'<button class="add-to-cart-button">{p.said.buy}</button>'
    return (
        f'<body><div class="overview"><h1>{NAME}</h1><div class="availability"><div class="stock">'
        f'<span class="label">{p.said.stock_label}:</span><span class="value">{p.stock}</span>'
        f'</div></div><div class="prices">{old}<div class="product-price"><label>'
        f"{p.said.price_label}:</label><span>{p.price}</span></div></div>{p.if_there(buy)}</div>"
        f'<div class="related-products-grid">{p.cards("item-box", "prices")}</div></body>'
    )


def _salesforce(p: Product) -> str:
    old = p.if_old(
        f'<del><span class="strike-through list"><span class="value">{p.old}</span></span></del>'
    )
    return (
        f'<body><div class="product-detail"><h1 class="product-name">{NAME}</h1>'
        f'<div class="prices"><div class="price"><span>{old}<span class="sales"><span '
        f'class="value">{p.price}</span></span></span></div></div><button class="add-to-cart" '
        f'{p.if_there("", "disabled")}>{p.said.buy}</button><ul class="availability-msg"><li>'
        f"{p.stock}</li></ul></div>"
        f'<div class="recommendations">{p.cards("product-tile", "price")}</div></body>'
    )


def _vtex(p: Product) -> str:
    name = "vtex-product-price-1-x"
    parts = "".join(
        f'<span class="{name}-currency{"Integer" if part.isdigit() else "Code"}">{part}</span>'
        for part in _parts(p.price)
    )
    old = p.if_old(f'<span class="{name}-listPrice strike"><span>{p.old}</span></span>')
    buy = f'<button class="vtex-button"><span>{p.said.buy}</span></button>'
    gone = f"<div>{p.stock}</div><button>{p.said.tell_me}</button>"
    return (
        f'<body><h1 class="vtex-store-components-3-x-productNameContainer">{NAME}</h1>{old}'
        f'<span class="{name}-sellingPrice"><span class="{name}-currencyContainer">{parts}</span>'
        f"</span>{p.if_there(buy, gone)}</body>"
    )


def _utilities(p: Product) -> str:
    """Classes that say how things look and never what they are."""
    old = p.if_old(f'<span class="text-gray-400 line-through">{p.old}</span>')
    buy = f'<button class="w-full rounded">{p.said.buy}</button>'
    gone = f'<button class="w-full rounded" disabled>{p.stock}</button>'
    others = "".join(
        f'<a href="/p/o{n}" class="group"><img src="/{n}.jpg"><h3>Other</h3><p>{p.other}</p></a>'
        for n in range(3)
    )
    return (
        f'<body><main><div class="grid grid-cols-2"><div class="space-y-4"><h1 class="text-3xl">'
        f'{NAME}</h1><p class="text-2xl">{old} <span class="font-semibold">{p.price}</span></p>'
        f'{p.if_there(buy, gone)}</div></div><div class="grid">{others}</div></main></body>'
    )


def _hashed(p: Product) -> str:
    """Classes that a program made up."""
    old = p.if_old(f'<span class="x1" style="text-decoration:line-through">{p.old}</span>')
    buy = f'<button class="b1"><span>{p.said.buy}</span></button>'
    gone = f'<button class="b1" disabled><span>{p.stock}</span></button>'
    return (
        f'<body><article class="s1"><section><h1 class="_2qrJF">{NAME}</h1><div class="x4">{old}'
        f'<span class="_26qxh">{p.price}</span></div>{p.if_there(buy, gone)}</section></article>'
    )


def _plain(p: Product) -> str:
    """A shop that somebody wrote himself."""
    old = p.if_old(f'<span class="old-price">{p.old}</span>')
    buy = f'<button class="btn">{p.said.buy}</button>'
    return (
        f'<body><h1>{NAME}</h1><div class="price">{old}<span>{p.price}</span></div>'
        f'<div class="stock">{p.stock}</div>{p.if_there(buy)}'
        f'<div class="related">{p.cards("card", "price")}</div></body>'
    )


def _parts(written: str) -> list[str]:
    """A price in its currency, its groups of digits and its marks."""
    return re.findall(r"[0-9]+|[.,’]|[^0-9.,’\s]+", written)


THEMES: dict[str, Theme] = {
    "woocommerce": _woocommerce, "magento": _magento, "prestashop": _prestashop,
    "opencart": _opencart, "bigcommerce": _bigcommerce, "shopware": _shopware,
    "nopcommerce": _nopcommerce, "salesforce": _salesforce, "vtex": _vtex,
    "utility classes": _utilities, "made-up classes": _hashed, "hand-made": _plain,
}  # fmt: skip
#: Where nothing but how it is drawn, by names of its own, tells a price before a reduction.
WITHOUT_LIST_PRICE = frozenset({"vtex"})
