"""What a text says of a stock, in any language."""

import pytest

from bot.links.recognise.saidstock import said_availability, says_gone, tells_when_back

GONE = (
    "af: Nie in voorraad nie", "ar: نفذ المخزون", "ar: لا يوجد مخزون", "be: Няма ў наяўнасці",
    "bg: Неналично", "bg: Не е в наличност", "bn: স্টক শেষ", "ca: Fora d'estoc", "ca: Esgotat",
    "cs: Není k dispozici", "cs: Vyprodáno", "cy: Allan o stoc", "da: Ikke længere tilgængelig",
    "da: Udsolgt", "de: Zurzeit nicht lieferbar", "de: Ausverkauft", "el: Χωρίς απόθεμα",
    "el: Δεν είναι πλέον διαθέσιμο", "en: Sold out", "en: This item is unavailable",
    "es: Agotada", "es: Fuera de inventario", "et: Laost otsas", "et: Otsas", "eu: Agortua",
    "fa: موجودی نداریم", "fa: در انبار موجود نمی باشد", "fi: Loppunut varastosta", "fi: Loppu",
    "fr: Pas de stock disponible", "fr: Épuisé", "he: חסר כרגע במלאי", "hi: स्टॉक से बाहर",
    "hr: Nema na zalihama", "hr: Nedostupan", "hu: Nem elérhető", "hy: Վերջացել է",
    "id: Habis", "id: Tidak ada stok", "is: Ekki til á lager", "it: Merce esaurita",
    "ja: 在庫はありません", "ja: 利用できません", "ka: მარაგი ამოწურულია", "ko: 품절",
    "ko: 재고가 없습니다", "lt: Nėra sandėlyje", "lt: Nėra", "lv: Nav pieejama",
    "mk: Нема на залиха", "nb: Tomt på lager", "ne: स्टक बाहिर", "nl: Geen voorraad",
    "nn: Tomt", "pl: Zapas wyczerpany", "pt: Não está mais disponível", "pt: Esgotada",
    "ro: Nu este pe stoc", "ro: Epuizat", "ru: Недоступно", "ru: Распродан",
    "sk: Nie je k dispozícii", "sk: Nebude už viac dostupný", "sl: Ni na voljo",
    "sq: Nuk ka në magazi", "sr: Није доступно", "sv: Ej tillgänglig", "sv: Slutsålt",
    "th: ไม่มีในสต็อก", "tr: Artık mevcut değil", "uk: Вже недоступне", "vi: Đã bán hết",
    "vi: Không có sẵn", "zh: 無法供貨", "zh: 卖完了", "zh: 不可用",
)  # fmt: skip
THERE = (
    "be: У наяўнасці", "bg: Налично", "bn: মজুদ আছে", "ca: En estoc", "cs: K dispozici",
    "cy: Mewn stoc", "da: Lav lagerbeholdning", "de: An Lager", "de: Sofort lieferbar",
    "en: Only 3 left in stock", "en: Low stock", "es: En existencia", "et: Laos", "et: Saadaval",
    "eu: Eskuragarri", "fi: Varastossa", "fr: Plus que 3 en stock", "hi: उपलब्ध", "hr: Na lageru",
    "hu: Raktáron", "hy: Պահեստում", "id: Dalam stok", "is: Fáanlegt", "it: Pronta consegna",
    "ja: 残り在庫 3 個", "ka: საწყობშია", "km: មានស្តុក", "ko: 재고", "lt: Pasiekiama",
    "lv: Atlikušas tikai 3 preces", "mk: Достапно", "nb: Tilgjengelig", "nl: Beschikbaar",
    "pl: Na stanie", "pt: Em estoque", "pt: Resta apenas 3 em stock", "ro: Stoc redus",
    "ru: Доступно", "ru: Заканчивается", "sk: Skladom", "sl: Na voljo", "sr: На стању",
    "sv: Tillgänglig", "th: มีในสต็อก", "tr: Stokta", "uk: Доступний", "vi: Trong kho",
    "zh: 可購買", "zh: 库存仅剩 3",
)  # fmt: skip
NEARLY_GONE = (
    "Almost sold out", "Fast ausverkauft", "Presque épuisé", "Casi agotado", "Quasi esaurito",
    "Quase esgotado", "Bijna uitverkocht", "Nästan slutsåld", "Næsten udsolgt", "Prawie wyprzedane",
    "Téměř vyprodáno", "Почти распродано", "Sắp hết hàng", "即将售罄", "まもなく完売", "품절임박",
    "Tükenmek üzere",
)  # fmt: skip


