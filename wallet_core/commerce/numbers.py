"""Numbers that people read out: order numbers and codes."""

from uuid import UUID

#: Crockford's base 32: no I, L, O or U, so that nothing is misheard or misread.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def readable_number(name: UUID, length: int = 8) -> str:
    """`length` characters of 5 bits each, made from `name`; equal names give the equal number."""
    bits = name.int & (1 << 5 * length) - 1
    return "".join([_ALPHABET[bits >> place & 31] for place in range(0, 5 * length, 5)])


def as_typed(text: str) -> str:
    """A number as somebody typed it, brought to its own spelling: `o0li-…` becomes `0011…`."""
    plain = text.strip().upper().replace("-", "").replace(" ", "").lstrip("#")
    return plain.translate(str.maketrans("OIL", "011"))
