"""Words beside an amount that say what kind of price it is, in many languages."""

import re

#: They call the number beside them a price, or say that it is with tax.
_PLAIN_PRICE = (
    r"price|preis|prix|precio|prezzo|prijs|cena|fiyatı?|harga|hinta|incl?\.|tax|vat|mwst|inkl\.|ttc|tva"
    r"|iva|kdv|dahil|narx|pris|kaina|cijena|hind\b|dph|moms|pvp|tarifa|bedrag|mrp|m\.r\.p\.|ppn"
    r"|gst|hst"
)
_PLAIN_PRICE_WORDS = re.compile(_PLAIN_PRICE, re.IGNORECASE)
_PRICE_WORDS = re.compile(
    _PLAIN_PRICE + r"|preço|цена|ціна|ціну|السعر|سعر|מחיר|価格|价格|價格|售价|售價|가격|판매가"
    r"|preț|τιμή|ราคา|税込|税抜|税別|含稅|含税|未稅|판매금액|giá|qiymət|preu|prys|តម្លៃ|ár\b|verð|قیمت|بها|দাম|মূল্য"
    r"|कीमत|क़ीमत|मूल्य|விலை|ధర|ფასი|գին|бағасы|қиммат|ддс|пдв|ндс|αξία|φπα",
    re.IGNORECASE,
)
#: In lower case, what calls the number beside it what it cost before, or what others ask.
_OLD = (
    "uvp", "rrp", "msrp", "was", "list price", "retail price", "statt", "vorher", "bisher",
    "au lieu de", "prix conseillé", "prix public", "antes", "precio anterior",
    "prezzo di listino", "anziché", "adviesprijs", "ord pris", "førpris", "tidigare", "původně",
    "původní cena", "běžná cena", "zamiast", "cena katalogowa", "старая цена", "обычная цена",
    "liste fiyatı", "eski fiyat", "önceki fiyat", "indirimsiz fiyat", "normal fiyat",
    "précédemment", "ancien prix", "precio original", "precio normal", "precio lista",
    "precio de lista", "precio regular", "preço original", "preço normal", "preço anterior",
    "preço de lista", "prezzo originale", "prezzo precedente", "van voor", "oude prijs",
    "normale prijs", "cena regularna", "cena pierwotna", "poprzednia cena", "najniższa cena",
    "dříve", "před slevou", "pôvodná cena", "bežná cena", "predtým", "eredeti ár", "régi ár",
    "korábbi ár", "listaár", "preț vechi", "pret vechi", "preț întreg", "preț recomandat",
    "prp", "stara cijena", "redovna cijena", "stara cena", "redna cena", "ordinarie pris",
    "rek pris", "tidigare pris", "normalpris", "før", "veil pris", "vejl pris", "veiledende",
    "vejledende", "norm", "ovh", "suositushinta", "tavahind", "parastā cena", "sena kaina",
    "αρχική τιμή", "προηγούμενη τιμή", "цена без скидки", "прежняя цена", "стара ціна",
    "звичайна ціна", "стара цена", "редовна цена", "giá cũ", "giá gốc", "giá niêm yết",
    "giá thị trường", "harga normal", "harga awal", "harga asli", "harga coret", "harga lama",
    "verð áður", "original price", "ursprünglicher preis", "prix d'origine", "prix d’origine",
    "preu original", "originalna cijena", "prvotna cena", "oryginalna cena",
    "oorspronkelijke prijs",
    "ursprungligt pris", "upprunalegt verð", "pradinė kaina", "preț original", "orjinal fiyat",
    "çmimi fillestar", "исходная цена", "оригинална цена", "початкова ціна", "жинхэнэ үнэ",
    # What shops of the European Union have to say: the lowest price of the last thirty days.
    "lowest price in the last", "lowest price of the last", "lowest recent price",
    "niedrigster preis", "tage-bestpreis", "prix récent le plus bas", "prix le plus bas",
    "precio más bajo", "precio mínimo", "prezzo più basso", "preço mais baixo", "laagste prijs",
    "lägsta pris", "laveste pris", "alin hinta", "nejnižší cena", "najnižšia cena",
    "najnižja cena", "najniža cijena", "cel mai mic preț", "най-ниска цена",
    "χαμηλότερη τιμή", "legalacsonyabb ár", "madalaim hind", "zemākā cena", "žemiausia kaina",
)  # fmt: skip
#: The same in scripts that join words, or put no blank between them.
_OLD_JOINED = re.compile(
    r"السعر الأصلي|السعر السابق|السعر القديم|قبل الخصم|قیمت قبلی|قیمت اصلی|قبل از تخفیف"
    r"|قيمت ابتدایی"
    r"|מחיר קודם|מחיר מקורי|מחיר מחירון|במקום|ราคาปกติ|ราคาเต็ม|ราคาเดิม|定価|参考価格"
    r"|希望小売価格|通常価格|メーカー希望|市場價|市场价|原價|原价|定價|划线价|劃線價|門市價"
    r"|门市价|建議售價|建议零售价|吊牌价|官方价|정가|소비자가|시중가|정상가|권장소비자가"
    r"|할인 전"
)
_WORD = re.compile(r"[^\W\d_]+")
#: The words by which such a text may begin, which is told quickest.
_OLD_FIRST = frozenset(_WORD.findall(phrase)[0] for phrase in _OLD)
_OLD_WORDS = re.compile(rf"\b(?:{'|'.join(map(re.escape, _OLD))})\b")
_ABBREVIATION = re.compile(r"(?<=\w)\. ?(?=\w)")
#: They say that the number beside them is paid every month, or by who takes many.
PART_WORDS = re.compile(
    r"\b(?:as low as|per month|a month|monthly|pro monat|monatlich|mtl|par mois|al mese|al mes"
    r"|por mes|por mês|miesięcznie|měsíčně|mesačne|в месяц|ayda|per maand|i måneden|i månaden)\b"
    r"|/ ?(?:h|std|hour|stunde|heure|hora|ora|godz|час)\b"
    r"|/ ?(?:mo(?:nth)?|monat|mois|mese|mes|mês|мес|ay|mies|měs|md|mnd|mån|kk|hó|lună|luna)\b|月々"
    r"|每月|每期|分期|월|개월|mỗi tháng|/ ?tháng|per bulan|/ ?bulan|ต่อเดือน|شهري|ماهانه|ماهیانه"
    r"|לחודש|μήνα|месечно|mensual|mensais",
    re.IGNORECASE,
)