def _phrase(told: str) -> str:
    return told.partition(": ")[2]


@pytest.mark.parametrize("told", GONE)
def test_what_is_gone_is_out_of_stock_in_every_language(told: str) -> None:
    assert said_availability(_phrase(told)) == "OutOfStock"
    assert said_availability(_phrase(told).upper()) == "OutOfStock"


@pytest.mark.parametrize("told", THERE)
def test_what_is_there_is_in_stock_in_every_language(told: str) -> None:
    assert said_availability(_phrase(told)) == "InStock"
    assert not says_gone(_phrase(told))


@pytest.mark.parametrize("told", NEARLY_GONE)
def test_what_is_nearly_gone_is_there(told: str) -> None:
    assert said_availability(told) == "InStock"
    assert not says_gone(told)
    assert says_gone(f"{told}. Red: sold out")


@pytest.mark.parametrize(
    "denied",
    [
        "nem rendelhető", "nem elérhető", "не е налично", "нама налично", "mevcut değildir",
        "stokta yoktur", "stokta yoxdur", "nav pieejams", "ni na zalogi", "nima na zalogi",
        "neturime", "nėra sandėlyje", "niet in voorraad", "غير متاح", "ليس في المخزون",
        "nije na stanju", "није на лагеру", "немає на складі", "нема на залиха", "ekki á lager",
        "沒有現貨", "没有现货", "非现货", "無庫存", "stok tidak ada", "không có sẵn", "לא זמין",
        "nie ma w magazynie", "není dostupné", "não disponível", "ei laoseis", "inte i lager",
        "δεν είναι σε απόθεμα", "მარაგში არ არის", "स्टॉक उपलब्ध नहीं", "ไม่พร้อมส่ง", "在庫有りません",
        "구매 가능하지 않음", "nu este in stoc", "azonnal nem szállítható", "not ready stock",
        "geen beschikbaar", "nie jest dostępny", "no está en existencia", "não tem em estoque",
        "ikke tilgjengeleg",
        "ez dago eskuragarri", "не доступно", "nije dostupno", "ni dobavljivo", "不可购买",
        "در انبار موجود نمی‌باشد", "ei saadaval", "není skladem", "nicht an Lager",
    ],
)  # fmt: skip
def test_what_is_denied_is_never_in_stock(denied: str) -> None:
    assert said_availability(denied) != "InStock"


@pytest.mark.parametrize(
    "label",
    ["Availability:", "Disponibilità", "Dostępność:", "Доступность", "在庫", "Tillgänglighet"],
)
def test_a_label_by_itself_says_nothing(label: str) -> None:
    assert said_availability(label) is None


@pytest.mark.parametrize(
    ("text", "gone"),
    [("Brak", True), ("Brak opłat za dostawę", False), ("Slut", True), ("Slutpris 4,90", False),
     ("Red\nHabis\nBlue", True), ("Menghabiskan", False), ("Tomt.", True), ("", False)],
)  # fmt: skip
def test_short_words_count_only_where_they_stand_alone(text: str, *, gone: bool) -> None:
    assert says_gone(text) == gone


def test_what_can_be_ordered_though_it_is_not_there_is_told_apart() -> None:
    assert said_availability("Disponible sobre pedido") == "BackOrder"
    assert said_availability("Tillgänglig som restorder") == "BackOrder"
    assert said_availability("Đặt hàng trước") == "PreOrder"


def test_an_offer_to_tell_when_it_is_back_is_heard() -> None:
    assert tells_when_back("Сообщить о поступлении")
    assert not tells_when_back("Subscribe to our newsletter")
