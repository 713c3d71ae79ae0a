"""Parameters of an address that may choose what its page sells, and so what it costs.

Only words that shop software uses whatever the shop, in the languages that it is written in. One
too many makes a product more; one too few would sell one thing at another one's price.
"""

import re
from functools import cache, lru_cache
from urllib.parse import unquote_plus

_CONVENTIONS = """
id ids sku spu pid spec specs asin ean gtin upc isbn mpn no nr num number code p psc th wid
model modell edition version size color colour style option item product prod prd prdt goods it
article artikel art articolo articulo articul produkt produit prodotto producto produto brand
offer seller vendor merchant store variant variation variante variacion variacao var attribute
weight length width height depth diameter material fabric flavor flavour taste scent pack
package bundle set qty quantity volume capacity storage memory ram plan tier duration date seats
condition grade finish strength dosage format binding fit shade pattern design
currency cur country region market
farbe farben größe groesse grosse menge gewicht länge laenge breite sorte packung
couleur taille poids quantite quantité parfum matiere matière longueur
color talla tamaño tamano peso cantidad sabor cor tamanho quantidade
colore taglia quantita quantità gusto misura kleur maat aantal smaak
kolor rozmiar waga barva velikost farba veľkosť hmotnost szin szín meret méret
färg farge storlek størrelse koko väri renk beden boyut agirlik ağırlık
цвет размер вес артикул колір розмір вага товар
颜色 顏色 尺寸 尺码 规格 規格 型号 款式 商品 色 サイズ カラー 重量 容量 数量
색상 사이즈 용량 옵션
"""
#: Words that begin names of this kind, whatever follows: `variantSku`, `attribute1`, `optionColor`.
_BEGINNINGS = (
    "variant", "variation", "attribut", "option", "product", "produkt", "produit", "artikel",
    "article", "colour", "color", "goods", "sku",
)  # fmt: skip
#: What stands behind them: `goodsno`, `branduid`, `sizes`.
_ENDING = re.compile(r"(?:uid|ids?|no|nr|num|number|code|key|name|s|[0-9]+)\Z")
_WORD = re.compile(r"[^\W_]+")


def choices(query: str) -> dict[str, list[str]]:
    """The parameters in `query` (without its `?`) that may choose, as written, by their names."""
    found: dict[str, list[str]] = {}
    for pair in query.split("&"):
        name = unquote_plus(pair.partition("=")[0]).lower()
        if _chooses(name):
            found.setdefault(name, []).append(pair)
    return found


def value_of(pair: str) -> str:
    """What a parameter says, as it is meant."""
    return unquote_plus(pair.partition("=")[2])


@lru_cache(maxsize=512)
def _chooses(name: str) -> bool:
    return any(
        word in _words() or word.startswith(_BEGINNINGS) or _ENDING.sub("", word) in _words()
        for word in _WORD.findall(name)
    )


@cache
def _words() -> frozenset[str]:
    return frozenset(_CONVENTIONS.split())
