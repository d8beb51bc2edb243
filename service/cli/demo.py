"""What `menshen demo` invents, and the four calls it prints: consent, read, withdraw, withheld."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta

from rich.console import Console
from rich.progress import track

from policies.terms import Basis, Catalogue, Purpose
from service.app import Parts, issue_token
from service.audit import store as log
from service.audit.entry import Draft
from service.audit.journal import Ack
from service.consent import commands as consent
from service.consent.model import CaptureChannel, Decision, Evidence, Expression
from service.errors import RecordUnavailable
from service.members import store as members
from service.members.model import Joined
from service.unit import Unit
from service.values import Actor, ActorKind, Call

_out = Console(highlight=False, soft_wrap=True)
_BATCH = 20
"""Members a unit: its entry names every answer, seven for each, and holds two hundred names (docs/formats/audit-entry.md)."""
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    *("伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "洋"),
    *("艳", "勇", "杰", "娟", "涛", "超", "明", "霞", "平", "桂英", "颖"),
)
_REGIONS = ("广东省深圳市", "浙江省杭州市", "四川省成都市", "江苏省南京市", "湖北省武汉市", "上海市", "北京市")
_TIERS = ("普通", "银卡", "金卡", "钻石")
_INTERESTS = (("美食", "旅行"), ("母婴",), ("阅读", "家居"), ("运动", "户外"), ("美妆",))


def caller(name: str, role: str, request_id: str) -> Call:
    """A call of the system's own, in a role of the catalogue."""
    return Call(Actor(ActorKind.SYSTEM, name, frozenset({role})), request_id)


def invented(number: int) -> Mapping[str, object]:
    """The n-th invented member. Nobody's data: numbers count up, mail goes to a reserved domain."""
    given = _GIVEN[number * 7 % len(_GIVEN)]
    return {
        "name": _SURNAMES[number % len(_SURNAMES)] + given,
        "phone": f"+86199{number:08d}",
        "email": f"member{number}@example.com",
        "birthday": f"{1960 + number % 45}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "gender": ("女", "男")[number % 2],
        "region": _REGIONS[number % len(_REGIONS)],
        "address": f"{_REGIONS[number % len(_REGIONS)]}示例路{number}号",
        "interests": list(_INTERESTS[number % len(_INTERESTS)]),
        "tier": _TIERS[number % len(_TIERS)],
        "points": number * 37 % 20000,
    }


async def populate(running: Parts, count: int) -> None:
    """Make members until there are `count`, each having answered every consent in a way of its own."""
    there = await members.count(running.database.read)
    if there >= count:
        _out.print(f"会员 members: {there}")
        return
    batches = range(there, count, _BATCH)
    for start in track(batches, description="会员 inventing members", console=_out):
        await _batch(running, range(start, min(start + _BATCH, count)))


async def _batch(running: Parts, numbers: range) -> None:
    call = caller("demo", "mini_program", f"demo-{numbers.start}")

    async def work(unit: Unit) -> None:
        purpose = _joining_purpose(unit.catalogue)
        for number in numbers:
            fields = {key: value for key, value in invented(number).items() if key in unit.catalogue.purposes[purpose].fields}
            joined = await consent.join(
                unit, purpose=purpose, fields=fields, evidence=_shown(running), decisions=tuple(_answers(unit.catalogue, number))
            )
            assert isinstance(joined, Joined), joined
        unit.draft.count, unit.draft.consent = len(numbers), ""

    await running.units.change(call, Draft(typ="change", operation="demo"), work)


def _joining_purpose(catalogue: Catalogue) -> str:
    """The service purpose that the mini-program may state and that covers the most fields."""
    own = [p for p in catalogue.purposes.values() if "mini_program" in p.roles and p.basis is Basis.CONTRACT]
    return max(own, key=lambda purpose: len(purpose.fields)).key


def _shown(running: Parts) -> Evidence:
    now = running.clock()
    notice = running.catalogue.notice_in_force(now)
    assert notice is not None
    return Evidence(
        notice_version=notice.version,
        language="zh-CN",
        presented_at=now - timedelta(seconds=30),
        expression=Expression.TAP_UNTICKED_BOX,
        screen="demo/join",
        channel=CaptureChannel.MINI_PROGRAM,
    )


