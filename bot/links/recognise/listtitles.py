"""Titles by which a page calls itself a search, a cart, a list of products or a front page.

A page without data of its own that is called so may show a single price, and sells no single
product all the same.
"""

import re

#: In lower case, what a search's heading or title begins with.
_SEARCHES = (
    "search results", "search result", "search:", "searched for", "results for", "suchergebnis",
    "suche nach", "résultats de recherche", "résultats pour", "resultados de búsqueda",
    "resultados de la búsqueda", "resultados para", "resultados da busca", "resultados da pesquisa",
    "busca:", "busca :", "risultati della ricerca", "risultati di ricerca", "risultati per",
    "zoekresultaten", "zoeken naar", "sökresultat", "sökt på", "sök -", "søkeresultat",
    "søgeresultat", "resultater for", "hakutulokset", "leitarniðurstöður", "wyniki wyszukiwania",
    "výsledky vyhledávání", "výsledky hledání", "výsledky vyhľadávania", "keresési eredmények",
    "keresés:", "találatok", "rezultatele căutării", "rezultate căutare", "rezultati iskanja",
    "rezultati pretrage", "otsingu tulemused", "meklēšanas rezultāti", "paieškos rezultatai",
    "результаты поиска", "поиск по запросу", "результати пошуку", "пошук за запитом",
    "резултати от търсенето", "резултати претраге", "αποτελέσματα αναζήτησης", "arama sonuçları",
    "arama sonucu", "نتائج البحث", "نتایج جستجو", "תוצאות חיפוש", "検索結果", "搜索结果",
    "搜尋結果", "搜索結果", "검색결과", "검색 결과", "kết quả tìm kiếm", "ผลการค้นหา",
    "hasil pencarian", "hasil carian", "खोज परिणाम", "resultats de la cerca", "such ergebnisse",
    "resultado de búsqueda", "otsingutulemused", "نتیجه جستجو", "etsinnän tulos",
    "résultats de la recherche", "rezultati pretraživanja", "risultati ricerca", "søkjeresultat",
    "результат поиска", "výsledky hľadania", "ผลลัพธ์การค้นหา",
)  # fmt: skip
#: In lower case, the whole heading or title of a cart.
_CARTS = frozenset(
    {"cart", "shopping cart", "my cart", "your cart", "my shopping cart", "your shopping cart",
     "shopping basket", "your basket", "shopping bag", "checkout", "warenkorb",
     "einkaufswagen", "panier", "mon panier", "carrito", "carrito de compras", "mi carrito",
     "carrinho", "meu carrinho", "carrinho de compras", "carrello", "winkelwagen",
     "winkelmand",
     "varukorg", "kundvagn", "handlekurv", "indkøbskurv", "ostoskori", "karfa",
     "innkaupakarfa", "koszyk", "twój koszyk", "košík", "nákupní košík", "nákupný košík", "kosár",
     "kosaram", "coș de cumpărături", "coșul meu", "košarica", "корзина", "кошик", "количка",
     "καλάθι", "καλάθι αγορών", "sepet", "sepetim", "alışveriş sepeti", "سلة التسوق", "عربة التسوق",
     "سبد خرید", "עגלת קניות", "סל קניות", "カート", "ショッピングカート", "買い物かご", "购物车",
     "購物車", "장바구니", "giỏ hàng", "ตะกร้าสินค้า", "รถเข็น", "keranjang", "keranjang belanja",
     "سلة المشتريات", "вашата количка", "корпа", "cistella de la compra", "finalitzar compra",
     "váš košík", "pokladna", "pokladňa", "din indkøbskurv", "dein warenkorb", "zur kasse", "kasse",
     "το καλάθι σας", "ολοκλήρωση παραγγελίας", "tu carrito", "finalizar compra", "ostukorv",
     "تسویه حساب", "ostoskorisi", "kassa", "votre panier", "टोकरी", "vaša košarica", "plaćanje",
     "pénztár", "զամբյուղ", "keranjang anda", "troli belanja", "il tuo carrello", "あなたのカート",
     "კალათა", "카트", "결제", "jūsų krepšelis", "krepšelis", "кошничка", "handlekurven din",
     "til kassen", "handlekorg", "je winkelwagen", "afrekenen", "o seu carrinho",
     "finalizar compras", "coșul dvs", "оформление заказа", "оформлення замовлення", "blagajna",
     "din varukorg", "till kassan", "kassan", "ตะกร้าสินค้าของคุณ", "ตะกร้า", "sepetiniz", "ödeme",
     "giỏ hàng của bạn", "thanh toán", "您的购物车", "您的購物車", "结算", "結帳"}
)  # fmt: skip
#: In lower case, the whole title of a list of all that a shop has.
_LISTS = frozenset(
    {"categories", "category", "products", "all products", "our products", "new arrivals",
     "best sellers", "kategorien", "produkte", "alle produkte", "catégories", "produits",
     "nos produits", "tous les produits", "categorías", "productos", "nuestros productos",
     "todos los productos", "categorias", "produtos", "todos os produtos", "categorie", "prodotti",
     "tutti i prodotti", "categorieën", "producten", "alle producten", "kategorier", "produkter",
     "alla produkter", "alle produkter", "tuotteet", "kaikki tuotteet", "vörur", "kategorie",
     "produkty", "wszystkie produkty", "všechny produkty", "všetky produkty", "kategóriák",
     "termékek", "összes termék", "categorii", "produse", "toate produsele", "proizvodi",
     "izdelki", "каталог", "каталог товаров", "категории", "товары", "все товары", "категорії",
     "товари", "усі товари", "продукти", "производи", "κατηγορίες", "προϊόντα", "kategoriler",
     "ürünler", "tüm ürünler", "ürünlerimiz", "التصنيفات", "الأقسام", "المنتجات", "منتجاتنا",
     "جميع المنتجات", "محصولات", "همه محصولات", "קטגוריות", "מוצרים", "כל המוצרים", "商品一覧",
     "全商品", "商品カテゴリ", "商品列表", "全部商品", "所有商品", "产品列表", "商品分類",
     "상품목록", "상품 목록", "전체상품", "전체 상품", "danh mục", "sản phẩm",
     "tất cả sản phẩm", "หมวดหมู่", "สินค้า", "สินค้าทั้งหมด", "kategori", "produk",
     "semua produk", "उत्पाद", "productes", "tots els productes", "kategoriëe",
     "όλα τα προϊόντα", "kategooriad", "tooted", "kõik tooted", "produktu guztiak",
     "produktuak", "kategoriak", "دسته بندی ها", "دسته‌بندی‌ها", "کل محصولات", "luokat", "osastot",
     "श्रेणियाँ", "kategorije", "svi proizvodi", "ապրանքներ", "բաժիններ", "vöruflokkar", "カテゴリ",
     "カテゴリー", "全ての商品", "すべての商品", "კატეგორიები", "პროდუქტები", "카테고리",
     "kategorijos", "prekės", "visos prekės", "produktai", "kategorijas", "produkti", "preces",
     "visas preces", "kategoriar", "alle varer", "kategórie", "kategórie produktov", "vsi izdelki",
     "категорије", "всі товари", "phân loại", "所有产品", "所有產品", "产品分类", "全部产品",
     "商品类别", "الفئات"}
)  # fmt: skip
#: In lower case, what the heading of a front page begins with.
_WELCOMES = (
    "welcome to", "willkommen", "bienvenue", "bienvenid", "bem-vind", "benvenut", "welkom",
    "välkommen", "velkommen", "tervetuloa", "velkomin", "witamy", "vítejte", "vitajte",
    "üdvözöljük", "bun venit", "dobrodošli", "добро пожаловать", "ласкаво просимо", "добре дошли",
    "καλώς ήρθατε", "καλώς ορίσατε", "hoş geldiniz", "hoşgeldiniz", "مرحبا", "أهلا", "خوش آمدید",
    "ברוכים הבאים", "ようこそ", "欢迎", "歡迎", "환영합니다", "chào mừng", "ยินดีต้อนรับ",
    "selamat datang",
)  # fmt: skip
#: How many products a list says that it has, in brackets or by themselves behind its name.
_COUNTED = re.compile(
    r"[(（]\s?\d{1,6}\s?(?:products?|items?|results?|artikel|produkte|produits?|articles?"
    r"|productos?|artículos?|produtos?|prodotti|articoli|producten|producter|produkter|varor"
    r"|varer|tuotetta|produkt(?:ów|y|ů)?|termék|produse|artikala|izdelkov|товар(?:а|ов|ів|и)?"
    r"|продукта?|προϊόν(?:τα)?|ürün|منتجات?|محصول|کالا|מוצרים|件|点|個|个|개|sản phẩm|รายการ"
    r"|produk|उत्पाद)\s?[)）]",
    re.IGNORECASE,
)
#: How many of them a search says that it found, in front.
_FOUND = re.compile(
    r"\d[\d.,\s]{0,8}\+?\s?(?:results?|ergebnisse?|résultats?|resultados?|risultati|resultaten|resultater"
    r"|träffar|treff|tulosta|wynik(?:ów|i)|výsledk(?:ů|y|ov)|találat|rezultat[eai]?"
    r"|результат(?:а|ов|ів|и)?|αποτελέσματα|sonuç|نتيجة|نتائج|תוצאות|kết quả|hasil)\b"
)
_TITLE_CHARS_MAX = 200
#: What parts a page's name from its shop's.
_PARTS = re.compile(r"\s[|\-–—·:»]\s|[|｜]")


def is_called_a_list(heading: str, titles: tuple[str, ...]) -> bool:
    """Whether a page's heading welcomes people, or one of its titles is that of a list."""
    is_front = heading.lower().lstrip().startswith(_WELCOMES)
    return is_front or any(_is_of_list(title[:_TITLE_CHARS_MAX]) for title in titles)


def _is_of_list(title: str) -> bool:
    lowered = title.lower().strip()
    if lowered in _LISTS or lowered.startswith(_SEARCHES):
        return True
    if _COUNTED.search(lowered) is not None or _FOUND.match(lowered) is not None:
        return True
    return _PARTS.split(lowered, maxsplit=1)[0].strip(" !.") in _CARTS
