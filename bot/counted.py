"""Numbers of things in words."""


def counted(count: int, thing: str, things: str = "") -> str:
    """`1 product`, `1,200 products`; `things` is the plural where that is not `thing` and an s."""
    return f"{count:,} {thing if count == 1 else things or f'{thing}s'}"
