"""Labels for stock in a page's text, such as "Availability:", and what stands behind them."""

import re

from bot.links.recognise.facts import PageFacts
from bot.links.recognise.saidstock import said_availability
from bot.links.recognise.stockwords import IN_STOCK, LABELS, SOLD_OUT

_BEHIND_LABEL = re.compile(r"[^:：.;!?]{0,15}[:：]\s{0,3}(\S.{0,40})")
#: Where the label and its answer are told apart only by how they are drawn.
_RIGHT_BEHIND_LABEL = re.compile(r"\s{1,3}(\S.{0,25})")
_ANSWER = re.compile(
    r"(?:(yes|ja|oui|sì|sí|sim|da|tak|ano|áno|igen|kyllä|jah|evet|да|есть|є|так|有|是)"
    r"|(?:no|nein|non|não|nie|ne|nem|ei|hayır|нет|немає|ні|无|無))\b"
)
_STOCK_WORDS = (*IN_STOCK, *SOLD_OUT)
_DELIVERY_TIME = re.compile(
    r"\D{0,12}\d{1,2}(?: ?[-–/] ?\d{1,2})? ?(?:(?:working|business|production) )?"
    r"(?:days?|hours?|weeks?|h\b|tagen?|werktagen?|arbeitstage|stunden|wochen|jours|giorni|d[ií]as"
    r"|dni|dn[ůí]|dagen|dagar|dager|dage|päivää|nap|zile|дн|час|gün|日|天)",
    re.IGNORECASE,
)


def names_stock_once(facts: PageFacts) -> bool:
    """Whether the page labels one stock, as pages of one product do; a list labels many or none."""
    lowered = facts.behind_name.lower()
    answered = [place for place in _behind_labels(lowered) if _BEHIND_LABEL.match(lowered, place)]
    return len(answered) == 1 and not any(lowered.find(each, answered[0]) >= 0 for each in LABELS)


def labelled_stock(text: str) -> str | None:
    """schema.org's word for what stands behind the first label for stock; None without an answer.

    That a time of delivery is named there means that it does.
    """
    lowered = text.lower()
    places = _behind_labels(lowered)
    label = _BEHIND_LABEL.match(lowered, min(places)) if places else None
    if label is None:
        return _said_without_colon(lowered, places)
    answer = _ANSWER.match(label[1])
    if answer is not None:
        return "InStock" if answer[1] else "OutOfStock"
    told = said_availability(label[1])
    return "InStock" if told is None and _DELIVERY_TIME.match(label[1]) else told


def _said_without_colon(lowered: str, places: list[int]) -> str | None:
    """The same where nothing but a blank parts the first label from what it says."""
    label = _RIGHT_BEHIND_LABEL.match(lowered, min(places)) if places else None
    if label is None or not label[1].startswith(_STOCK_WORDS):
        return None
    return said_availability(label[1])


def _behind_labels(lowered: str) -> list[int]:
    """Where the text goes on behind the first of each label in it."""
    return [place + len(label) for label in LABELS if (place := lowered.find(label)) >= 0]
