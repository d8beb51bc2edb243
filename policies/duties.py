"""What a number of persons, a change or a date obliges the controller to do, and by when: data with its sources, and pure rules over it.

A task is opened once for an occasion and closed by a person. Where the law names no number of days, `due_on` is None: a made-up date would
pass for the law's.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from policies import clock
from policies.naming import Title


class DutyKind(StrEnum):
    """What is to be done."""

    OFFICER_FILING = "OFFICER_FILING"
    OFFICER_CHANGE = "OFFICER_CHANGE"
    TEN_MILLION_NEAR = "TEN_MILLION_NEAR"
    NDR30_OFFICER = "NDR30_OFFICER"
    NDR30_RULES = "NDR30_RULES"
    NDR30_RISKS = "NDR30_RISKS"
    NDR30_COMPLAINTS = "NDR30_COMPLAINTS"
    NDR32_DISPOSAL = "NDR32_DISPOSAL"
    BIENNIAL_AUDIT = "BIENNIAL_AUDIT"
    ACCESS_REVIEW = "ACCESS_REVIEW"
    TRAINING = "TRAINING"


@dataclass(frozen=True, slots=True)
class Rule:
    """One task: its law, its words, and how it is dated, by working days or by months; neither: the law names no day."""

    kind: DutyKind
    law: str
    title: Title
    working_days: int = 0
    months: int = 0

    def due_on(self, opened: date) -> date | None:
        """The last day, for an occasion of `opened`, which itself does not count (民法典 201)."""
        if self.working_days:
            return clock.add_working_days(opened, self.working_days).day
        return clock.months_later(opened, self.months) if self.months else None


_RULES = (
    Rule(
        DutyKind.OFFICER_FILING,
        "PIPL 52; 个人信息保护合规审计管理办法 12; 国家网信办 2025-07-18 公告",
        Title("向网信部门报送个人信息保护负责人信息", "File the person in charge of personal information with the authority"),
        working_days=30,
    ),
    Rule(
        DutyKind.OFFICER_CHANGE,
        "PIPL 52; 国家网信办 2025-07-18 公告",
        Title("报送个人信息保护负责人变更信息", "File the change of the person in charge"),
        working_days=30,
    ),
    Rule(
        DutyKind.TEN_MILLION_NEAR,
        "网络数据安全管理条例 28",
        Title("为达到一千万人作准备（预警线 80%）", "Prepare for ten million persons (warned at 80 %)"),
    ),
    Rule(
        DutyKind.NDR30_OFFICER,
        "网络数据安全管理条例 30",
        Title(
            "明确网络数据安全负责人（管理层成员）和管理机构",
            "Name the officer for network data security, of the management, and the body",
        ),
    ),
    Rule(
        DutyKind.NDR30_RULES,
        "网络数据安全管理条例 30(1)",
        Title("制定并实施管理制度、操作规程和事件应急预案", "Set and carry out rules, procedures and an incident plan"),
    ),
    Rule(
        DutyKind.NDR30_RISKS,
        "网络数据安全管理条例 30(2)",
        Title(
            "定期开展风险监测、风险评估、应急演练、宣传教育培训，及时处置风险和事件",
            "Monitor and assess risks, drill, train, and deal with incidents at once",
        ),
    ),
    Rule(
        DutyKind.NDR30_COMPLAINTS,
        "网络数据安全管理条例 30(3)",
        Title("受理并处理网络数据安全投诉、举报", "Take and settle complaints and reports about data security"),
    ),
    Rule(
        DutyKind.NDR32_DISPOSAL,
        "网络数据安全管理条例 32",
        Title(
            "备妥合并、分立、解散、破产时的数据处置方案及报告途径",
            "Keep a plan for the data, and whom to report it to, for merger, division, dissolution or insolvency",
        ),
    ),
    Rule(
        DutyKind.BIENNIAL_AUDIT,
        "个人信息保护合规审计管理办法 4",
        Title("每两年至少一次个人信息保护合规审计", "A compliance audit at least every two years"),
        months=24,
    ),
    Rule(
        DutyKind.ACCESS_REVIEW,
        "PIPL 51(4)",
        Title("按季复核操作权限并签字", "Review, and sign off, who may do what this quarter"),
        months=1,
    ),
    Rule(
        DutyKind.TRAINING,
        "PIPL 51(4)",
        Title("年度个人信息保护培训并登记", "Hold this year's training, and record it"),
        months=12,
    ),
)
RULES = {rule.kind: rule for rule in _RULES}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of persons, the alert that it raises and the tasks that it opens."""

    persons: int
    code: str
    law: str
    opens: tuple[DutyKind, ...]


MILLION = Threshold(1_000_000, "PERSONS_1M", "PIPL 52", (DutyKind.OFFICER_FILING,))
TEN_MILLION = Threshold(
    10_000_000,
    "PERSONS_10M",
    "网络数据安全管理条例 28",
    (
        DutyKind.NDR30_OFFICER,
        DutyKind.NDR30_RULES,
        DutyKind.NDR30_RISKS,
        DutyKind.NDR30_COMPLAINTS,
        DutyKind.NDR32_DISPOSAL,
        DutyKind.BIENNIAL_AUDIT,
    ),
)
NEAR_TEN_MILLION = Threshold(TEN_MILLION.persons * 80 // 100, "PERSONS_10M_NEAR", TEN_MILLION.law, (DutyKind.TEN_MILLION_NEAR,))
THRESHOLDS = (MILLION, NEAR_TEN_MILLION, TEN_MILLION)
UNUSED = timedelta(days=90)
"""After which an account that nobody used is closed (SE-09)."""


@dataclass(frozen=True, slots=True)
class Due:
    """A task for one occasion."""

    kind: DutyKind
    occasion: str
    due_on: date | None


def reached(persons: int) -> tuple[Threshold, ...]:
    """The thresholds that so many persons reach."""
    return tuple(threshold for threshold in THRESHOLDS if persons >= threshold.persons)


def opened_by(threshold: Threshold, day: date) -> tuple[Due, ...]:
    """The tasks of a threshold that was reached on a day. It is the occasion: it is reached once."""
    return tuple(Due(kind, str(threshold.persons), RULES[kind].due_on(day)) for kind in threshold.opens)


def opened(persons: int, day: date) -> tuple[Due, ...]:
    """The tasks of a day on which so many were counted for the first time."""
    return tuple(due for threshold in reached(persons) for due in opened_by(threshold, day))


def officer_changed(digest: str, day: date) -> Due:
    """The task of a day on which another person became responsible; `digest` is the policy's that says so."""
    return Due(DutyKind.OFFICER_CHANGE, f"{day.isoformat()} {digest[:16]}", RULES[DutyKind.OFFICER_CHANGE].due_on(day))


def recurring(day: date) -> tuple[Due, ...]:
    """What every quarter and every year asks for again, dated from its first day."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    year = date(day.year, 1, 1)
    return (
        Due(DutyKind.ACCESS_REVIEW, quarter_of(day), RULES[DutyKind.ACCESS_REVIEW].due_on(clock.months_later(first, 2))),
        Due(DutyKind.TRAINING, str(day.year), RULES[DutyKind.TRAINING].due_on(year - timedelta(days=1))),
    )


def quarter_of(day: date) -> str:
    """The quarter of a day, as in `2026-Q4`."""
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def shows_officer(text: str, *, responsible: str, contacts: tuple[str, ...]) -> bool:
    """Whether a notice names the person in charge, by function, in one language, and a way to reach them (PIPL 52)."""
    named = any(name in text for name in responsible.split(" · ") if name)
    return named and any(contact in text for contact in contacts if contact)
