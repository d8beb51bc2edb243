"""Finds words however they are hidden: full width, capitals, invisible characters, spaces or punctuation between the letters.

The accident is a title with spaces for looks; the attacker writes 优 惠 券 so that a reviewer's search finds nothing. Only what a reader
sees counts, so invisible characters go first. Look-alikes of other scripts are not undone: a person reviews as well.
"""

import re
from functools import cache
from unicodedata import category, normalize

from policies.wording import Listed

_UNSEEN = frozenset({"Cf", "Mn", "Me"})
# Letters by name that every font shows as nothing.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_SPACES = re.compile(r"\s+")
_GAP = r"[\W_]{0,8}"
_BREAK = "\n" * 9
"""Wider than any gap: what stands before it and after it is never read as one word."""


def plain(text: str) -> str:
    """The text as it is searched: one width, one case, one space, nothing invisible."""
    seen = "".join(c for c in normalize("NFKC", text) if category(c) not in _UNSEEN and c not in _BLANK_LETTERS)
    # HTML shows any number of spaces and line ends as one; so many of them would be wider than any gap.
    return _SPACES.sub(" ", normalize("NFKC", seen).casefold())


def words_in(listed: Listed, text: str) -> tuple[str, ...]:
    """Which of the words stand in the text, outside the phrases let be. What a longer word tells, a shorter one does not repeat."""
    left = plain(text)
    for phrase in listed.unless:
        left = _pattern(phrase).sub(_BREAK, left)
    found = []
    for word in sorted(listed.words, key=lambda word: (-len(word), word)):
        left, count = _pattern(word).subn(_BREAK, left)
        found += [word] * bool(count)
    return tuple(found)


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """Letter by letter, with a gap allowed after each. A Latin word ends where letters end, or `sale` would be found in `wholesaler`."""
    letters = [letter for letter in plain(word) if letter not in " ."]
    before = _edge(letters[0], "(?<!")
    after = ("(?:e?s)?" if letters[-1].isascii() and letters[-1].isalpha() else "") + _edge(letters[-1], "(?!")
    return re.compile(before + _GAP.join(re.escape(letter) for letter in letters) + after)


def _edge(letter: str, opening: str) -> str:
    if not (letter.isascii() and letter.isalnum()):
        return ""
    return f"{opening}{'[a-z]' if letter.isalpha() else '[0-9]'})"
