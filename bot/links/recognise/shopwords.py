"""Words by which shops of many languages say price, cart, in stock and sold out.

Conventions of shop software and plain language; never a site's own.
"""

from collections.abc import Iterable

from bot.links.recognise.partnames import PartNames


def by_first_mark(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Those of `words` that plain letters cannot write, by the first that is none in each."""
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        mark = next((char for char in word if not char.isascii()), None)
        if mark is not None:
            found[mark] = (*found.get(mark, ()), word)
    return found


#: In class names and ids of elements that hold a price.
PRICE_NAMES = ("price", "preis", "prijs", "prix", "preci", "prec", "prezz", "cena", "amount",
               "kaina", "hinta", "harga", "fiyat")  # fmt: skip

_OLD = r"old(?<![bghs]old)(?!er)|was\b"
#: The same as one or two words of other languages.
_OLD_ELSEWHERE = (
    "hargalama harga-lama harga-coret eskifiyat eski-fiyat giacu precio-anterior preco-antigo"
    " cenastara streichpreis puvodni-cena normalpris"
)
_DISCOUNT = (
    r"discount(?!ed|[-_]{0,2}pri[cs])(?<!price-discount)(?<!price_discount)(?<!\bis--discount)"
    r"|discount[-_]{0,2}(?:percent|icon|badge|amount|value|rate|label|tag)"
)

CURRENT_NAME = PartNames(
    "current sale special final now actual main our promo buy sell product total value akci new neu"
)
#: Among those that are not the current price: what it was before.
OLD_NAME = PartNames(
    "was- -was listprice list-price rrp msrp uvp regular before orig strike compare prev barrato"
    " barre ancien altpreis stara skreslen retailprice retail-price price-del line-through"
    " linethrough pseudo fullprice full-price"
    f" {_OLD_ELSEWHERE}",
    _OLD,
)
OTHER_NAME = PartNames(
    "was- -was listprice list-price rrp msrp uvp regular before orig strike cross compare prev save"
    " saving shipping deliver versand unit per- month installment instalment financ"
    " deposit credit from- minprice min-price maxprice max-price filter range tax vat histor rabat"
    " bonus point coupon barrato barre ancien altpreis stara label title badge advis retail free"
    " refund tradein trade-in average similar market price-del line-through linethrough pseudo"
    " fullprice full-price tasso"
    f" {_OLD_ELSEWHERE}",
    # A price that is reduced, not by how much it is.
    _OLD + rf"|{_DISCOUNT}",
)
OTHER_PLACE = PartNames(
    "relat simil recommend carousel slider swiper upsell cross also recent minicart mini-cart"
    " basket cart- header footer menu aside sidebar access bundle listing grid review compar"
    " popular trend sponsor banner suggest other viewed history deliver bid finance filter"
    " tooltip popup quickview quick-view together subscri service warrant insur variant",
    # WooCommerce calls a product that can be shipped `shipping-taxable`; in Magento's
    # `product-options` the product itself is bought.
    r"\b(?:nav|ads?\b|modal\b)|shipping(?!-taxable)|(?<!product[-_])option",
)
#: What opens above a page; a heading in it is not the page's.
OVERLAY = PartNames("quickview quick-view popup", r"\bmodal\b|quick_view")
#: Other products' cards; a button in one buys that product.
OTHER_CARD = PartNames(
    "relat simil recommend carousel slider swiper upsell crosssell cross-sell also recent minicart"
    " mini-cart header footer menu compar popular trend sponsor suggest viewed together listing"
    " grid tile quickview quickadd quickshop quick-view quick-add quick-shop wishlist wish-list",
    r"\bnav|(?:product|item)[-_]?card",
)
PRODUCT_PLACE = PartNames("product detail pdp buy purchase item summary main addto add-to")
#: In lower case, on or around the buttons of a page that sells what it shows.
ADD_TO_CART = (
    "add to your basket", "add to your bag", "add to your cart", "add to my", "add to cart",
    "add to basket", "add to bag", "add to trolley", "add-to-cart", "add-to-basket",
    "add-to-bag", "addtocart", "addtobasket", "addtobag",
    "add-cart", "addcart", "btn-cart", "cart-btn", "cart-form", "cartform", "buy now", "buy it now",
    "buynow", "buy-now", "btn-buy", "buy-btn", "buy-button", "order now", "place bid",
    "in den warenkorb", "ajouter au panier", "aggiungi al carrello", "acquista ora",
    "al carrito", "ao carrinho", "comprar ahora", "カートに", "加入购物车", "加入購物車",
    "放入購物車", "立即购买", "立即購買", "장바구니", "구매하기", "в корзину", "до кошика",
    "do košík", "do košar", "u košaric", "v košaric", "do koszyka", "winkelwagen",
    "sepete ekle", "kundvagn", "handlekurv", "læg i kurv", "ostukorvi", "ostoskoriin",
    "grozam", "krepšel", "kosárba", "în coș", "в количката", "στο καλάθι", "לסל", "أضف إلى",
    "adauga in cos", "adaugă în coş", "añadir a la cesta", "añadir a la bolsa", "agregar al carro",
    "añadir al carro", "afegir a la cistella", "adicionar ao cesto", "adicionar à sacola",
    "à sacola", "nel carrello", "ajouter au sac", "in winkelmand", "in mijn winkel",
    "lägg i varukorg", "legg i handlekurv", "tilføj til kurv", "føj til kurv",
    "lisää koriin", "lisa korvi", "in den einkaufswagen", "in den korb", "sepete at",
    "в кошик", "у кошик", "у корпу", "u korpu", "во кошничка", "shto në shportë", "savatga",
    "səbətə", "себетке", "კალათაში", "զամբյուղ", "לעגלה", "اضف الى السلة", "أضف الى السلة",
    "أضف للسلة", "اضف للسلة", "إضافة إلى", "اضافة الى السلة", "افزودن به سبد", "कार्ट में",
    "কার্টে", "หยิบใส่", "ใส่ตะกร้า", "เพิ่มลงตะกร้า", "เพิ่มลงรถเข็น", "thêm vào giỏ",
    "vào giỏ hàng", "tambah ke keranjang", "masukkan keranjang", "+ keranjang", "かごに入れる",
    "カゴに入れる", "バッグに入れる", "バッグへ入れる", "カートへ入れる", "カートへ追加",
    "買い物かごに", "買い物かごへ", "買物かごへ", "お買い物カゴに", "카트에 담", "加入购物袋",
    "加入購物袋", "pre-order now", "preorder now",
    "place pre-order",
)  # fmt: skip
#: In lower case, the whole text of a link to the cart in languages that say it with a word above.
CART_ITSELF = frozenset(
    {"장바구니", "winkelwagen", "kundvagn", "kundvagnen", "handlekurv", "handlekurven", "ostukorvi",
     "savatga", "զամբյուղ", "mijn winkelwagen", "min kundvagn", "din kundvagn", "min handlekurv",
     "장바구니 보기", "내 장바구니", "naar winkelwagen", "till kundvagn", "till kundvagnen"}
)  # fmt: skip
#: In lower case, the whole text of a button that buys; in other places these words say nothing.
BUY = frozenset(
    {
    "buy", "buy now", "purchase", "order", "add", "kaufen", "jetzt kaufen", "bestellen",
    "acheter", "commander", "comprar", "comprar ahora", "comprar agora", "compra", "acquista",
    "ordina", "kopen", "bestel", "köp", "köp nu", "kjøp", "køb", "osta", "kup teraz", "kup",
    "kupuję", "koupit", "kúpiť", "kupi", "kupi odmah", "kupi zdaj", "купить", "купити", "купи",
    "pirkt", "pirkti", "vásárlás", "megveszem", "cumpără", "αγορά", "satın al", "hemen al",
    "beli", "beli sekarang", "mua ngay", "mua", "ซื้อ", "ซื้อเลย", "구매", "구매하기",
    "바로구매", "購入", "購入する", "今すぐ購入", "かごに入れる", "カゴに入れる", "买", "购买",
    "購買", "立即购买", "立即購買", "直接購買", "加入购物袋", "加入購物袋",
    "اشتر الآن", "شراء", "خرید", "קנה", "קנה עכשיו", "לרכישה", "खरीदें", "अभी खरीदें", "কিনুন",
    "купити зараз", "pre-order", "preorder", "place pre-order", "pre-order now", "vorbestellen",
    "précommander", "reservar", "予約する", "予約注文", "预订", "預訂", "立即预订", "立即預購",
    "اطلب الآن", "اشتري الآن", "اشترِ الآن", "اشتر الان", "اطلب الان", "sipariş ver", "handla",
    "lägg i varukorgen", "sotib olish", "ყიდვა", "գնել", "сатып алу", "оформить заказ",
    "заказать", "замовити", "zamów", "objednat", "objednať", "naruči", "porosit", "comandă",
    "acheter maintenant", "acquista ora", "nu kopen", "köp direkt", "kjøp nå", "køb nu",
    "osta nyt", "osta kohe", "buy it now", "order now",
    }
)  # fmt: skip
#: In lower case, on a button that stands where the one to buy would: the product is gone for now.
TELL_ME_WHEN_BACK = (
    "notify me when", "email me when", "notify when available", "back in stock",
    "join waitlist", "join the waitlist", "benachrichtigen", "prévenez-moi", "me prévenir",
    "m'alerter", "avísame", "avisarme", "avvisami", "avise-me", "houd me op de hoogte",
    "bevaka", "powiadom", "hlídat dostupnost", "strážiť dostupnosť", "сообщить о поступлении",
    "повідомити", "értesítést", "再入荷", "入荷お知らせ", "到货通知", "到貨通知", "貨到通知",
    "补货通知", "재입고", "gelince haber ver", "stoğa gelince", "stok bildirimi", "أعلمني عند",
    "نبهني عند", "اعلمني عند", "موجود شد به من", "به من اطلاع بده", "עדכנו אותי", "עדכן אותי",
    "báo khi có hàng", "แจ้งเตือนเมื่อ", "beri tahu saya", "ingatkan saya", "ειδοποίησέ με",
    "ειδοποιήστε με", "ενημέρωσέ με", "anunță-mă", "anunta-ma", "alertă stoc", "obavijesti me",
    "obavesti me", "obvesti me", "giv besked", "giv mig besked", "varsle meg", "ilmoita kun",
    "ilmoita minulle", "hlídat produkt", "upozorniť", "извести ме", "уведоми ме",
    "сообщить, когда", "уведомить о поступлении", "сповістити", "teavita mind",
    "入荷通知", "再販通知", "알림 신청", "입고알림", "입고 알림", "láttu mig vita",
)  # fmt: skip
#: In class names, by conventions of shop software: this element says that the product is gone.
GONE_NAME = PartNames(
    "outofstock out-of-stock soldout sold-out delivery-not-available no-stock",
    r"out[-_]?of[-_]?stock|sold_out|not[-_]?available(?![a-z])"
    r"|stock(?<![a-z]stock)[-_ ](?:out|unavailable|empty|none)"
    r"|(?:product|stock|availability)(?:__|--|-|_| )unavailable|no_stock",
)
CART_NAME = PartNames(
    "addtocart add-to-cart addtobasket add-to-basket addtobag add-to-bag buynow buy-now buybutton"
    " buy-button buybtn buy-btn btncart btn-cart btnbuy btn-buy",
    r"add[-_]?to[-_]?(?:cart|basket|bag|trolley|order)|btn_(?:cart|buy)|buy_(?:now|button|btn)"
    r"|(?:cart|basket)[-_]?(?:add|button|btn)|single_add_to_cart",
)
OFF_NAME = PartNames(
    "disabled inactive soldout sold-out unavail outofstock out-of-stock out-ofstock outof-stock"
    " hidden"
)
#: In lower case, where a page speaks of its stock and the product is gone.
SOLD_OUT = (
    "out of stock", "sold out", "currently unavailable", "no longer available", "ausverkauft",
    "nicht auf lager", "nicht verfügbar", "nicht lieferbar", "rupture de stock", "épuisé",
    "agotado", "sin existencias", "esaurito", "non disponibile", "esgotado", "indisponível",
    "uitverkocht", "slutsåld", "udsolgt", "utsolgt", "loppu varastosta", "нет в наличии",
    "немає в наявності", "brak w magazynie", "niedostępn", "vypredané", "vyprodáno",
    "není skladem", "nie je na sklade", "ni na zalogi", "nema na zalihi", "rasprodano",
    "läbi müüdud", "nav pieejams", "izpārdots", "išparduota", "elfogyott", "stoc epuizat",
    "tükendi", "stokta yok", "εξαντλ", "אזל", "نفد", "غير متوفر", "缺货", "缺貨", "售罄",
    "无货", "售完", "補貨中", "已售完", "已售罄", "暂无库存", "暫無庫存", "补货中", "已下架",
    "下架", "無庫存", "銷售一空", "품절", "일시품절", "재고 없음", "売切", "欠品", "入荷待ち",
    "品切れ", "販売終了", "取扱終了", "no disponible", "fuera de stock", "sin stock",
    "no stock", "plus disponible", "indisponible", "non disponible", "vergriffen",
    "derzeit nicht", "momentan nicht", "nicht mehr verfügbar", "niet op voorraad",
    "niet beschikbaar", "niet leverbaar", "ej i lager", "finns ej i lager", "tillfälligt slut",
    "ikke på lager", "ei saatavilla", "ei varastossa", "loppuunmyyty", "brak towaru",
    "produkt niedostępny", "wyprzedan", "momentálně nedostupné", "nedostupn", "vyprodan",
    "nije dostupno", "nema na stanju", "ni zaloge", "razprodano", "nav noliktavā",
    "nav pieejama", "neturime", "prekės nėra", "nincs raktáron", "nincs készleten",
    "indisponibil", "изчерпан", "няма в наличност", "нет на складе", "закончился",
    "снят с продажи", "распродано", "закінчився", "μη διαθέσιμο", "không còn hàng",
    "สินค้าหมด", "หมดสต", "หมดแล้ว", "ของหมด", "habis terjual",
    "ناموجود", "تمام شد", "نفدت الكمية", "غير متاح",
    "אינו במלאי", "לא במלאי", "חסר במלאי", "स्टॉक में नहीं", "স্টক নেই",
    "нет в продаже", "немає у продажу", "produkt wycofany",
    "temporarily unavailable", "unavailable online", "not in stock", "no longer for sale",
    "no longer sold", "not available", "売り切れ", "在庫なし", "完売", "hết hàng",
    "stok habis", "nicht vorrätig", "nicht mehr lieferbar", "nicht mehr erhältlich",
    "en rupture", "plus en stock", "hors stock", "no hay existencias", "no está disponible",
    "non in stock", "non più disponibile", "sem estoque", "sem stock", "fora de estoque",
    "niet meer leverbaar", "niet meer beschikbaar", "slut i lager", "ikke tilgjengelig",
    "brak na stanie", "nie je skladom", "vypredan", "nem rendelhető", "jelenleg nem elérhető",
    "fără stoc", "fara stoc", "lipsă stoc", "lipsa stoc", "нема в наявності",
    "товар отсутствует", "временно отсутствует", "ожидается поступление", "очікується",
    "няма наличност", "не е наличен", "stokta kalmadı",
    "temin edilemiyor", "δεν είναι διαθέσιμο", "εκτός αποθέματος", "نفذت الكمية", "موجود نیست",
    "לא זמין", "उपलब्ध नहीं", "स्टॉक समाप्त", "tạm hết", "tidak tersedia", "매진", "재고없음",
    "판매종료", "판매 종료", "구매불가", "ekki til á lager", "uppselt", "búið í bili", "ni več na",
    "нема на залиха", "нема на лагеру", "нема на стању", "немає на складі", "скінчився",
    "არ არის მარაგში", "առկա չէ", "სტოკში არ არის", "sotuvda yo‘q", "stokda yoxdur",
    "сатылып кетті", "منتهي من المخزون", "انتهى المخزون",
    "اتمام موجودی", "hết sản phẩm", "stok kosong", "สินค้าไม่มี", "次回入荷",
    "在庫切", "受付終了", "取り扱い終了",
    "沒有庫存", "没有库存", "抢光", "搶光", "断货", "斷貨",
    "無貨", "完售", "item unavailable", "product unavailable", "discontinued",
)  # fmt: skip
#: In lower case, in a field for stock that holds words for people.
IN_STOCK = (
    "in stock", "available", "auf lager", "lieferbar", "verfügbar", "vorrätig", "sofort",
    "en stock", "disponib", "disponív", "hay existencias", "in magazzino",
    "op voorraad", "leverbaar", "i lager", "på lager", "varastossa", "saatavilla", "в наличии",
    "є в наявності", "в наявності", "dostępn", "w magazynie", "skladem", "na sklade", "na zalogi",
    "na zalihi", "dostupn", "raktáron", "készleten", "în stoc", "in stoc", "в наличност",
    "laos olemas", "noliktavā", "yra sandėlyje", "stokta", "stokda", "διαθέσιμο", "現貨", "现货",
    "有货", "有貨", "有庫存", "有库存", "在庫あり", "재고 있음", "재고있음", "متوفر", "במלאי",
    "còn hàng", "มีสินค้า", "tersedia", "स्टॉक में", "á lager", "til á lager", "na stanju",
    "на складі", "на залиха", "на лагеру", "на стању", "налично", "mevcut", "σε απόθεμα",
    "άμεσα διαθέσιμο", "متاح", "في المخزون", "זמין", "موجود", "có sẵn",
    "พร้อมส่ง", "ready stock", "stok ada", "即納", "在庫有", "残りわずか", "在庫わずか", "有現貨",
    "尚有庫存", "庫存充足", "库存充足", "현재고", "구매가능", "구매 가능", "स्टॉक उपलब्ध",
    "in voorraad",
    "rendelhető", "azonnal", "ihned", "от ръка", "magazynie", "elérhető",
    "მარაგშია", "sotuvda bor", "laoseis", "pieejams",
    "turime", "ima na zalogi",
)  # fmt: skip
PRE_ORDER = (
    "pre-order", "preorder", "pre order", "vorbestell", "précommande", "precommande", "preventa",
    "pré-venda", "pre-venda", "preordine", "prenotazione", "przedsprzedaż", "předobjedn",
    "predobjedn", "предзаказ", "förbeställ", "forudbestil", "forhåndsbestill", "ennakkotila",
    "előrendel", "precomandă", "ön sipariş", "預購", "预购", "预售", "予約", "예약", "coming soon",
)  # fmt: skip
BACK_ORDER = (
    "back-order", "backorder", "back order", "on order", "nachbestell", "sur commande",
    "bajo pedido", "su ordinazione", "por encomenda", "op bestelling", "na zamówienie",
    "na objednávku", "po narudžbi", "po naročilu", "под заказ", "під замовлення",
    "beställningsvara", "bestillingsvare", "tilaustuote", "rendelésre", "la comandă", "取り寄せ",
)  # fmt: skip
