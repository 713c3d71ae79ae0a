"""Words beside an amount that say what kind of price it is, in many languages."""

import re

#: They call the number beside them a price, or say that it is with tax.
PRICE_WORDS = re.compile(
    r"price|preis|prix|precio|preço|prezzo|prijs|cena|цена|ціна|fiyatı?|السعر|سعر|מחיר|価格|价格"
    r"|價格|售价|售價|가격|판매가|harga|hinta|preț|τιμή|ราคา|incl?\.|tax|vat|mwst|inkl\.|ttc|tva"
    r"|iva|kdv|dahil|税込",
    re.IGNORECASE,
)
#: They call the number beside them what it cost before, or what others ask.
OLD_WORDS = re.compile(
    r"\b(?:uvp|rrp|msrp|was|list price|retail price|statt|vorher|bisher|au lieu de|prix conseillé"
    r"|prix public|antes|precio anterior|prezzo di listino|anziché|adviesprijs|ord\.? pris|førpris"
    r"|tidigare|původně|původní cena|běžná cena|zamiast|cena katalogowa|старая цена|обычная цена"
    r"|liste fiyatı)\b|定価|参考価格|希望小売価格|市場價|市场价|原價|原价|定價|정가|소비자가",
    re.IGNORECASE,
)
#: They say that the number beside them is paid every month, or by who takes many.
PART_WORDS = re.compile(
    r"\b(?:as low as|per month|a month|monthly|pro monat|monatlich|mtl|par mois|al mese|al mes"
    r"|por mes|por mês|miesięcznie|měsíčně|mesačne|в месяц|ayda|per maand|i måneden|i månaden)\b"
    r"|/ ?(?:mo(?:nth)?|monat|mois|mese|mes|mês|мес)\b|月々|월",
    re.IGNORECASE,
)
