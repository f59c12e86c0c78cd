"""Long texts, cut so that they can be read."""


def shortened(text: str, most: int) -> str:
    """At most so many characters; cut between words, or within one where there is no space near."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at_space, _, word = cut.rpartition(" ")
    return f"{(at_space if len(word) < most // 4 else cut).rstrip()}…"
