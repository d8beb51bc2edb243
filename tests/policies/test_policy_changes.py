"""What a new notice changed: told section by section, and exactly."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.catalogue import load
from policies.changes import PREAMBLE, changes, sections
from policies.terms import Notice
from tests.policy_folder import draft, edit, publish, shipped

NAMES = st.sampled_from(["contact", "purposes", "expiry", "storage"])
BODY = st.sampled_from(["", "一", "two\nlines", "### 小标题\n三", "four  "])
TEXTS = st.dictionaries(NAMES, BODY, max_size=4)
START = datetime(2026, 1, 1, tzinfo=UTC)


def written(parts: dict[str, str], preamble: str = "前言") -> str:
    """A text with these sections, numbered."""
    return f"# 标题\n{preamble}\n" + "".join(
        f"## {i}、节 {{#{name}}}\n\n{body}\n\n" for i, (name, body) in enumerate(parts.items())
    )


def notice(number: int, chinese: dict[str, str], english: dict[str, str] | None = None) -> Notice:
    """A notice with these sections."""
    both = {"zh-CN": sections(written(chinese))} | ({"en": sections(written(english))} if english is not None else {})
    at = START + timedelta(days=number)
    return Notice(f"2026-{number:02}", "GENERAL", at, None, frozenset(chinese), {}, {}, parts=both)


def test_a_section_goes_from_its_heading_to_the_next_one_with_a_name() -> None:
    found = sections("# 标题\n前言\n\n## 一、甲 {#a}\n\n话\n\n### 小标题\n\n更多\n## 二、乙 {#b}\n末")

    assert found == {PREAMBLE: "# 标题\n前言", "a": "## 一、甲\n\n话\n\n### 小标题\n\n更多", "b": "## 二、乙\n\n末"}


@given(TEXTS, st.text(max_size=3))
def test_a_notice_changes_nothing_against_itself(parts: dict[str, str], more: str) -> None:
    assert changes(notice(1, parts, parts), notice(2, parts, parts)) == ()
    assert [change.section for change in changes(None, notice(1, parts))] == [PREAMBLE, *parts]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_change_is_told_exactly_where_the_words_are_others(
    old: dict[str, str], new: dict[str, str], old_en: dict[str, str], new_en: dict[str, str]
) -> None:
    english = ({key: old_en.get(key, "") for key in old}, {key: new_en.get(key, "") for key in new})
    found = {change.section: change.texts for change in changes(notice(1, old, english[0]), notice(2, new, english[1]))}

    for name in old.keys() | new.keys():
        same = all(
            name in before and name in after and before[name].strip() == after[name].strip()
            for before, after in ((old, new), (english[0], english[1]))
        )
        assert (name in found) is not same
        if name in found:
            assert set(found[name]) == ({"zh-CN", "en"} if name in new else set())
    assert PREAMBLE not in found


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_over_several_versions_nothing_is_told_that_no_version_changed(texts: list[dict[str, str]]) -> None:
    chain = [notice(number, parts) for number, parts in enumerate(texts, start=1)]
    steps = [change.section for before, after in pairwise(chain) for change in changes(before, after)]

    assert {change.section for change in changes(chain[0], chain[-1])} <= set(steps)


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_whoever_is_told_the_changes_knows_the_new_text(texts: list[dict[str, str]]) -> None:
    first, last = notice(1, texts[0]), notice(2, texts[-1])
    known = {name: text.partition("\n")[2].strip() for name, text in first.parts["zh-CN"].items() if name}
    for change in changes(first, last):
        known.pop(change.section, None)
        if change.texts:
            known[change.section] = change.texts["zh-CN"].partition("\n")[2].strip()

    assert known == {name: body.strip() for name, body in texts[-1].items()}


@pytest.mark.obligation("NC-10")
def test_a_loaded_notice_says_what_it_changed_against_the_one_that_it_supersedes(tmp_path: Path) -> None:
    folder = shipped(tmp_path)
    draft(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    edit(folder, "notices/2026-12/zh-CN.md", "- 电子邮箱：privacy@retail.example.com", "- 电子邮箱：dpo@retail.example.com")
    edit(folder, "notices/2026-12/en.md", "- E-mail: privacy@retail.example.com", "- E-mail: dpo@retail.example.com")
    publish(folder, "2026-12", effective_at="2026-12-01T00:00:00+08:00")
    notices = load(folder).notices

    (change,) = notices["2026-12"].changes
    assert change.section == "contact"
    assert "dpo@retail.example.com" in change.texts["zh-CN"] and "dpo@retail.example.com" in change.texts["en"]
    assert "{#" not in change.texts["zh-CN"]
    assert notices["2026-10"].changes == ()
