"""Words: numbers with their nouns."""


def plural(n: int, noun: str, many: str = "", spec: str = "") -> str:
    """A number and its noun: `1 image`, `2 images`; `many` is the noun of more where that takes no s.

    `spec` formats the number, such as `,` for 1,000.
    """
    return f"{n:{spec}} {noun if n == 1 else many or f'{noun}s'}"