#: They say of a price only that it is today's, or this shop's.
_OF_TODAY = frozenset(
    {"now", "only", "just", "today", "our", "sale", "special", "current", "nur", "jetzt", "heute",
     "unser", "aktuell", "seulement", "maintenant", "notre", "actuel", "solo", "sólo", "hoy",
     "ahora", "nuestro", "ora", "adesso", "nostro", "agora", "hoje", "nosso", "nu", "nå", "nyt",
     "alleen", "vandaag", "onze", "teraz", "dziś", "nasza", "nyní", "teď", "naše", "сейчас",
     "сегодня", "наша"}
)  # fmt: skip
#: `10+` is the lowest of several, `~10` nearly that much.
_INEXACT = frozenset("+~≈≥≤<>")


def says_more_than_price(text: str) -> bool:
    """Whether a text with a number, and no sign of a currency, has words that are not a price's.

    `from`, `per month`, `/kg` and their like in any language are; so is any word not known.
    """
    words = _WORD.findall(without_price_words(text).lower())
    return not _OF_TODAY.issuperset(words) or not _INEXACT.isdisjoint(text)


def without_price_words(text: str) -> str:
    """A text without what only says that the number in it is a price."""
    return (_PLAIN_PRICE_WORDS if text.isascii() else _PRICE_WORDS).sub("", text)


def calls_it_old(text: str) -> bool:
    """Whether the words around a number call it what it cost before, or what others ask."""
    lowered = text.lower()
    begins = not _OLD_FIRST.isdisjoint(_WORD.findall(lowered))
    if begins and _OLD_WORDS.search(_ABBREVIATION.sub(" ", lowered)) is not None:
        return True
    return not text.isascii() and _OLD_JOINED.search(text) is not None
