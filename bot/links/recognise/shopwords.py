"""Words by which shops of many languages say price and cart, and name what says so.

Conventions of shop software and plain language; never a site's own.
"""

from bot.links.recognise.partnames import PartNames

#: In class names and ids of elements that hold a price.
PRICE_NAMES = ("price", "preis", "prijs", "prix", "preci", "prec", "prezz", "cena", "amount",
               "kaina", "hinta", "harga", "fiyat")  # fmt: skip

_OLD = r"old(?<![bghs]old)(?!er)|was\b"
#: What has one beside it, as shop software says, is the current one.
_LIST_PRICE = r"(?<!with-)(?<!has-)list-price"
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
    "was- -was non-sale normalprice normal-price listprice rrp msrp uvp regular before orig strike"
    " compare prev barrato barre ancien altpreis stara skreslen retailprice retail-price price-del"
    " line-through linethrough pseudo fullprice full-price"
    f" {_OLD_ELSEWHERE}",
    rf"{_OLD}|{_LIST_PRICE}",
)
OTHER_NAME = PartNames(
    "was- -was non-sale listprice rrp msrp uvp regular before orig strike cross compare"
    " prev save saving shipping deliver versand unit measure per- month installment instalment"
    " financ deposit credit from- minprice min-price maxprice max-price filter range tax vat histor"
    " rabat bonus point coupon barrato barre ancien altpreis stara label title badge advis retail"
    " free refund tradein trade-in average similar market price-del line-through linethrough pseudo"
    " fullprice full-price tasso"
    f" {_OLD_ELSEWHERE}",
    # A price that is reduced, not by how much it is.
    rf"{_OLD}|{_LIST_PRICE}|{_DISCOUNT}",
)
_OTHER_PLACES = (
    "relat simil recommend carousel slider swiper upsell cross also recent minicart mini-cart"
    " header footer menu aside sidebar access bundle listing compar"
    " popular trend sponsor banner suggest other viewed history bid finance filter"
    " tooltip popup quickview quick-view together subscri service warrant insur variant"
)
_GRID = (
    r"(?:product|item|card|collection|categor(?:y|ies)|shop|tile)s?[-_]{0,2}grid"
    r"|grid[-_]{0,2}(?:product|item|view|list|tile|card)"
)
#: WooCommerce calls a product that can be shipped `shipping-taxable`; in Magento's
#: `product-options` the product itself is bought. A grid by itself is how a page is laid out, and
#: what is added to a cart stands in no cart yet.
_OTHER_PLACES_ELSE = (
    r"\b(?:nav|ads?\b|modal\b)|shipping(?!-taxable)|(?<!product[-_])option"
    rf"|{_GRID}|(?<!p)review|(?<!to)(?<!to[-_])basket"
    r"|cart[-_](?:count|drawer|drop|fly|head|icon|item|line|link|list|menu|mini|modal|notif|overlay"
    r"|panel|pop|preview|side|sub|summary|toggle|total|widget)"
)
#: Other parts of the page than the product's own.
OTHER_PLACE = PartNames(f"{_OTHER_PLACES} deliver", _OTHER_PLACES_ELSE)
#: The same for what is named after its stock: many shops say there when it can be delivered.
OTHER_THAN_STOCK = PartNames(_OTHER_PLACES, _OTHER_PLACES_ELSE)
#: What opens above a page; a heading in it is not the page's.
OVERLAY = PartNames("quickview quick-view popup", r"\bmodal\b|quick_view")
#: Other products' cards; a button in one buys that product.
OTHER_CARD = PartNames(
    "relat simil recommend carousel slider swiper upsell crosssell cross-sell also recent minicart"
    " mini-cart header footer menu compar popular trend sponsor suggest viewed together listing"
    " tile quickview quickadd quickshop quick-view quick-add quick-shop wishlist wish-list",
    rf"\bnav|(?:product|item)[-_]?card|{_GRID}",
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
    "place pre-order", "voeg in mandjie", "إضف إلى", "اضف إلى", "اضافة إلى", "أضف الى سلة",
    "اضف الى سلة", "أضف لسلة", "дадаць у кошык", "към количката", "в кошницата",
    "ychwanegu i'r fasged",
    "al carret", "a la cistella", "i indkøbskurv", "in warenkorb", "saskira gehitu",
    "orgara gehitu",
    "اضافه کردن به سبد", "הוסף לעגל", "הוספה לעגל", "टोकरी में डाल", "टोकरीमा", "a kosárhoz",
    "tambahkan ke keranjang", "masukkan ke keranjang", "tambahkan pada keranjang",
    "tambah ke troli",
    "setja í körfu", "კალათში", "ចូលរទេះ", "ចូល\u200bរទេះ", "ចូលក្នុងកន្ត្រក", "카트에 추가", "сагсанд",
    "legg i korga", "aan winkelmand", "à cesta", "කරත්තයට", "shto në kartë", "ลงในตะกร้า",
    "添加到购物车", "添加至购物车", "加入到购物车", "加到購物車", "放进购物车", "放入购物车",
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
    "osta nyt", "osta kohe", "buy it now", "order now", "এখন ক্রয় করুন", "comprar ara",
    "خرید فوری", "अब खरीदें", "cumpără acum", "cumpara acum", "купить сейчас",
    }
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
