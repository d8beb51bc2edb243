"""Errors have codes, edges have words: the one table from code to status and to what a client is told.

What is not in the table reaches the client as INTERNAL, and the log as a type and a field's name, never as a message: a message
may quote a personal value. The words here quote none. docs/errors.md explains every code to whoever meets it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import structlog
from graphql import GraphQLError

from service.errors import (
    AccountDisabled,
    BadInput,
    ChangeRefused,
    ConfigError,
    Conflict,
    KeyUnavailable,
    LogBroken,
    Malformed,
    RecordUnavailable,
    SealBroken,
    ServiceError,
    StoreUnavailable,
    Unauthenticated,
)

_log = structlog.get_logger("menshen.graphql")
SERVER_FAULT = 500


class Word(NamedTuple):
    """What a code means over HTTP. `detailed`: the error's own detail, which names arguments and rules, is what helps."""

    status: int
    en: str
    zh: str
    detailed: bool = False


def _own(error: type[ServiceError], status: int, *, detailed: bool = False) -> tuple[str, Word]:
    return error.code, Word(status, error.en, error.zh, detailed)


WORDS: Mapping[str, Word] = dict(
    [
        ("BAD_REQUEST", Word(400, "This is not a GraphQL request.", "不是有效的 GraphQL 请求。", detailed=True)),
        ("BAD_JSON", Word(400, "The JSON does not parse.", "JSON 无法解析。")),
        ("JSON_TOO_DEEP", Word(400, "The JSON is nested too deeply.", "JSON 嵌套过深。")),
        (
            "BATCHING_OFF",
            Word(400, "Send one operation a request; batches are not taken.", "每次请求只能发送一个操作，不支持批量。"),
        ),
        ("NOT_FOUND", Word(404, "Nothing is served here.", "此地址没有内容。")),
        (
            "METHOD_NOT_ALLOWED",
            Word(405, "Queries by GET or POST, mutations by POST.", "查询可用 GET 或 POST，变更只能用 POST。"),
        ),
        (
            "NOT_ACCEPTABLE",
            Word(406, "Accept application/graphql-response+json or application/json.", "请接受 JSON 类型的应答。"),
        ),
        ("BODY_TOO_LARGE", Word(413, "The request body is too large.", "请求体过大。")),
        ("UNSUPPORTED_MEDIA_TYPE", Word(415, "Send application/json, in UTF-8.", "请以 UTF-8 的 application/json 发送。")),
        ("GRAPHQL_PARSE_FAILED", Word(400, "The document does not parse.", "GraphQL 文档语法错误。", detailed=True)),
        (
            "GRAPHQL_VALIDATION_FAILED",
            Word(400, "The document does not fit the schema.", "GraphQL 文档与模式不符。", detailed=True),
        ),
        ("VARIABLES_INVALID", Word(400, "A variable does not fit its type.", "变量与其类型不符。", detailed=True)),
        ("OPERATION_NOT_FOUND", Word(400, "Name one operation of the document.", "请指定文档中的一个操作名。")),
        ("QUERY_TOO_LONG", Word(400, "The document is too long.", "GraphQL 文档过长。")),
        ("QUERY_TOO_DEEP", Word(400, "The document is nested too deeply.", "GraphQL 文档嵌套过深。")),
        ("TOO_MANY_TOKENS", Word(400, "The document has too many tokens.", "GraphQL 文档的词元过多。")),
        ("TOO_MANY_FIELDS", Word(400, "The document selects too many fields.", "GraphQL 文档选择的字段过多。")),
        ("TOO_MANY_FRAGMENTS", Word(400, "The document has too many fragments.", "GraphQL 文档的片段过多。")),
        ("TOO_MANY_ALIASES", Word(400, "The document has too many aliases.", "GraphQL 文档的别名过多。")),
        ("TOO_MANY_DIRECTIVES", Word(400, "The document has too many directives.", "GraphQL 文档的指令过多。")),
        ("TOO_MANY_ROOT_FIELDS", Word(400, "The operation has too many root fields.", "操作的根字段过多。")),
        (
            "INTROSPECTION_OFF",
            Word(400, "Introspection is off; the schema is in schema.graphql.", "自省已关闭，请查阅 schema.graphql。"),
        ),
        _own(Unauthenticated, 401),
        _own(AccountDisabled, 403),
        ("FORBIDDEN", Word(403, "This role may not do this.", "当前角色无权执行此操作。")),
        ("ROLE_NOT_ALLOWED", Word(403, "This role may not state this purpose.", "当前角色不得使用此处理目的。")),
        ("PURPOSE_UNKNOWN", Word(400, "No such purpose is declared.", "该处理目的未经声明。")),
        ("FIELD_UNKNOWN", Word(400, "No such field is in the catalogue.", "该字段不在目录中。")),
        ("FIELD_NOT_LOOKED_UP", Word(400, "Members are not looked up by this field.", "不能按该字段查找会员。")),
        ("PAGE_SIZE_TOO_LARGE", Word(400, "`first` is out of range.", "每页数量超出范围。", detailed=True)),
        (
            "WINDOW_TOO_WIDE",
            Word(
                400,
                "This is more than one answer holds.",
                "时间范围过大，一次无法答全：请按 message 所示的时刻分段查询，各段结果合并即为全部。",
                detailed=True,
            ),
        ),
        (
            "BEFORE_THIS_LOG",
            Word(
                400,
                "This log goes on from one that was closed, and knows nothing of the time before.",
                "本日志接续一份已终结的日志，不含此前的记录：请自本日志开始之时起查询，此前部分由合规部门查阅留存的旧日志。",
                detailed=True,
            ),
        ),
        ("CURSOR_INVALID", Word(400, "The cursor was not made by this list.", "游标不属于此列表。")),
        ("APPROVAL_REQUIRED", Word(403, "This needs another person's approval first.", "须先取得他人审批。")),
        ("APPROVAL_INVALID", Word(400, "This is nothing that can be approved.", "申请内容有误。", detailed=True)),
        ("APPROVAL_NOT_FOUND", Word(404, "There is no such approval.", "未找到该审批事项。")),
        ("APPROVAL_DECIDED", Word(409, "It has been decided already.", "该事项已有审批结果。")),
        ("APPROVAL_EXPIRED", Word(409, "Its time is over; ask anew.", "该申请已过期，请重新申请。")),
        ("APPROVAL_REFUSED", Word(403, "The same was refused not long ago.", "同一申请不久前已被拒绝。")),
        (
            "TOO_MANY_QUESTIONS",
            Word(
                429,
                "Twenty questions of yours wait for an answer; have some of them decided, or wait until they run out.",
                "您已有二十项申请待审批，请先请他人处理，或待其过期后再申请。",
            ),
        ),
        ("ALARM_NOT_FOUND", Word(404, "There is no such alarm.", "未找到该告警。")),
        ("ALARM_CLOSED", Word(409, "It is closed already.", "该告警已关闭。")),
        ("OWN_ALARM", Word(403, "Somebody else has to see to it.", "不得处理涉及本人的告警。")),
        ("OWN_APPROVAL", Word(403, "Somebody else has to approve it.", "不得审批本人的申请。")),
        ("EXPIRY_OUT_OF_RANGE", Word(400, "It may hold from 1 to 72 hours.", "有效期须为一至七十二小时。")),
        (
            "REASON_PERSONAL",
            Word(400, "The reason is too long or holds personal data.", "理由过长或含有个人信息，请改写。"),
        ),
        ("REASON_REQUIRED", Word(400, "Say why, in a few words.", "请说明理由。")),
        ("LINK_INVALID", Word(400, "This link was not made here.", "该链接无效。")),
        ("LINK_EXPIRED", Word(400, "This link no longer holds.", "该链接已过期。")),
        ("ADDRESS_INVALID", Word(400, "This is no address of the channel.", "不是该渠道的有效地址。")),
        ("TRUNCATED", Word(400, "The body broke off.", "请求体不完整。")),
        ("SECRET_INVALID", Word(404, "Nothing is served here.", "此地址没有内容。")),
        ("SIGNATURE_INVALID", Word(403, "This is not signed by whom it claims.", "签名无效。")),
        ("TIMESTAMP_STALE", Word(403, "This was not signed just now.", "签名时间已失效。")),
        ("NONCE_REUSED", Word(403, "This was delivered before, with another body.", "重复使用的随机数。")),
        _own(BadInput, 400, detailed=True),
        _own(Conflict, 409, detailed=True),
        _own(KeyUnavailable, 503),
        _own(RecordUnavailable, 503),
        _own(StoreUnavailable, 503),
        _own(LogBroken, 503),
        _own(SealBroken, 500),
        _own(Malformed, 500),
        _own(ChangeRefused, 500),
        _own(ConfigError, 500),
        _own(ServiceError, 500),
    ]
)


