"""The six measures of PIPL 51, each shown by what the running deployment is at this moment. Nothing here is a constant "yes": what is not
there is MISSING, with what to do.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from policies.clock import day_in_shanghai
from policies.duties import UNUSED
from policies.naming import Title
from policies.terms import Catalogue, Sensitivity, Shape
from service.checkpoints.model import Published
from service.oversight import accounts
from service.oversight.model import Account, Artefact, Control, ControlKind, KeyFact, Measure, SignedReview, Standing
from service.values import utc_text

YEAR = timedelta(days=366)
QUARTER = timedelta(days=92)
CHECKPOINT_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was asked of the deployment."""

    catalogue: Catalogue
    now: datetime
    served_since: datetime | None
    controls: Sequence[Control]
    review: SignedReview | None
    accounts: Sequence[Account]
    keys: Sequence[KeyFact]
    checkpoint: Published | None
    entries: int
    health: str

    def newest(self, kind: ControlKind) -> Control | None:
        """The last of its kind that was recorded."""
        return max((found for found in self.controls if found.kind is kind), key=lambda found: found.held_on, default=None)


def measures(facts: Facts) -> tuple[Measure, ...]:
    """All six, in the law's order."""
    return (
        Measure("51(1)", Title("内部管理制度和操作规程", "Internal rules and procedures"), tuple(_rules(facts))),
        Measure("51(2)", Title("个人信息分类管理", "Classification"), tuple(_classes(facts))),
        Measure("51(3)", Title("加密、去标识化等安全技术措施", "Encryption and de-identification"), tuple(_ciphers(facts))),
        Measure("51(4)", Title("操作权限与安全教育培训", "Access rights and training"), tuple(_rights(facts))),
        Measure("51(5)", Title("安全事件应急预案", "Incident plan"), tuple(_incidents(facts))),
        Measure("51(6)", Title("其他措施：审计日志、备份", "Other measures: the audit log, backups"), tuple(_others(facts))),
    )


def _rules(facts: Facts) -> Iterator[Artefact]:
    catalogue = facts.catalogue
    yield Artefact("POLICY_DIGEST", Title("现行政策摘要", "Digest of the policy in force"), catalogue.digest)
    yield _found(
        "POLICY_SERVED_SINCE",
        Title("现行政策启用时间", "The policy served under since"),
        utc_text(facts.served_since) if facts.served_since else "",
        Title("启动服务（menshen serve）以登记", "Start the service (menshen serve): it registers the policy"),
    )
    yield _count("PURPOSES_DECLARED", Title("已声明处理目的数", "Purposes declared"), len(catalogue.purposes))
    yield _recorded(facts, ControlKind.INTERNAL_RULES, Title("内部管理制度文件", "The document of internal rules"))


def _classes(facts: Facts) -> Iterator[Artefact]:
    fields = facts.catalogue.fields.values()
    yield _count("FIELDS_CLASSIFIED", Title("已分类字段数", "Fields with a category"), len(list(fields)))
    sensitive = [field for field in fields if field.sensitivity is Sensitivity.SENSITIVE]
    yield Artefact("FIELDS_SENSITIVE", Title("敏感个人信息字段数", "Sensitive fields"), str(len(sensitive)))
    for category, count in sorted(Counter(field.category for field in fields).items()):
        title = facts.catalogue.categories[category].title
        yield Artefact(f"CATEGORY_{category.upper()}", Title(f"类别：{title.zh}", f"Category: {title.en}"), str(count))


def _ciphers(facts: Facts) -> Iterator[Artefact]:
    fields = facts.catalogue.fields.values()
    suites = "、".join(sorted({key.suite for key in facts.keys}))
    yield _found("CIPHER_SUITE", Title("加密算法", "Cipher suite"), suites, Title("没有密钥", "There are no keys"))
    stores = sorted({key.kms for key in facts.keys})
    yield _found(
        "MASTER_KEY",
        Title("主密钥的保管方式", "Where the master key is kept"),
        "" if "local" in stores else "、".join(stores),
        Title(
            "主密钥在本机文件中，仅供开发：配置 MENSHEN_KMS_URI",
            "The master key is a local file, for development only: set MENSHEN_KMS_URI",
        ),
    )
    yield _count("FIELDS_SEALED", Title("逐会员加密的字段数", "Fields sealed per member"), sum(field.sealed for field in fields))
    shapes = Counter(shape for purpose in facts.catalogue.purposes.values() for shape in purpose.fields.values())
    yield _count(
        "GRANTS_MASKED", Title("以脱敏形式提供的字段授权数", "Fields that leave masked, by purpose"), shapes[Shape.MASKED]
    )
    for key in facts.keys:
        title = Title(f"密钥：{key.use}，最新代次及生成时间", f"Key for {key.use}: newest generation, and when it was made")
        yield Artefact(f"KEY_{key.use.upper().replace('-', '_')}", title, f"{key.generation} {utc_text(key.made_at)}")


