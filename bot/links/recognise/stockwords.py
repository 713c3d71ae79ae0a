"""What shops of many languages say of their stock, one line for each language.

Conventions of shop software and plain language; never a site's own. All words are in lower case and
are looked for inside of what a page says, so most are stems; those of `*_ALONE` only count where
nothing stands beside them, since longer texts use them for other things.
"""


def _words(lines: str) -> tuple[str, ...]:
    """The words of a table: `language: word; word`, each once."""
    told = (line.partition(":")[2].split(";") for line in lines.strip().splitlines())
    return tuple(dict.fromkeys(word.strip() for words in told for word in words))


#: It is gone, for now or for good.
SOLD_OUT = _words("""
    af: nie beskikbaar; nie in voorraad
    ar: نفد; نفذت الكمية; نفذ المخزون; غير متوفر; غير متاح; منتهي من المخزون; انتهى المخزون; لا يوجد مخزون
    az: stokda yoxdur; tükənib
    be: няма ў наяўнасці; няма на складзе
    bg: изчерпан; няма в наличност; няма наличност; няма на склад; не е наличен; не е налична; не е налично; не е в наличност; неналич
    bn: স্টক নেই; স্টকে নেই; স্টক শেষ; মজুদ নেই; পাওয়া যাবে না
    ca: esgotat; exhaurit; sense estoc; sense existències; fora d'estoc; fora d’estoc
    cs: vyprodan; vyprodáno; není skladem; není na skladě; není k dispozici; nedostupn; prodej ukončen
    cy: allan o stoc
    da: udsolgt; ikke på lager; ikke tilgængelig; ikke længere tilgængelig; udgået
    de: ausverkauft; nicht auf lager; nicht verfügbar; nicht lieferbar; vergriffen; derzeit nicht; zurzeit nicht; zur zeit nicht; momentan nicht; nicht mehr verfügbar; nicht vorrätig; nicht mehr lieferbar; nicht mehr erhältlich; nicht erhältlich
    el: εξαντλ; μη διαθέσιμ; δεν είναι διαθέσιμ; δεν είναι πλέον διαθέσιμ; εκτός αποθέματος; χωρίς απόθεμα; δεν υπάρχει απόθεμα
    en: out of stock; sold out; currently unavailable; no longer available; no stock; temporarily unavailable; unavailable online; not in stock; no longer for sale; no longer sold; not available; item unavailable; product unavailable; discontinued
    es: agotad; sin existencias; no disponible; fuera de stock; sin stock; no hay existencias; no está disponible; no esta disponible; no hay stock; fuera de inventario; sin inventario; no existe disponibilidad; descatalogad
    et: läbi müüdud; laost otsas; laost puudu; laost lõppenud; mitte saadaval; pole saadaval; pole enam saadaval; ei ole saadaval; ei ole laos; pole laos; ei ole hetkel laos
    eu: agortu; ez dago salgai; ez dago eskuragarri
    fa: ناموجود; تمام شد; موجود نیست; موجود نمی; اتمام موجودی; کمبود موجودی; موجودی نداریم; موجودی ندارد
    fi: loppu varastosta; loppunut varastosta; varasto loppu; ei saatavilla; ei ole saatavilla; ei enää saatavilla; ei varastossa; ei ole varastossa; ei käytettävissä; loppuunmyyty
    fr: rupture de stock; épuisé; plus disponible; indisponible; non disponible; en rupture; plus en stock; pas en stock; hors stock; pas de stock; plus de stock; n'est pas disponible; n’est pas disponible
    he: אזל; אינו במלאי; לא במלאי; חסר במלאי; חסר כרגע; לא קיים במלאי; לא זמין; אינו זמין; נגמר המלאי
    hi: स्टॉक में नहीं; स्टाक में नहीं; स्टॉक समाप्त; स्टॉक से बाहर; उपलब्ध नहीं; अनुपलब्ध
    hr: nema na zalihi; nema na zalihama; nema na stanju; nema na skladištu; nema na lageru; van zaliha; rasprodan; nije dostup; nije više dostup; nedostupan
    hu: elfogyott; nincs raktáron; nincs készleten; nem rendelhető; nem elérhető; nem kapható; készlethiány
    hy: առկա չէ; վերջացել; սպառված; սպառվել
    id: habis terjual; stok habis; barang habis; persediaan habis; tidak tersedia; stok kosong; tidak ada stok; kehabisan persediaan; kehabisan stok
    is: ekki til á lager; ekki á lager; ekki fáanleg; uppselt; búið í bili
    it: esaurit; non disponibil; non è disponibil; non in stock; non più disponibil; non è più disponibil; fuori stock
    ja: 売切; 売り切れ; 品切; 欠品; 完売; 入荷待ち; 入荷未定; 次回入荷; 販売終了; 販売を終了; 生産終了; 取扱終了; 取り扱い終了; 受付終了; 在庫なし; 在庫無し; 在庫切; 在庫はありません; 在庫がありません; 在庫はございません; 在庫がございません
    ka: არ არის მარაგში; სტოკში არ არის; მარაგი ამოწურული; ამოიწურა; მიუწვდომელი; აღარ არის; არ არის ხელმისაწვდომი
    kk: сатылып кетті; қоймада жоқ
    km: អស់ពីស្តុក; អស់\u200bពី\u200bស្តុក; ដាច់ស្តុក
    ko: 품절; 매진; 단종; 재고 없음; 재고없음; 재고가 없; 판매종료; 판매 종료; 판매중지; 판매 중지; 구매불가; 구매 불가; 구매할 수 없
    lt: išparduot; neturime; prekės nėra; nėra sandėlyje; nebėra; laikinai nėra
    lv: nav pieejam; nav noliktavā; nav uz vietas; izpārdot
    mk: нема на залиха; нема на лагер; распродад
    mn: дууссан
    ms: habis stok; habis dijual; tiada stok
    nb: utsolgt; ikke på lager; ikke tilgjengelig; utilgjengelig; tomt på lager; utgått
    ne: स्टक बाहिर; स्टकमा छैन
    nl: uitverkocht; niet op voorraad; niet in voorraad; niet voorradig; geen voorraad; niet beschikbaar; niet leverbaar; niet meer leverbaar; niet meer beschikbaar; niet langer beschikbaar
    nn: utseld; ikkje på lager; ikkje tilgjengeleg
    pl: brak w magazynie; brak towaru; brak produktu; brak na stanie; brak w ofercie; niedostępn; wyprzedan; wyczerpan; produkt wycofany
    pt: esgotad; indisponíve; indisponivel; sem estoque; sem stock; fora de estoque; fora de stock; não disponível; não está disponível; não está mais disponível
    ro: epuizat; indisponibil; fără stoc; fara stoc; lipsă stoc; lipsa stoc; nu există în stoc; nu exista in stoc; nu există stoc; nu exista stoc; nu este în stoc; nu este in stoc; nu este pe stoc; nu mai este pe stoc; nu mai este în stoc; nu mai este in stoc; nu este disponibil; nu mai este disponibil
    ru: нет в наличии; нет на складе; нет в продаже; закончился; закончилась; закончились; снят с продажи; снято с производства; распродан; товар отсутствует; временно отсутствует; отсутствует на складе; ожидается поступление; недоступ; не доступ
    sk: vypredan; vypredané; nie je na sklade; nie je skladom; nie je k dispozícii; nie je dostupn; nebude už viac dostupn
    sl: ni na zalogi; ni zaloge; ni na voljo; ni več na; ni dobavljiv; razprodan
    sq: nuk ka në magazi; nuk ka në stok; jashtë stokut
    sr: нема на лагеру; нема на стању; није на стању; није доступ; није више доступ
    sv: slutsål; ej i lager; inte i lager; slut i lager; tillfälligt slut; ej tillgänglig; inte tillgänglig; inte längre tillgänglig; utgången
    th: สินค้าหมด; หมดสต; หมดแล้ว; ของหมด; สินค้าไม่มี; ไม่มีสินค้า; ไม่มีในสต็อก; ไม่พร้อมจำหน่าย
    tr: tükendi; tükenmiş; stokta yok; stok yok; stokta kalmadı; stokta bulunm; mevcut değil; temin edilemiyor
    uk: немає в наявності; нема в наявності; немає на складі; немає у продажу; закінчився; скінчився; розпродан; очікується
    uz: sotuvda yo‘q; sotuvda yo'q
    vi: hết hàng; hết sản phẩm; tạm hết; bán hết; cháy hàng; không còn hàng; không có sẵn; không sẵn có; ngừng kinh doanh; ngừng bán
    zh: 缺货; 缺貨; 无货; 無貨; 售罄; 售完; 完售; 卖完; 賣完; 抢光; 搶光; 断货; 斷貨; 下架; 停售; 补货中; 補貨中; 暂无库存; 暫無庫存; 没有库存; 沒有庫存; 無庫存; 銷售一空; 无法供货; 無法供貨; 不可购买; 不可購買; 不再可用
""")  # noqa: E501 - a language is a line
#: The same where it is all that stands there.
SOLD_OUT_ALONE = frozenset(
    _words("""
    en: unavailable
    et: otsas
    fi: loppu
    id: habis
    ja: 利用できません
    ko: 이용 불가; 사용할 수 없음
    lt: nėra; nepasiekiama
    nn: tomt
    pl: brak
    sv: slut
    th: ไม่พร้อมใช้งาน
    tr: kullanım dışı; uygun değil
    zh: 不可用
""")
)
#: It is nearly gone, so it is there.
NEARLY_GONE = _words("""
    bg: почти изчерпан
    ca: quasi esgotat
    cs: téměř vyprodáno; skoro vyprodáno
    da: næsten udsolgt; snart udsolgt
    de: fast ausverkauft; bald ausverkauft; fast vergriffen
    el: σχεδόν εξαντλ; σύντομα εξαντλ
    en: almost sold out; nearly sold out; selling out; sells out soon; almost out of stock; nearly out of stock
    es: casi agotad; a punto de agotarse
    et: peaaegu läbi müüdud
    fi: melkein loppuunmyyty; lähes loppuunmyyty
    fr: presque épuisé; bientôt épuisé; bientôt en rupture
    hr: gotovo rasprodan; skoro rasprodan; uskoro rasprodan
    hu: majdnem elfogyott; hamarosan elfogy
    id: hampir habis; segera habis
    it: quasi esaurit; in esaurimento
    ja: まもなく完売; 完売間近; 品切れ間近; 売り切れ間近
    ko: 품절임박; 품절 임박; 매진임박; 매진 임박
    lt: beveik išparduot
    lv: gandrīz izpārdot
    nb: nesten utsolgt; snart utsolgt
    nl: bijna uitverkocht
    pl: prawie wyprzedan; na wyczerpaniu
    pt: quase esgotad; prestes a esgotar
    ro: aproape epuizat
    ru: почти распродан; почти закончил; скоро закончи
    sk: takmer vypredan
    sl: skoraj razprodan
    sv: nästan slutsål; snart slutsål
    th: ใกล้หมด
    tr: tükenmek üzere; neredeyse tükendi
    uk: майже розпродан
    vi: sắp hết; gần hết hàng
    zh: 即将售罄; 即將售罄; 快要售罄; 即將售完; 即将售完; 即将下架
""")  # noqa: E501 - a language is a line
#: It is there, many of it or few.
IN_STOCK = _words("""
    ar: متوفر; متاح; في المخزون
    be: у наяўнасці
    bg: в наличност; наличен; налична; налично; налични; от ръка
    bn: স্টকে আছে; স্টক আছে; মজুদ আছে
    ca: en estoc; disponib
    cs: skladem; na skladě; k dispozici; dostupn; ihned
    cy: mewn stoc
    da: på lager; tilgængelig; til rådighed; lav lagerbeholdning
    de: auf lager; an lager; lieferbar; verfügbar; vorrätig; sofort; niedriger lagerbestand
    el: διαθέσιμ; σε απόθεμα; χαμηλό απόθεμα
    en: in stock; low stock; available
    es: en stock; disponib; hay existencias; en existencia; bajas existencias
    et: laos olemas; laoseis; on laos; saadaval
    eu: eskuragarri
    fa: موجود
    fi: varastossa; saatavilla; varasto vähissä
    fr: en stock; disponib; stock bas
    he: במלאי; זמין
    hi: स्टॉक में; स्टॉक उपलब्ध; उपलब्ध
    hr: na zalihi; na zalihama; na stanju; na lageru; na skladištu; dostup; preostalo
    hu: raktáron; készleten; rendelhető; elérhető; kapható; azonnal; alacsony készlet
    hy: առկա է; պահեստում
    id: tersedia; ready stock; stok ada; dalam stok; dalam persediaan; stok sedikit; sisa stok
    is: á lager; fáanleg
    it: disponib; in magazzino; pronta consegna; scorte ridotte
    ja: 在庫あり; 在庫有; 在庫わずか; 残りわずか; 残り在庫; 低在庫; 即納
    ka: მარაგშია; საწყობშია; გაყიდვაშია; ხელმისაწვდომი
    km: មានស្តុក; មាន\u200bស្តុក
    ko: 재고 있; 재고있; 재고 부족; 현재고; 구매가능; 구매 가능
    lt: yra sandėlyje; turime; pasiekiama; liko tik; atsargos senka
    lv: noliktavā; pieejam; atlikuš
    mk: на залиха; во залиха; достап
    ms: ada stok
    nb: på lager; tilgjengelig
    ne: स्टकमा छ
    nl: op voorraad; in voorraad; voorradig; leverbaar; beschikbaar; voorraad laag; lage voorraad
    nn: tilgjengeleg
    pl: dostępn; magazynie; na stanie; niski poziom zapasów
    pt: disponív; disponib; em estoque; em stock; estoque baixo; stock reduzido
    ro: în stoc; in stoc; pe stoc; disponib; stoc redus
    ru: в наличии; на складе; доступ; товар заканчивается
    sk: na sklade; skladom; dostupn; nízky stav zásob
    sl: na zalogi; na voljo; dobavljiv; majhna zaloga
    sq: në stok; në magazi
    sr: на лагеру; на стању; доступ
    sv: i lager; tillgänglig; låg lagernivå
    th: มีสินค้า; มีในสต็อก; พร้อมส่ง; พร้อมจำหน่าย; เหลือน้อย
    tr: stokta; stokda; mevcut; stok ada; stok düzeyi düşük
    uk: в наявності; на складі; доступн
    uz: sotuvda bor
    vi: còn hàng; có sẵn; sẵn có; sẵn hàng; trong kho
    zh: 现货; 現貨; 有货; 有貨; 有库存; 有庫存; 有現貨; 尚有庫存; 库存充足; 庫存充足; 低库存; 库存仅剩; 庫存只剩; 可购买; 可購買
""")  # noqa: E501 - a language is a line
IN_STOCK_ALONE = frozenset(
    _words("""
    et: laos
    ko: 재고; 이용 가능
    ru: заканчивается
    zh: 庫存不足
""")
)
PRE_ORDER = (
    "pre-order", "preorder", "pre order", "vorbestell", "précommande", "precommande", "preventa",
    "pré-venda", "pre-venda", "preordine", "prenotazione", "przedsprzedaż", "předobjedn",
    "predobjedn", "предзаказ", "förbeställ", "forudbestil", "forhåndsbestill", "ennakkotila",
    "előrendel", "precomandă", "ön sipariş", "預購", "预购", "预售", "予約", "예약", "coming soon",
    "הזמנה מראש", "đặt hàng trước", "išankstinis užsakymas", "передзамовлення", "สั่งจอง",
)  # fmt: skip
BACK_ORDER = (
    "back-order", "backorder", "back order", "on order", "nachbestell", "nachlieferung",
    "sur commande", "bajo pedido", "sobre pedido", "para reserva", "com a reserva",
    "su ordinazione", "por encomenda", "op bestelling", "nabestelling", "na zamówienie",
    "na objednávku", "na spätnú objednávku", "po narudžbi", "uz narudžbu", "po naročilu",
    "под заказ", "для резервирования", "під замовлення", "beställningsvara", "bestillingsvare",
    "restorder", "restordre", "tilaustuote", "jälkitoimitu", "järeltellimi", "rendelésre",
    "la comandă", "comandă în așteptare", "取り寄せ", "للحجز", "延迟发货", "延期出貨",
)  # fmt: skip
#: On a button that stands where the one to buy would: the product is gone for now.
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
#: What stands in front of what a shop says of its stock, and a colon.
LABELS = (
    "availability", "stock status", "verfügbarkeit", "lieferstatus", "lieferbarkeit",
    "lagerbestand", "disponibilidad", "disponibilité", "disponibilità", "disponibilitat",
    "disponibilitate", "beschikbaarheid", "lagerstatus", "tilgjengelighet", "tilgængelighed",
    "tillgänglighet", "saatavuus", "saadavus", "pieejamība", "prieinamumas", "pasiekiamumas",
    "dostupnos", "raspoloživost", "dostępność", "razpoložljivost", "наличие", "наявність",
    "наличност", "доступность", "доступність", "elérhetőség", "készlet", "stok durumu", "uygunluk",
    "διαθεσιμότητα", "庫存", "库存", "在庫", "재고", "是否有貨", "是否有货", "זמינות", "التوفر",
    "التوافر", "حالة المخزون", "موجودی", "دسترسی", "สถานะสินค้า", "สต็อก", "ketersediaan",
    "lagersaldo", "lagerstaða", "stav skladu", "उपलब्धता", "მარაგი",
)  # fmt: skip
