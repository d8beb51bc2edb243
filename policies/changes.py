"""What a new notice changed: in its text, section by section (PIPL 17(2)), and in what members are asked for (PIPL 14(2)).

Whoever has read an earlier version is told the parts that are new, however many versions lie between: the two texts are compared
directly, so what was changed and changed back is no news.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from policies.scopes import widened
from policies.terms import Change, Notice, Scope

HEADING = re.compile(r"^#{1,6} .*?(?:\{#([a-z][a-z0-9_]*)\})?[ \t\r]*$", re.MULTILINE)
PREAMBLE = ""
"""The section of what stands before the first heading with a name."""

_NAME = re.compile(r"[ \t]*\{#[a-z][a-z0-9_]*\}[ \t\r]*$")


def sections(text: str) -> dict[str, str]:
    """The named sections of a text, in its order, each with its heading. A heading without a name belongs to the section before it."""
    named = [heading for heading in HEADING.finditer(text) if heading[1]]
    ends = [heading.start() for heading in named] + [len(text)]
    found = {PREAMBLE: text[: ends[0]].strip()}
    for heading, end in zip(named, ends[1:], strict=True):
        title = _NAME.sub("", heading[0])
        found.setdefault(heading[1], f"{title}\n\n{text[heading.end() : end].strip()}".strip())
    return found


def changes(before: Notice | None, after: Notice) -> tuple[Change, ...]:
    """What is new in `after` for whoever knows `before` (None: nothing yet): sections that came, whose words differ, and that went."""
    if before is None:
        return tuple(_told(name, after) for name in _names(after))
    shared = before.parts.keys() & after.parts.keys()
    new = [name for name in _names(after) if any(_differs(name, before.parts[lang], after.parts[lang]) for lang in shared)]
    gone = [name for name in _names(before) if name not in _names(after)]
    return (*(_told(name, after) for name in new), *(Change(name, {}) for name in gone))


def _names(notice: Notice) -> list[str]:
    """Every section with words in it, in the order of the Chinese text."""
    chinese = notice.parts.get("zh-CN", {})
    return [name for name, text in chinese.items() if text]


def _told(name: str, notice: Notice) -> Change:
    return Change(name, {language: parts[name] for language, parts in notice.parts.items() if name in parts})


def _differs(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether the words below the heading are others. A heading's number says nothing: one section more moves them all."""
    return name not in before or _body(name, before[name]) != _body(name, after.get(name, ""))


def _body(name: str, text: str) -> str:
    return text if name == PREAMBLE else text.partition("\n")[2].strip()


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """What became of one purpose. `before` is None for a new one, `after` for one that is no longer asked for.

    `beyond` is in what it goes further than before (`fields`, `recipients`, `method`, `retention_months`): only that needs a new consent.
    """

    purpose: str
    before: Scope | None
    after: Scope | None
    beyond: tuple[str, ...]

    @property
    def needs_consent(self) -> bool:
        """Whether those who said yes before must be asked again."""
        return bool(self.beyond)

    @property
    def changed(self) -> bool:
        """Whether anything at all is different."""
        return self.before != self.after


def scope_changes(before: Mapping[str, Scope], after: Mapping[str, Scope]) -> tuple[ScopeChange, ...]:
    """Every purpose of either side, in the order of the later one."""
    return tuple(_scope_change(key, before.get(key), after.get(key)) for key in dict.fromkeys([*after, *before]))


def _scope_change(key: str, before: Scope | None, after: Scope | None) -> ScopeChange:
    beyond = widened(before, after) if before is not None and after is not None else ()
    return ScopeChange(key, before, after, beyond)
