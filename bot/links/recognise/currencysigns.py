"""How the world writes its money: signs and words, and the ISO 4217 codes that each can mean."""

_DOLLARS = (
    "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BBD BMD BND BSD BZD FJD GYD JMD KYD LRD "
    "NAD SBD SRD TTD XCD DOP CUP"
)
_RUPEES = "INR PKR LKR NPR MUR SCR"
#: What each can mean; the first is meant where the page tells nothing, `-` is unknown. An Iranian
#: toman is ten rials, so it has no code: data that name the rial beside it are in doubt.
SIGNS = {
    "€": "EUR", "₹": "INR", "₽": "RUB", "руб": "RUB BYN", "₩": "KRW", "￦": "KRW", "원": "KRW",
    "円": "JPY", "zł": "PLN", "ZŁ": "PLN", "Kč": "CZK", "KČ": "CZK", "kč": "CZK", "Ft": "HUF",
    "лей": "MDL RON", "Лей": "MDL RON", "леев": "MDL RON", "лея": "MDL RON",
    "lei": "RON MDL", "Lei": "RON MDL", "LEI": "RON MDL", "лв": "BGN", "₴": "UAH",
    "грн": "UAH", "₺": "TRY", "TL": "TRY", "₪": "ILS", "₱": "PHP", "฿": "THB", "บาท": "THB",
    "₫": "VND", "VNĐ": "VND", "đ": "VND", "₸": "KZT", "₾": "GEL", "₦": "NGN", "₵": "GHS",
    "₡": "CRC", "₲": "PYG", "₼": "AZN", "֏": "AMD", "৳": "BDT", "R$": "BRL", "US$": "USD",
    "U$S": "USD", "US $": "USD", "A$": "AUD", "AU$": "AUD", "AU $": "AUD", "C$": "CAD NIO",
    "CA$": "CAD", "CDN$": "CAD",
    "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "RM": "MYR",
    "Rp": "IDR", "S/": "PEN", "KSh": "KES", "د.إ": "AED", "ر.س": "SAR", "kn": "HRK",
    "Kn": "HRK", "din": "- RSD MKD", "дин": "RSD", "Fr.": "CHF", "SFr.": "CHF", "CN¥": "CNY",
    "JP¥": "JPY", "SG$": "SGD", "RD$": "DOP", "TT$": "TTD", "BZ$": "BZD", "J$": "JMD", "N$": "NAD",
    "MX $": "MXN", "B/.": "PAB", "E£": "EGP", "L.E": "EGP", "ج.م": "EGP", "جنيه": "EGP SDG",
    "د.ك": "KWD", "د.ب": "BHD", "د.ا": "JOD", "د.أ": "JOD", "د.ت": "TND", "د.ج": "DZD",
    "د.م": "MAD", "د.ع": "IQD", "د.ل": "LYD", "ر.ق": "QAR", "ر.ع": "OMR", "ر.ي": "YER",
    "ل.ل": "LBP", "درهم": "- AED MAD", "ريال": "- SAR QAR OMR YER IRR",
    "دينار": "- KWD BHD JOD IQD TND DZD LYD", "₭": "LAK", "៛": "KHR", "₮": "MNT",
    "тенге": "KZT", "тг": "KZT", "сум": "UZS", "сўм": "UZS", "soʻm": "UZS", "so'm": "UZS",
    "сом": "KGS", "ден": "MKD", "ლარი": "GEL", "դրամ": "AMD", "đồng": "VND", "vnđ": "VND",
    "টাকা": "BDT", "Tk": "BDT", "රු": "LKR", "रु": "- INR NPR", "रू": "- INR NPR",
    "FCFA": "- XOF XAF", "CFA": "- XOF XAF", "Ksh": "KES", "KShs": "KES", "Kshs": "KES",
    "Euro": "EUR", "euro": "EUR", "EURO": "EUR", "Euros": "EUR", "euros": "EUR", "Php": "PHP",
    "TSh": "TZS", "USh": "UGX", "£": "GBP EGP LBP SYP SDG",
    "$": f"- {_DOLLARS}", "＄": f"- {_DOLLARS}",
    "kr": "- SEK NOK DKK ISK", "Kr": "- SEK NOK DKK ISK", "kr.": "- SEK NOK DKK ISK",
    "¥": "- CNY JPY", "￥": "- CNY JPY", "元": "- CNY TWD HKD", "Rs": f"- {_RUPEES}",
    "Rs.": f"- {_RUPEES}", "₨": f"- {_RUPEES}", "R": "- ZAR",
    "﷼": "- IRR SAR QAR OMR YER",
    # Chinese, Japanese and Korean, with the country's name or a power of ten in the word.
    "人民币": "CNY", "人民幣": "CNY", "新台幣": "TWD", "新臺幣": "TWD", "台幣": "TWD",
    "臺幣": "TWD",
    "港幣": "HKD", "港币": "HKD", "港元": "HKD", "日元": "JPY", "日圓": "JPY", "日币": "JPY",
    "日幣": "JPY", "美元": "USD", "美金": "USD", "欧元": "EUR", "歐元": "EUR", "英镑": "GBP",
    "英鎊": "GBP", "韩元": "KRW", "韓元": "KRW", "韓圜": "KRW", "泰铢": "THB", "泰銖": "THB",
    "米ドル": "USD", "ユーロ": "EUR", "万円": "JPY", "億円": "JPY", "圓": "- TWD HKD JPY",
    "万元": "- CNY TWD HKD", "萬元": "- TWD HKD CNY", "만원": "KRW", "천원": "KRW", "억원": "KRW",
    # Arabic, with the country, and as it is abbreviated with blanks; Persian and Urdu letters.
    "ريال سعودي": "SAR", "ريال قطري": "QAR", "ريال عماني": "OMR", "ريال يمني": "YER",
    "درهم إماراتي": "AED", "درهم اماراتي": "AED", "درهم مغربي": "MAD", "دينار كويتي": "KWD",
    "دينار بحريني": "BHD", "دينار أردني": "JOD", "دينار اردني": "JOD", "دينار عراقي": "IQD",
    "دينار تونسي": "TND", "دينار جزائري": "DZD", "دينار ليبي": "LYD", "جنيه مصري": "EGP",
    "جنيه سوداني": "SDG", "ليرة تركية": "TRY", "ليرة لبنانية": "LBP", "ليرة سورية": "SYP",
    "ر. س": "SAR", "د. إ": "AED", "د. ك": "KWD", "ج. م": "EGP", "ر. ق": "QAR", "ل.س": "SYP",
    "دج": "DZD", "ریال": "IRR", "تومان": "-", "تومن": "-", "Toman": "-",
    "روپے": "- PKR INR",
    'ש"ח': "ILS", "ש״ח": "ILS", "ש''ח": "ILS", "שקלים": "ILS", "שקל": "ILS",
    "रुपये": "- INR NPR", "रुपए": "- INR NPR", "ரூ": "- INR LKR", "రూ": "INR", "ರೂ": "INR",
    "രൂ": "INR", "રૂ": "INR",
    "Bs.": "- BOB VES", "Gs.": "PYG", "MXN$": "MXN", "AR$": "ARS", "COL$": "COP", "UY$": "UYU",
    "$U": "UYU", "CLP$": "CLP", "COP$": "COP", "ARS$": "ARS", "NT $": "TWD", "HK $": "HKD",
    "GH¢": "GHS", "Lekë": "ALL", "lekë": "ALL", "сомонӣ": "TJS", "төг": "MNT",
}  # fmt: skip
#: Words so short, or so often used otherwise, that they mean a currency only behind a number.
BEHIND_NUMBER = {
    "р": "RUB BYN", "Р": "RUB BYN", "р.": "RUB BYN", "Р.": "RUB BYN", "DT": "TND", "DA": "DZD",
    "DH": "- MAD AED", "Dh": "- MAD AED", "dh": "- MAD AED", "DHS": "- MAD AED",
    "Dhs": "- MAD AED", "dhs": "- MAD AED", "KD": "- KWD", "SR": "- SAR SCR", "zl": "PLN",
    "KM": "BAM", "LE": "EGP", "złotych": "PLN", "forint": "HUF", "Br": "- BYN ETB",
    "Bs": "- BOB VES", "DHs": "- MAD AED",
    "евро": "EUR", "ευρώ": "EUR", "лари": "GEL", "манат": "- AZN TMT",
    "lira": "- TRY", "Türk Lirası": "TRY", "엔": "JPY", "위안": "CNY", "유로": "EUR",
    "달러": f"- {_DOLLARS}", "ドル": f"- {_DOLLARS}",
}  # fmt: skip
