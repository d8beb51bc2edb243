"""The pack's page for people, in 中文 and English: what it is, every figure with its definition, and what is to be added from elsewhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from menshen_verifier.figures import Value
from service.oversight.pack.figures import TOPICS, Figure
from service.oversight.pack.gaps import GAPS

NAME = "README.md"


def page(told: Mapping[str, Any], figures: Sequence[Figure], values: Mapping[str, Value]) -> str:
    """Markdown, the Chinese page first."""
    return "\n".join([*_page(told, figures, values, "zh"), "", "---", "", *_page(told, figures, values, "en"), ""])


_WORDS = {
    "zh": (
        "个人信息保护合规审计资料包",
        "期间",
        "截至",
        "每项数字均可由 data/ 下的文件按 figures.json 中的定义重新算出：`menshen oversight recompute 文件 --key 公钥`。",
        "数字",
        "定义",
        "本系统不持有，请另行补充",
        "无",
    ),
    "en": (
        "Pack for a compliance audit of personal information protection",
        "Period",
        "As of",
        "Every figure can be worked out again from data/ by its definition in figures.json: `menshen oversight recompute FILE --key VKEY`.",
        "Figure",
        "Definition",
        "Not held by this system; add it from elsewhere",
        "none",
    ),
}


def _page(told: Mapping[str, Any], figures: Sequence[Figure], values: Mapping[str, Value], language: str) -> Iterator[str]:
    title, period, as_of, how, figure, definition, missing, none = _WORDS[language]
    yield from (
        f"# {title}",
        "",
        f"{told['controller']} · {period} {told['from']} – {told['to']} · {as_of} {told['asOf']}",
        "",
        how,
    )
    for topic, name in TOPICS.items():
        yield from ("", f"## {getattr(name, language)}", "", f"| {figure} | | {definition} |", "|---|---|---|")
        for one in figures:
            if one.topic == topic:
                yield f"| {getattr(one.title, language)} | {_value(values[one.key], none)} | {_definition(one)} |"
        for gap in GAPS:
            if gap.topic == topic:
                yield from ("", f"**{missing}**: {getattr(gap.title, language)}")


def _value(value: Value, none: str) -> str:
    if isinstance(value, int):
        return str(value)
    return "<br>".join(f"{_cell(key)}: {number}" for key, number in value.items()) or none


def _definition(figure: Figure) -> str:
    return f"`{figure.key}`: `{_cell(json.dumps(figure.definition, ensure_ascii=False))}`"


def _cell(text: str) -> str:
    return text.replace("|", " / ")
