"""What stands in an entry, on a terminal: whoever wrote it may have written more than letters."""

import json


def harmless(text: str) -> str:
    """The same JSON, without letters that move a terminal's cursor or turn its lines around. Line breaks stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else json.dumps(letter)[1:-1] for letter in text)
