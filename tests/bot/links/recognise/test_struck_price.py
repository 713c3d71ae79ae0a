"""Data that keep a price which the page strikes out."""

from bot.links.recognise import recognise
from bot.links.recognise.sighting import Sighting

_STRUCK = '<i style="text-decoration: line-through">18.990.000đ</i>'
_HEAD = (
    '<script type="application/ld+json">{"@type":"Product","name":"Trà",'
    '"offers":{"price":18990000,"priceCurrency":"VND"}}</script>'
)


def seen(body: str, heading: str = "<h1>Trà</h1>") -> Sighting:
    html = f"<html lang='vi'><head>{_HEAD}</head><body>{heading}{body}</body></html>"
    return recognise(html.encode(), "https://shop.example/p/tea")


def test_the_price_beside_the_one_that_is_struck_out_is_shown_with_a_doubt() -> None:
    found = seen(f"<div><p><b>13.790.000đ</b></p><p>{_STRUCK}<i>-28%</i></p></div>")
    assert (found.price_minor, found.list_price_minor) == (13_790_000, 18_990_000)
    assert found.disagreements
    assert found.sources["price"] == "page"
    assert not found.structured


def test_what_is_struck_out_far_from_the_price_changes_nothing() -> None:
    far = "<div><p>1</p></div>" * 30
    found = seen(f"<section><b>13.790.000đ</b></section>{far}<section>{_STRUCK}</section>")
    assert found.price_minor == 18_990_000


def test_several_lower_amounts_beside_it_change_nothing() -> None:
    assert seen(f"<p><b>1.900.000đ</b><b>2.900.000đ</b>{_STRUCK}</p>").price_minor == 18_990_000


def test_a_price_that_stands_there_once_more_is_kept() -> None:
    body = f"<p><b>18.990.000đ</b></p><aside><b>13.790.000đ</b>{_STRUCK}</aside>"
    assert seen(body).price_minor == 18_990_000


def test_a_page_without_a_heading_says_nothing_of_it() -> None:
    assert seen(f"<p><b>13.790.000đ</b>{_STRUCK}</p>", heading="").price_minor == 18_990_000
