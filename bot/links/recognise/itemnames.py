"""Which properties and types of microdata and RDFa anybody asks for, and which lead astray."""

from functools import lru_cache

from bot.links.recognise.markup import text_of
from bot.links.recognise.values import type_names

#: A property that lies in the page's own item may still be of something else.
_BESIDE = frozenset({"isrelatedto", "issimilarto", "isaccessoryorsparepartfor", "itemreviewed",
                     "itemlistelement", "item", "review", "reviews", "mentions"})  # fmt: skip
#: Items of these types say nothing of a product, whatever they stand in.
_ASIDE = frozenset(
    {"breadcrumblist", "listitem", "review", "rating", "question", "answer", "comment",
     "sitenavigationelement", "wpheader", "wpfooter", "searchaction", "interactioncounter",
     "postaladdress"}
)  # fmt: skip
_WANTED = _BESIDE | frozenset(
    {"name", "price", "pricecurrency", "lowprice", "highprice", "offers", "offercount",
     "pricespecification", "pricetype", "availability", "sku", "productid",
     "gtin", "gtin8", "gtin12", "gtin13", "gtin14", "isbn", "ean", "upc", "barcode", "image",
     "url", "contenturl", "brand", "manufacturer", "seller", "model", "hasvariant",
     "isvariantof", "inventorylevel", "value", "valueaddedtaxincluded", "referencequantity",
     "mainentityofpage", "validformembertier", "eligiblequantity", "minvalue", "minprice",
     "maxprice", "pricecomponenttype", "billingduration", "billingincrement", "billingstart",
     "unitcode"}
)  # fmt: skip


@lru_cache(maxsize=512)
def names_in(written: bytes) -> tuple[str, ...]:
    """The names in an attribute that may hold several."""
    return tuple(text_of(written).split())


@lru_cache(maxsize=512)
def is_wanted(written: bytes) -> bool:
    """Whether a property is one that anybody asks for; the texts of reviews are not."""
    return not _WANTED.isdisjoint(map(_short, names_in(written)))


@lru_cache(maxsize=512)
def leads_astray(names: tuple[str, ...], types: tuple[str, ...]) -> bool:
    """Whether nothing in an item, by its properties and types, is about the page's product."""
    return not (_BESIDE.isdisjoint(map(_short, names)) and _ASIDE.isdisjoint(type_names(types)))


def _short(name: str) -> str:
    return name.rpartition(":")[2].rpartition("/")[2].lower()
