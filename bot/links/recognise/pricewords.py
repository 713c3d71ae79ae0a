"""Words beside an amount that say what kind of price it is, in many languages."""

import re

#: They call the number beside them a price, or say that it is with tax.
PRICE_WORDS = re.compile(
    r"price|preis|prix|precio|preço|prezzo|prijs|cena|цена|ціна|fiyatı?|السعر|سعر|מחיר|価格|价格"
    r"|價格|售价|售價|가격|판매가|harga|hinta|preț|τιμή|ราคา|incl?\.|tax|vat|mwst|inkl\.|ttc|tva"
    r"|iva|kdv|dahil|税込|税抜|税別|含稅|含税|未稅|판매금액|giá|narx|qiymət|ár\b|verð|pris|kaina|cijena"
    r"|قیمت|بها|বিক্রয়|দাম|মূল্য|कीमत|मूल्य|விலை|ధర|ფასი|գին|бағасы|қиммат|hind\b|ціну|dph|moms|ддс"
    r"|пдв|ндс|αξία|φπα|pvp|tarifa|bedrag|mrp|m\.r\.p\.|ppn|gst|hst",
    re.IGNORECASE,
)
#: They call the number beside them what it cost before, or what others ask.
OLD_WORDS = re.compile(
    r"\b(?:uvp|rrp|msrp|was|list price|retail price|statt|vorher|bisher|au lieu de|prix conseillé"
    r"|prix public|antes|precio anterior|prezzo di listino|anziché|adviesprijs|ord\.? pris|førpris"
    r"|tidigare|původně|původní cena|běžná cena|zamiast|cena katalogowa|старая цена|обычная цена"
    r"|liste fiyatı|eski fiyat|önceki fiyat|indirimsiz fiyat|normal fiyat|précédemment|ancien prix"
    r"|precio original|precio normal|precio lista|precio de lista|precio regular|preço original"
    r"|preço normal|preço anterior|preço de lista|prezzo originale|prezzo precedente|van voor"
    r"|oude prijs|normale prijs|cena regularna|cena pierwotna|poprzednia cena|najniższa cena|dříve"
    r"|před slevou|pôvodná cena|bežná cena|predtým|eredeti ár|régi ár|korábbi ár|listaár|preț vechi"
    r"|pret vechi|preț întreg|preț recomandat|prp|stara cijena|redovna cijena|stara cena"
    r"|redna cena|ordinarie pris|rek\.? pris|tidigare pris|normalpris|før(?:pris)?|veil\.? pris"
    r"|vejl\.? pris|veiledende|vejledende|norm\.?|ovh|suositushinta|tavahind|parastā cena"
    r"|sena kaina|αρχική τιμή|προηγούμενη τιμή|цена без скидки|прежняя цена|стара ціна"
    r"|звичайна ціна|стара цена|редовна цена|giá cũ|giá gốc|giá niêm yết|giá thị trường"
    r"|harga normal|harga awal|harga asli|harga coret|harga lama|verð áður)\b"
    r"|السعر الأصلي|السعر السابق|السعر القديم|قبل الخصم|قیمت قبلی|قیمت اصلی|قبل از تخفیف"
    r"|מחיר קודם|מחיר מקורי|מחיר מחירון|במקום|ราคาปกติ|ราคาเต็ม|ราคาเดิม|定価|参考価格|希望小売価格"
    r"|通常価格|メーカー希望|市場價|市场价|原價|原价|定價|划线价|劃線價|門市價|门市价|建議售價|建议零售价"
    r"|吊牌价|官方价|정가|소비자가|시중가|정상가|권장소비자가|할인 전",
    re.IGNORECASE,
)
#: They say that the number beside them is paid every month, or by who takes many.
PART_WORDS = re.compile(
    r"\b(?:as low as|per month|a month|monthly|pro monat|monatlich|mtl|par mois|al mese|al mes"
    r"|por mes|por mês|miesięcznie|měsíčně|mesačne|в месяц|ayda|per maand|i måneden|i månaden)\b"
    r"|/ ?(?:mo(?:nth)?|monat|mois|mese|mes|mês|мес|ay|mies|měs|md|mnd|mån|kk|hó|lună|luna)\b|月々"
    r"|每月|每期|分期|월|개월|mỗi tháng|/ ?tháng|per bulan|/ ?bulan|ต่อเดือน|شهري|ماهانه|ماهیانه"
    r"|לחודש|μήνα|месечно|mensual|mensais",
    re.IGNORECASE,
)
