"""Pages like those of real shops, small enough to be mutated by the hundred."""

_JSON_LD = """<!doctype html><html lang="en-GB"><head><meta charset="utf-8">
<title>Tea | Shop</title>
<meta property="og:type" content="product"><meta property="og:title" content="Tea">
<meta property="product:price:amount" content="4.90">
<meta property="product:price:currency" content="GBP">
<link rel="canonical" href="https://shop.example/p/tea">
<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
{"@type":"BreadcrumbList","itemListElement":[{"@type":"ListItem","position":1}]},
{"@type":"Product","name":"Tea","sku":"T-1","gtin13":"4006381333931","brand":{"name":"Leaf"},
"image":["/a.jpg"],"offers":[{"@type":"Offer","price":4.9,"priceCurrency":"GBP",
"availability":"https://schema.org/InStock","seller":{"name":"Shop"}}]}]}</script></head>
<body><nav><a>All</a></nav><main class="product"><h1>Tea</h1><del class="price old">£6.00</del>
<span class="price now">£4.90</span><p class="stock">In stock</p>
<form><button>Add to basket</button></form></main><aside class="related">
<span class="price">£3.00</span></aside></body></html>"""
_MICRODATA = """<html lang="de"><body><div itemscope itemtype="https://schema.org/Product">
<h1 itemprop="name">Tee</h1><img itemprop="image" src="t.jpg"><div itemprop="offers" itemscope
itemtype="https://schema.org/Offer"><span itemprop="price" content="12.50">12,50 €</span>
<meta itemprop="priceCurrency" content="EUR"><link itemprop="availability"
href="https://schema.org/OutOfStock"></div><div itemprop="review" itemscope
itemtype="https://schema.org/Review"><b itemprop="name">Gut</b></div></div></body></html>"""
_VARIANTS = """<script type="application/ld+json">{"@type":"ProductGroup","name":"Tea",
"hasVariant":[
{"@type":"Product","sku":"S","offers":{"@type":"AggregateOffer","lowPrice":"5","highPrice":"7",
"priceCurrency":"KWD"}},{"@type":"Product","sku":"L","offers":{"price":"19.900",
"priceCurrency":"KWD"}}]}</script>"""
_SHOPIFY = """<html lang="ja"><head><title>Tee</title></head><body><h1>Tee</h1>
<script>Shopify.currency = {"active":"JPY","rate":"1.0"};</script>
<script type="application/json" data-product-json>
{"title":"Tee","handle":"tea","available":true,
"variants":[{"id":1,"title":"S","price":120000,"available":true,"sku":"A","barcode":"x"},
{"id":2,"title":"L","price":140000,"available":false}]}</script></body></html>"""
_WOO = """<html><body class="woocommerce"><h1>Mug</h1><p class="price">
<del><span>$20.00</span></del>
<ins><span class="amount"><bdi>$</bdi>15.00</span></ins></p><form data-product_variations="[{
&quot;display_price&quot;:15,&quot;is_in_stock&quot;:true,&quot;sku&quot;:&quot;M&quot;,
&quot;attributes&quot;:{&quot;size&quot;:&quot;L&quot;}}]"></form></body></html>"""
_TEXT_ONLY = """<html lang="zh-CN"><head><title>茶</title></head><body><h1>茶</h1>
<p>售价：<b class="price">￥１，２９９．００</b> 起</p>
<button>加入购物车</button><p>缺货</p></body></html>"""
_RDFA = """<div vocab="https://schema.org/" typeof="Product"><h1 property="name">Tea</h1>
<div property="offers" typeof="Offer"><span property="price" content="1250">1 250</span>
<meta property="priceCurrency" content="JPY"></div></div>"""

REAL_LIKE = (_JSON_LD, _MICRODATA, _VARIANTS, _SHOPIFY, _WOO, _TEXT_ONLY, _RDFA)
