"""What a person is told, in 中文 and English: what has happened, and what to do next. Nothing of a member."""

from policies.clock import SHANGHAI
from service.alarms.model import Alarm, AlarmKind

_WORDS: dict[AlarmKind, tuple[str, str, str, str]] = {
    AlarmKind.BULK_READING: (
        "批量读取会员信息",
        "员工：读取已被拒绝。向本人和主管核实用途；确有需要的，由他人审批其申请。系统：核对是否正常业务，必要时停用其令牌。",
        "Many members were read",
        "Staff: refused; ask what for, and another person may approve their request. A service: is this its work? Else revoke its token.",
    ),
    AlarmKind.HONEY_MEMBER: (
        "有人读取了诱饵会员",
        "没有业务会读取该会员。立即停用该账号或令牌，并以 audit search --actor 查明其读取过谁的信息。",
        "A planted member was read",
        "Nobody has reason to read this one. Suspend the account or token at once, and find what else it read: audit search --actor.",
    ),
    AlarmKind.DENIED_STREAK: (
        "连续多次被拒绝",
        "核实是误用、配置错误还是有人试探。以 audit search --actor … --denied 查看。",
        "One account was refused many times",
        "Find out whether this is a mistake, a wrong setting or somebody trying doors: audit search --actor … --denied.",
    ),
    AlarmKind.UNSIGNED_TAIL: (
        "审计日志长时间未签名",
        "检查签名进程和 MENSHEN_SIGNER；在此期间，新增条目仅有本数据库为证。",
        "The audit log has not been signed for long",
        "Look at the signer process and MENSHEN_SIGNER: until then nothing but this database vouches for the newest entries.",
    ),
    AlarmKind.WITNESS_UNREACHABLE: (
        "见证者无法连接",
        "联系见证者的管理部门；恢复前，要求见证的操作会被拒绝。",
        "A witness cannot be reached",
        "Call whoever runs the witness; until it is back, what needs a witness is refused.",
    ),
    AlarmKind.WITNESS_REFUSED: (
        "见证者拒绝会签",
        "可能有人恢复了旧备份或改动了日志。停止变更，运行 audit verify，并向见证者索取其记录。",
        "A witness refused to cosign",
        "Somebody may have restored an old backup or altered the log. Stop changes, run audit verify, ask the witness what it has seen.",
    ),
    AlarmKind.LOG_BROKEN: (
        "审计日志校验不符",
        "服务已停止应答。保存现场，运行 audit verify，按应急预案报告。",
        "The audit log does not fit its own record",
        "The service answers nothing. Keep everything as it is, run audit verify, and follow the incident plan.",
    ),
    AlarmKind.LOG_CLOSED: (
        "审计日志已终结，并以新名称另起",
        "日志丢失的条目无法找回。核对新日志的第 0 条（genesis）、留存的文件夹和两名经办人，签署意见后关闭。",
        "An audit log was closed, and goes on under another name",
        "Entries were lost for good. Check entry 0 (genesis) of the new log, the kept folder and the two who did it; then close this.",
    ),
    AlarmKind.ANCHOR_FAILED: (
        "外部存证失败",
        "检查时间戳服务或归档存储；在此之前，日志仅有见证者为证。",
        "A deposit outside has failed",
        "Look at the timestamp service or the archive; until then only the witnesses vouch for the log.",
    ),
    AlarmKind.DUTY_OVERDUE: (
        "法定任务已逾期",
        "以 menshen oversight duties 查看，办理后登记依据；登记后本告警自行关闭。",
        "A task of the law is past its day",
        "See menshen oversight duties, do it, and record where its document lies: then this closes by itself.",
    ),
}


def subject(alarm: Alarm) -> str:
    """One line."""
    zh, _, en, _ = _WORDS[alarm.kind]
    return f"[门神 Menshen] {zh} · {en}"


def text(alarm: Alarm) -> str:
    """The whole of it."""
    zh, do_zh, en, do_en = _WORDS[alarm.kind]
    since = alarm.first_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    last = alarm.last_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    return "\n".join(
        (
            f"{zh}（{alarm.kind.value}）",
            f"对象：{alarm.about}　次数：{alarm.count}",
            f"首次：{since}　最近：{last}（北京时间）",
            do_zh,
            f"处理：menshen alarms ack {alarm.alarm_id}，查明后 menshen alarms close {alarm.alarm_id}。未处理的将再次通知。",
            "",
            f"{en} ({alarm.kind.value})",
            f"About: {alarm.about}. Times: {alarm.count}",
            f"First: {since}. Last: {last} (China's time)",
            do_en,
            f"Next: menshen alarms ack {alarm.alarm_id}, and close it when you know. Until then you are told again.",
            "",
        )
    )
