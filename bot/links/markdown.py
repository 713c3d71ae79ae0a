"""What stands for a link that is written as Markdown: people see it in the target's stead.

Brackets are paired as CommonMark pairs them: none reaches over a blank line, no link holds another
one, and no picture another picture. So one pass finds the texts of all links, and together they
are at most twice as long as the message.
"""

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping

_PARTS = re.compile(r"\\.|!?\[|\]|\n[ \t]*+\n")
#: Behind a text: `](https://…`, also with blanks or a pointed bracket before the address.
_INLINE = re.compile(r"\(\s{0,9}<?")
#: Behind a text: the label that is defined elsewhere, empty where the text itself is the label.
_REFERENCE = re.compile(r"\[([^\[\]]{0,999})\]")
#: `[1]: https://…` at the beginning of a line, also of a quoted or listed one.
_DEFINITION = re.compile(
    r"^[ \t>*+\-]{0,20}\[([^\[\]]{1,999})\]:[ \t]{0,9}(?:\n[ \t]{0,9})?<?", re.MULTILINE
)


def shown_texts(text: str) -> Mapping[int, str]:
    """Where the target of each Markdown link begins, and what is shown for it.

    What several links to one target show stands a line each.
    """
    if "](" not in text and "]:" not in text:
        return {}
    definitions = list(_DEFINITION.finditer(text))
    # All that one label may lead to: which of several counts is not the same everywhere.
    targets: dict[str, list[int]] = defaultdict(list)
    for definition in definitions:
        targets[_plain(definition[1])].append(definition.end())
    own = {definition.start(1) for definition in definitions}
    shown: dict[int, str] = {}
    references: dict[str, list[str]] = defaultdict(list)
    for begin, end, target in _links(text, targets):
        if isinstance(target, int):
            shown[target] = text[begin:end]
        elif begin not in own:
            references[target].append(text[begin:end])
    for label, texts in references.items():
        shown.update(dict.fromkeys(targets[label], "\n".join(texts)))
    return shown


def _links(text: str, labels: Container[str]) -> Iterator[tuple[int, int, int | str]]:
    """Begin and end of each link's text, and where its target begins or which label it has."""
    # Where the text behind each open bracket begins, and whether it is a picture's.
    opened: list[tuple[int, bool]] = []
    # How many of them hold a link, or a picture, and so are none themselves.
    holding = {False: 0, True: 0}
    label_begin = 0
    for part in _PARTS.finditer(text):
        mark = part[0]
        if mark.endswith("["):
            if not mark.startswith("\\"):
                opened.append((part.end(), mark.startswith("!")))
        elif mark.startswith("\n"):
            opened.clear()
            holding = {False: 0, True: 0}
        elif mark == "]" and opened:
            begin, is_picture = opened.pop()
            may_be = len(opened) >= holding[is_picture] and begin != label_begin
            holding = {kind: min(count, len(opened)) for kind, count in holding.items()}
            target = _target(text, begin, part.start(), labels) if may_be else None
            if target is not None:
                holding[is_picture] = len(opened)
                if _REFERENCE.match(text, part.end()):
                    # The label right behind the text is no text itself.
                    label_begin = part.end() + 1
                yield begin, part.start(), target


def _target(text: str, begin: int, end: int, labels: Container[str]) -> int | str | None:
    """Where the target of a text in brackets begins, or the label that it has; None for neither."""
    inline = _INLINE.match(text, end + 1)
    if inline:
        return inline.end()
    reference = _REFERENCE.match(text, end + 1)
    if reference and reference[1]:
        label = reference[1]
    elif text.find("[", begin, end) < 0:
        label = text[begin:end]
    else:
        return None
    plain = _plain(label)
    return plain if plain in labels else None


def _plain(label: str) -> str:
    """A label in the form in which labels are compared."""
    return " ".join(label.casefold().split())
