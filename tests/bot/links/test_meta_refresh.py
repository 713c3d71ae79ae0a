"""Pages that send their reader on."""

import pytest

from bot.links.meta_refresh import refresh_target


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<meta http-equiv="refresh" content="0;url=https://a.com/x">', "https://a.com/x"),
        ("<META CONTENT='0; URL=/x?a=1&amp;b=2' HTTP-EQUIV=Refresh>", "/x?a=1&b=2"),
        ("<meta http-equiv=refresh content=\"1, 'https://a.com/'\">", "https://a.com/"),
        ('<meta http-equiv="refresh" content="0.5;url=/x" />', "/x"),
        ('<meta http-equiv="refresh" content="60;url=/x">', None),
        ('<meta http-equiv="refresh" content="5">', None),
        ('<meta name="refresh" content="0;url=/x">', None),
        ('<meta http-equiv="refresh">', None),
        ("<p>0;url=/x</p>", None),
        ('<meta http-equiv="refresh" content="0;url=/x">' + " " * 20_000, None),
    ],
)
def test_only_a_small_page_with_a_quick_refresh_leads_on(page: str, expected: str | None) -> None:
    assert refresh_target(page.encode()) == expected


def test_a_page_made_to_slow_the_search_does_not() -> None:
    for unit in (b"<meta ", b"<meta http-equiv=refresh content=", b'<meta content="0;url=', b"<"):
        refresh_target((unit * 20_000)[:16_000])