class Rejected(Exception):
    """A request that is turned away before GraphQL begins. `detail` names a parameter or a limit, never a value."""

    def __init__(self, code: str, detail: str = "", *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = headers


Fault = dict[str, object]
"""One entry of a response's `errors`."""


def fault(code: str, request_id: str, detail: str = "") -> Fault:
    """The body of one error: English in `message`, 中文 in `extensions.zh`."""
    word = WORDS[code]
    message = detail if detail and word.detailed else word.en
    return {"message": message, "extensions": {"code": code, "requestId": request_id, "zh": word.zh}}


def code_of(error: GraphQLError) -> str:
    """The code of something that went wrong in a resolver. What has no place in the table is INTERNAL."""
    cause = _cause(error)
    return cause.code if isinstance(cause, ServiceError) and cause.code in WORDS else ServiceError.code


def field_fault(error: GraphQLError, request_id: str) -> Fault:
    """What the client is told of an error in a resolver: its place, and the table's words for its code."""
    cause = _cause(error)
    detail = cause.detail if isinstance(cause, BadInput | Conflict) else ""
    told = fault(code_of(error), request_id, detail)
    told["path"] = error.path
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    return told


def record_errors(errors: list[GraphQLError], request_id: str) -> None:
    """What the log is told: code, type and the schema's own name of the field. An alias or a message may be a phone number."""
    for error in errors:
        code, cause = code_of(error), _cause(error)
        write = _log.error if WORDS[code].status >= SERVER_FAULT else _log.info
        write("graphql_error", code=code, type=type(cause).__name__, path=_field(error), request_id=request_id)


def _cause(error: GraphQLError) -> BaseException:
    """The error behind the error: resolvers' exceptions arrive wrapped, sometimes twice."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _field(error: GraphQLError) -> str:
    node = error.nodes[0] if error.nodes else None
    name = getattr(getattr(node, "name", None), "value", "")
    return str(name)
