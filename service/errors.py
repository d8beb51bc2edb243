"""Every way in which Menshen says no, each with a stable code.

An error knows nothing of HTTP or GraphQL: the edges map codes (`schema/errors.py`). No error carries a personal value, because
messages travel to clients, logs and screens. `Refused` is an answer worth remembering: the door writes it into the audit log
before it lets it pass. Everything else is forgotten with the transaction it ends.
"""

import re


class ServiceError(Exception):
    """The root of them all. `code` is part of the public contract; `zh` and `en` say what to do, and quote no value."""

    code = "INTERNAL"
    zh = "服务出现意外错误。"
    en = "Unexpected error."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.en)
        self.detail = detail


class Refused(ServiceError):
    """A request that must not be answered, and whose refusal must be recorded."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


class BadInput(ServiceError):
    """The request cannot be understood or breaks a stated rule. The detail names the argument, never its value."""

    code = "BAD_INPUT"
    zh = "请求内容有误。"
    en = "The request is not valid."

    def __init__(self, detail: str = "", *, code: str = "BAD_INPUT") -> None:
        super().__init__(detail)
        self.code = code


class Unauthenticated(ServiceError):
    """No token, or one that does not hold."""

    code = "UNAUTHENTICATED"
    zh = "未登录或令牌无效。"
    en = "A valid bearer token is needed."


class AccountDisabled(ServiceError):
    """The token holds, and its account is closed here: nobody has used it for long (PIPL 51(4))."""

    code = "ACCOUNT_DISABLED"
    zh = "该账号长期未使用，已停用；请联系合规人员恢复。"
    en = "This account was not used for long and is closed; ask a compliance officer to open it."


class Forbidden(Refused):
    """The caller's role may not do this at all."""

    zh = "当前角色无权执行此操作。"
    en = "This role may not do this."

    def __init__(self, detail: str = "") -> None:
        super().__init__("FORBIDDEN", detail or self.en)


class Conflict(ServiceError):
    """Somebody else changed the same thing first, or the same key was used for something else."""

    code = "CONFLICT"
    zh = "数据已被其他操作更改，请重试。"
    en = "Another change came first; read again and retry."


class SealBroken(ServiceError):
    """Sealed bytes, a wrapped key or a lookup did not open. One error for every way in which bytes can be wrong."""

    code = "SEAL_BROKEN"
    zh = "密封数据无法打开。"
    en = "A sealed value did not open."


class KeyUnavailable(ServiceError):
    """The key service is silent, or the key is disabled or destroyed."""

    code = "KEY_UNAVAILABLE"
    zh = "密钥服务不可用。"
    en = "The key service did not answer."


class RecordUnavailable(ServiceError):
    """The audit record could not be made durable; so there is no answer (promise 6)."""

    code = "RECORD_UNAVAILABLE"
    zh = "审计记录暂不可写，因此不返回任何数据，请稍后重试。"
    en = "The audit record cannot be written, so nothing is answered. Retry later."


class LogBroken(ServiceError):
    """The audit log does not fit what this instance remembers: altered, rolled back, or its head is forged."""

    code = "AUDIT_LOG_BROKEN"
    zh = "审计日志校验失败，服务已停止应答。"
    en = "The audit log does not fit its own record; the service answers nothing until it is examined."


class OtherLog(LogBroken):
    """The database holds the log of another name than the settings say: one of the two is older than a `menshen audit genesis`."""

    code = "AUDIT_LOG_OTHER"
    zh = "数据库中的审计日志不是 MENSHEN_ORIGIN 所指的日志。"
    en = "The database holds another audit log than MENSHEN_ORIGIN names."


class InstanceRunning(ServiceError):
    """What may be done only while nobody writes to the log cannot be done now."""

    code = "INSTANCE_RUNNING"
    zh = "仍有实例在运行，请先全部停止。"
    en = "An instance of this deployment is running; stop all of them first."


class ChangeRefused(ServiceError):
    """The database refused to change what is never changed: a ledger's row, or what the service's role has no right to (NC-08)."""

    code = "CHANGE_REFUSED"
    zh = "数据库拒绝更改只增不改的记录。"
    en = "The database refused to change what is never changed."


class StoreUnavailable(ServiceError):
    """The database did not answer."""

    code = "STORE_UNAVAILABLE"
    zh = "数据库暂不可用，请稍后重试。"
    en = "The database did not answer. Retry later."


class Malformed(ServiceError):
    """Bytes that do not parse as what they claim to be. `where` says which format."""

    code = "MALFORMED"
    zh = "数据格式错误。"
    en = "The bytes are not of the format they claim."


class ConfigError(ServiceError):
    """The configuration or the policy in force is not fit to start with. The detail names the setting."""

    code = "CONFIG"
    zh = "配置错误。"
    en = "The configuration is not valid."


def outcome_code(outcome: object) -> str:
    """The stable code of an expected outcome: its own `code`, else its name: `NoticeStale` is NOTICE_STALE."""
    own = getattr(outcome, "code", None)
    return own if isinstance(own, str) else re.sub(r"(?<!^)(?=[A-Z])", "_", type(outcome).__name__).upper()
