"""A notice as a page to read: 中文 first, no script, nothing from anywhere else.

The Markdown is rendered by markdown-it-py, which the terminal's library brings anyway, with raw HTML and pictures switched off: whoever
writes a notice cannot put anything into the page but text (docs/decisions/0015).
"""

import re
from base64 import b64encode
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

from policies.terms import Catalogue, Notice

_STYLE: Final = """
body { font: 16px/1.8 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; margin-top: 2.2rem } h3 { font-size: 1rem }
header, footer { color: #555; font-size: .9rem }
.table { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem }
th, td { border: 1px solid #ccc; min-width: 5em; padding: .3rem .5rem; text-align: left; vertical-align: top }
code { overflow-wrap: anywhere }
a { color: #a3271f }
:target { background: #fff3d6 }
"""
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NAME = re.compile(r"\s*\{#([a-z][a-z0-9_]*)\}$")
_LANGUAGES = {"zh-CN": "中文", "en": "English"}
_KINDS = {"GENERAL": "隐私政策 General notice", "CHILD": "儿童个人信息保护规则 Rules for children's guardians"}


def page(notice: Notice, language: str) -> str:
    """One text, with where it can be saved from and what proves it."""
    body = _MARKDOWN.render(notice.texts[language].decode())
    body = body.replace("<table>", '<div class="table"><table>').replace("</table>", "</table></div>")
    others = " · ".join(
        f'<a href="{escape(other)}" lang="{escape(other)}">{escape(_LANGUAGES.get(other, other))}</a>'
        for other in sorted(notice.texts, key=lambda other: other != "zh-CN")
    )
    header = f'<header><a href="../../notices">全部版本 All versions</a> · {others} · <a href="{language}.md">保存原文 Save</a></header>'
    footer = f"<footer>{_facts(notice)}<br>SHA-256 <code>{notice.digests[language]}</code></footer>"
    return _document(language, f"{notice.version}", f"{header}\n<main>\n{body}</main>\n{footer}")


def index(catalogue: Catalogue, now: datetime) -> str:
    """Every version, newest first; those that hold now are marked."""
    current = {notice.version for kind in _KINDS if (notice := catalogue.notice_in_force(now, kind)) is not None}
    newest = sorted(catalogue.notices.values(), key=lambda notice: (notice.effective_at, notice.version), reverse=True)
    rows = "\n".join(_row(notice, in_force=notice.version in current) for notice in newest)
    name = catalogue.controller.legal_name
    head = f'<h1>个人信息处理规则 <span lang="en">Notices</span></h1>\n<p>{escape(name.zh)} <span lang="en">{escape(name.en)}</span></p>'
    return _document("zh-CN", "个人信息处理规则 Notices", f"<main>\n{head}\n<ul>\n{rows}\n</ul>\n</main>")


def _row(notice: Notice, *, in_force: bool) -> str:
    links = " · ".join(
        f'<a href="notices/{notice.version}/{language}" lang="{language}">{escape(_LANGUAGES.get(language, language))}</a>'
        f' (<a href="notices/{notice.version}/{language}.md">.md</a>)'
        for language in sorted(notice.texts, key=lambda language: language != "zh-CN")
    )
    mark = " <strong>现行 In force</strong>" if in_force else ""
    return f"<li>{_facts(notice)}{mark}<br>{links}</li>"


def _facts(notice: Notice) -> str:
    day = notice.effective_at.isoformat()
    return f"{_KINDS[notice.kind]} {notice.version} · 生效 In effect <time>{day}</time>"


def _document(language: str, title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _name_headings(state: StateCore) -> None:
    """`## 二、如何联系我们 {#contact}` is a heading that can be linked to, and its name is not shown."""
    for heading, text in zip(state.tokens, state.tokens[1:], strict=False):
        found = _NAME.search(text.content) if heading.type == "heading_open" else None
        if found is not None:
            heading.attrSet("id", found[1])
            text.content = text.content[: found.start()]


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
    made.core.ruler.before("inline", "name_headings", _name_headings)
    return made


_MARKDOWN = _markdown()