def _rights(facts: Facts) -> Iterator[Artefact]:
    roles = len(facts.catalogue.roles)
    yield _count("ROLES_DECLARED", Title("角色数", "Roles"), roles)
    yield Artefact(
        "ROLES_MATRIX", Title("角色权限矩阵摘要", "Digest of what every role may"), accounts.matrix_digest(facts.catalogue)
    )
    disabled = sum(account.disabled_at is not None for account in facts.accounts)
    yield _count("ACCOUNTS_SEEN", Title("日志中出现的账号数", "Accounts in the log"), len(facts.accounts))
    yield Artefact(
        "ACCOUNTS_DISABLED",
        Title(f"停用账号数（{UNUSED.days} 日未用）", f"Accounts closed ({UNUSED.days} days unused)"),
        str(disabled),
    )
    review = facts.review
    fresh = review if review and facts.now - review.reviewed_at <= QUARTER else None
    yield _found(
        "ACCESS_REVIEW",
        Title("最近一季的权限复核", "The access review of this quarter"),
        f"{fresh.quarter} {fresh.digest} {utc_text(fresh.reviewed_at)}" if fresh else "",
        Title(
            "复核并签字：menshen oversight access-review --sign", "Review and sign off: menshen oversight access-review --sign"
        ),
    )
    yield _recorded(facts, ControlKind.TRAINING, Title("近一年的安全教育和培训", "Training within the last year"), within=YEAR)


def _incidents(facts: Facts) -> Iterator[Artefact]:
    yield _recorded(facts, ControlKind.INCIDENT_PLAN, Title("应急预案文件", "The incident plan's document"))
    yield _recorded(facts, ControlKind.INCIDENT_DRILL, Title("近一年的应急演练", "A drill within the last year"), within=YEAR)


def _others(facts: Facts) -> Iterator[Artefact]:
    yield _count("LOG_ENTRIES", Title("审计日志条目数", "Entries in the audit log"), facts.entries)
    yield _found(
        "LOG_WRITABLE",
        Title("审计日志写入与校验状态", "The log's state: written, and whole as far as this instance sees"),
        facts.health if facts.health == "ok" else "",
        Title("日志不可写或校验失败：menshen audit verify", "The log cannot be written or does not fit: menshen audit verify"),
    )
    point = facts.checkpoint
    fresh = point if point and facts.now - point.signed_at <= CHECKPOINT_AGE else None
    yield _found(
        "CHECKPOINT",
        Title("一小时内的签名检查点：大小、根、时间", "A signed checkpoint within the hour: size, root, time"),
        f"{fresh.size} {fresh.root.hex()} {utc_text(fresh.signed_at)}" if fresh else "",
        Title("发布检查点：menshen audit status", "Have checkpoints published: menshen audit status"),
    )
    yield _found(
        "COSIGNED",
        Title("外部见证签名时间", "When a witness outside cosigned it"),
        utc_text(point.witnessed_at) if point and point.witnessed_at else "",
        Title("配置外部见证：MENSHEN_WITNESSES", "Name witnesses outside: MENSHEN_WITNESSES"),
    )
    yield _recorded(
        facts,
        ControlKind.BACKUP_RESTORE,
        Title("近一年的备份恢复测试", "A restore of a backup, tried within the last year"),
        within=YEAR,
    )


def _recorded(facts: Facts, kind: ControlKind, title: Title, *, within: timedelta | None = None) -> Artefact:
    """What a person has recorded; one that is older than it may be is missing."""
    found = facts.newest(kind)
    today: date = day_in_shanghai(facts.now)
    if found is not None and within is not None and today - found.held_on > within:
        found = None
    told = f"{found.title} {found.reference} {found.digest} {found.held_on.isoformat()}".replace("  ", " ") if found else ""
    todo = Title(f"登记：menshen oversight record {kind.value}", f"Record it: menshen oversight record {kind.value}")
    return _found(kind.value, title, told, todo)


def _count(code: str, title: Title, count: int) -> Artefact:
    return _found(
        code, title, str(count) if count else "", Title("没有任何一项：检查政策文件", "There is none: look at the policy's files")
    )


def _found(code: str, title: Title, value: str, todo: Title) -> Artefact:
    """Present with its value, or missing with what to do."""
    if value:
        return Artefact(code, title, value)
    return Artefact(code, title, "", Standing.MISSING, todo)
