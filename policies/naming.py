"""A name as the policy gives it, in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages; 中文 is the legal text."""

    zh: str
    en: str
