"""`menshen consent verify`: what a stranger runs, far from this service, with nothing but a receipt, the published keys and the notice."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from policies.text import holds_unseen
from service.cli.terminal import AsJson, content
from service.identity.keys import parse_jwks
from service.receipts.jws import thumbprint
from service.receipts.model import Judgement, Verdict
from service.receipts.verdict import Keys, Notices, found_in, judge

_MOST_BYTES = 4 * 1024 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9-]{1,40}")

_SAID: Mapping[Verdict, tuple[str, str]] = {
    Verdict.VALID: (
        "签名成立：自签发以来，一个字节都没有改动。",
        "The signature holds: not a byte has changed since it was signed.",
    ),
    Verdict.ALTERED: (
        "签名不成立：回执已被改动，或并非由此密钥签发。其内容不可信，不予显示。",
        "The signature does not hold: it was altered, or this key never signed it. What it says is not shown.",
    ),
    Verdict.UNKNOWN_KEY: (
        "所给公钥中没有签发此回执的密钥。请从 /.well-known/menshen/jwks.json 取得，并以 --jwks 给出。",
        "None of the given keys signed it. Get them at /.well-known/menshen/jwks.json and give them with --jwks.",
    ),
    Verdict.NOTICE_DIFFERS: (
        "签名成立，但文件夹中没有当时展示的告知文本，或其字节不同。",
        "The signature holds, but the notice that was shown is not in the folder, or has other bytes.",
    ),
}
_NOT_PROVEN = (
    "回执只证明这一次答复；此后是否撤回，须看更晚的回执。",
    "It proves this one answer; whether it was taken back since, a later receipt says.",
)

File = Annotated[Path, typer.Argument(help="回执（JWS，或 GraphQL 应答的 JSON） · The receipt: a JWS, or GraphQL's JSON.")]
Jwks = Annotated[
    Path | None, typer.Option("--jwks", help="公钥文件（JWKS） · The published keys, as a file.", show_default=False)
]
NoticeFolder = Annotated[
    Path | None,
    typer.Option("--notices", help="告知文件夹：版本/语言.md · Notices: VERSION/LANGUAGE.md.", show_default=False),
]


def verify(file: File, jwks: Jwks = None, notices: NoticeFolder = None, as_json: AsJson = False) -> None:
    """核对一份同意回执，无须联网 · Is this consent receipt what its controller signed? Asks nobody and reads only these files.

    Exits 0 when it is valid, 1 when it is not or cannot be proven with these keys, 2 when a file is not what it should be.
    """
    text = found_in(content(file, "FILE", most=_MOST_BYTES))
    keys = _keys(jwks) if jwks else {}
    judged = judge(text, keys, _in_folder(notices) if notices else None)
    (_as_json if as_json else _as_text)(judged)
    if judged.verdict is not Verdict.VALID:
        raise typer.Exit(1)


def _keys(path: Path) -> Keys:
    """The Ed25519 keys of a JWKS, under their true names whatever the file calls them. Raises Malformed, BadInput."""
    found = parse_jwks(content(path, "--jwks", most=_MOST_BYTES))
    raw = [key.key.public_bytes_raw() for key in found.values() if key.algorithm_name == "EdDSA"]
    return {thumbprint(key): key for key in raw}


def _in_folder(folder: Path) -> Notices:
    def notice(version: str, language: str) -> bytes | None:
        # The names come out of the receipt: whoever signs receipts must not choose what is read here.
        if not (_PLAIN.fullmatch(version) and _PLAIN.fullmatch(language)):
            return None
        path = folder / version / f"{language}.md"
        return content(path, "--notices", most=_MOST_BYTES) if path.is_file() else None

    return notice


def _as_text(judged: Judgement) -> None:
    typer.echo(f"{judged.verdict}")
    for line in _SAID[judged.verdict]:
        typer.echo(f"  {line}")
    typer.echo(f"  密钥 key {judged.key_id}")
    if judged.document is None:
        return
    if "dpv:hasNotice" in judged.document and judged.verdict is Verdict.VALID:
        checked = "已核对 checked" if judged.notice_checked else "未核对，给出 --notices 即可 · not checked; give --notices"
        typer.echo(f"  告知文本 notice: {checked}")
    for line in _NOT_PROVEN:
        typer.echo(f"  {line}")
    for part in judged.document["dct:description"]:
        typer.echo(f"\n{_printable(part['@value'])}")


def _printable(text: str) -> str:
    """What a receipt says, on its lines. Anybody can sign one with a key of their own: it must not write over what is said of it here."""
    return "".join(each if each == "\n" or not holds_unseen(each) else "\N{REPLACEMENT CHARACTER}" for each in text)


def _as_json(judged: Judgement) -> None:
    zh, en = _SAID[judged.verdict]
    facts: dict[str, Any] = {
        "verdict": judged.verdict.value,
        "keyId": judged.key_id,
        "noticeChecked": judged.notice_checked,
        "zh": zh,
        "en": en,
        "receipt": judged.document,
    }
    typer.echo(json.dumps(facts, ensure_ascii=False))