def _answers(catalogue: Catalogue, number: int) -> Iterator[Decision]:
    """Two in three say yes to a purpose; what must be asked alone is not asked at joining."""
    asked = (p for p in catalogue.purposes.values() if p.basis is Basis.CONSENT and not p.separate_consent)
    for position, purpose in enumerate(asked):
        yield Decision(purpose.key, (number + position) % 3 != 0)


async def _log(running: Parts) -> tuple[int, int]:
    """How many entries there are, and how many of them are signed once the first checkpoint had its moment."""
    head = await log.head(running.database.read, running.journal.authority.origin)
    size = head.size if head else 0
    with suppress(RecordUnavailable):
        await running.publisher.reached(size, Ack.SIGNED)
    return size, min(size, running.publisher.state.signed)


async def invite(running: Parts) -> None:
    """Print where things are, a token for each role, and four calls to paste."""
    url = f"http://{running.config.host}:{running.config.port}"
    example = await _newest_member(running)
    _out.print(f"\n[bold]门神 Menshen[/] {url}/  ·  GraphiQL {url}/graphql  ·  {url}/readyz\n")
    size, signed = await _log(running)
    _out.print(f"审计日志 audit log: {size} 条 entries, {signed} 已签名 signed  ·  menshen audit status\n")
    _out.print("[bold]令牌 tokens[/] (12 小时 hours)")
    for key, declared in running.catalogue.roles.items():
        token = issue_token(running, role=key, member_id=example if declared.kind == "member" else None)
        _out.print(f"  {declared.title.zh} {declared.title.en}\n  [dim]{token}[/]")
    _out.print("\n[bold]四个调用 four calls[/]: 同意 consent → 读取 read → 撤回 withdraw → 拒绝 withheld\n")
    for title, role, query in _calls(running, example):
        token = issue_token(running, role=role, member_id=example if role == "member" else None)
        body = json.dumps({"query": query}, ensure_ascii=False)
        _out.print(f"[green]# {title}[/]")
        _out.print(f"curl -s {url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {token}' -d '{body}'\n")


async def _newest_member(running: Parts) -> str:
    found = await members.newest(running.database.read)
    assert found is not None
    return found


def _calls(running: Parts, member_id: str) -> Iterator[tuple[str, str, str]]:
    """Title, role and query of each call."""
    purpose = _telling_purpose(running.catalogue)
    reader = min(role for role in purpose.roles if running.catalogue.roles[role].kind == "staff")
    shown = _shown(running)
    presented = shown.presented_at.isoformat()
    evidence = (
        f'noticeVersion: "{shown.notice_version}", language: "{shown.language}", presentedAt: "{presented}", '
        f'expression: BUTTON, screen: "mini/consent", channel: MINI_PROGRAM'
    )
    outcome = "{ __typename ... on ConsentsRecorded { standings { purpose state since } } }"
    fields = "id phone tier birthday withheld { field reason purpose remedy { operation notice } }"
    answer = f'decisions: [{{ purpose: "{purpose.key}", granted: true }}], evidence: {{ {evidence} }}'
    read = f'{{ member(id: "{member_id}", purpose: "{purpose.key}") {{ {fields} }} }}'
    yield "1 会员同意 the member says yes", "member", f"mutation {{ recordConsents({answer}) {outcome} }}"
    yield "2 为此目的读取 read for that purpose", reader, read
    yield (
        "3 会员撤回 the member takes it back",
        "member",
        f'mutation {{ withdrawConsent(purpose: "{purpose.key}", channel: MINI_PROGRAM) {outcome} }}',
    )
    yield "4 同一读取被拒绝 the same read is withheld", reader, read


def _telling_purpose(catalogue: Catalogue) -> Purpose:
    """A purpose that shows most: it rests on consent and covers a birthday, and a person may state it."""
    staffed = (p for p in catalogue.purposes.values() if any(catalogue.roles[role].kind == "staff" for role in p.roles))
    return next(p for p in staffed if p.basis is Basis.CONSENT and not p.separate_consent and "birthday" in p.fields)
