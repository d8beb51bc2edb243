"""Vendors on loopback. They speak the protocol that their documents describe, and check what they are sent with code of their own: hashlib
and hmac, written from the documents, nothing of the product.
"""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

KEY_ID, SECRET, APP_ID = "key-of-the-shop", "a secret of the shop's account", "1400000001"


@dataclass
class Request:
    """One request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


Answer = tuple[int, Any] | bytes | None
"""A status with a JSON document; raw bytes instead of an answer; None: it never answers, and hangs up."""


@dataclass
class Vendor:
    """An HTTP server that takes each request to `answer`."""

    answer: Callable[[Request], Answer]
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    hangs: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Request(method, target, headers, body)
            self.requests.append(request)
            answer = self.answer(request)
            if isinstance(answer, tuple):
                content = json.dumps(answer[1]).encode()
                answer = f"HTTP/1.1 {answer[0]} Said\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content
            writer.write(answer or b"")
            await writer.drain()
            if self.hangs:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def vendor(answer: Callable[[Request], Answer]) -> AsyncIterator[Vendor]:
    """A vendor that listens."""
    made = Vendor(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


# --- Aliyun ----------------------------------------------------------------------------------------------------------------------

_ACS3 = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")


def acs3_is_right(request: Request) -> bool:
    """Whether Aliyun's gateway would believe the request (V3 签名机制)."""
    found = _ACS3.fullmatch(request.headers["authorization"])
    if not found or found[1] != KEY_ID or request.headers["x-acs-content-sha256"] != hashlib.sha256(request.body).hexdigest():
        return False
    wanted = sorted(name for name in request.headers if name == "host" or name.startswith("x-acs-"))
    if found[2].split(";") != wanted:
        return False
    pairs = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(pairs[name][0], safe='-_.~')}" for name in sorted(pairs))
    lines = [request.method, request.path, query]
    lines += [f"{name}:{request.headers[name]}" for name in wanted]
    lines += ["", found[2], request.headers["x-acs-content-sha256"]]
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    right = hmac.new(SECRET.encode(), f"ACS3-HMAC-SHA256\n{hashed}".encode(), "sha256").hexdigest()
    return hmac.compare_digest(right, found[3])


def aliyun(request: Request) -> Answer:
    """SendSms as Aliyun answers it."""
    if not acs3_is_right(request):
        return 400, {"Code": "SignatureDoesNotMatch", "Message": "the signature does not conform", "RequestId": "r"}
    if (request.headers["x-acs-action"], request.headers["x-acs-version"]) != ("SendSms", "2017-05-25"):
        return 404, {"Code": "InvalidAction.NotFound", "Message": "no such action", "RequestId": "r"}
    if not re.fullmatch(r"1[3-9][0-9]{9}", request.query["PhoneNumbers"]):
        return 200, {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": request.query["PhoneNumbers"], "RequestId": "r"}
    return 200, {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "r"}


def refusing(_: Request) -> Answer:
    """An account whose template is not registered. The vendor's own words must get nowhere."""
    return 200, {"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "+8619961800000 犇骉猋", "RequestId": "r"}


# --- Tencent Cloud ---------------------------------------------------------------------------------------------------------------

_TC3 = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/(\w+)/tc3_request, SignedHeaders=([a-z;-]+), Signature=([0-9a-f]{64})"
)


def tc3_is_right(request: Request) -> bool:
    """Whether Tencent Cloud would believe the request (签名方法 v3)."""
    found = _TC3.fullmatch(request.headers["authorization"])
    if not found or found[1] != KEY_ID or not {"content-type", "host"} <= set(found[4].split(";")):
        return False
    lines = [request.method, "/", ""]
    lines += [f"{name}:{request.headers[name]}" for name in found[4].split(";")]
    lines += ["", found[4], hashlib.sha256(request.body).hexdigest()]
    hashed = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{request.headers['x-tc-timestamp']}\n{found[2]}/{found[3]}/tc3_request\n{hashed}"
    day = hmac.new(f"TC3{SECRET}".encode(), found[2].encode(), "sha256").digest()
    service = hmac.new(day, found[3].encode(), "sha256").digest()
    signing = hmac.new(service, b"tc3_request", "sha256").digest()
    return hmac.compare_digest(hmac.new(signing, to_sign.encode(), "sha256").hexdigest(), found[5])


def tencent(request: Request) -> Answer:
    """SendSms as Tencent Cloud answers it."""
    if not tc3_is_right(request):
        error = {"Code": "AuthFailure.SignatureFailure", "Message": "the signature is wrong"}
        return 200, {"Response": {"Error": error, "RequestId": "r"}}
    if (request.headers["x-tc-action"], request.headers["x-tc-version"]) != ("SendSms", "2021-01-11"):
        return 200, {"Response": {"Error": {"Code": "InvalidAction", "Message": ""}, "RequestId": "r"}}
    asked = request.document
    status = {
        "SerialNo": "5000:1045710669157053657849499619",
        "PhoneNumber": asked["PhoneNumberSet"][0],
        "Fee": 1,
        "SessionContext": asked["SessionContext"],
        "Code": "Ok",
        "Message": "send success",
        "IsoCode": "CN",
    }
    return 200, {"Response": {"SendStatusSet": [status], "RequestId": "r"}}


# --- WeChat ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Wechat:
    """WeChat's two interfaces. `acceptances` are how many messages each openid has allowed; `ended` are tokens that it takes no more."""

    acceptances: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    tokens: int = 0

    def __call__(self, request: Request) -> Answer:
        if request.path == "/cgi-bin/stable_token":
            if request.document["secret"] != SECRET:
                return 200, {"errcode": 40125, "errmsg": "invalid appsecret"}
            self.tokens += 1
            return 200, {"access_token": f"token-{self.tokens}", "expires_in": 7200}
        if request.path != "/cgi-bin/message/subscribe/send" or request.query["access_token"] in self.ended:
            return 200, {"errcode": 42001, "errmsg": "access_token expired"}
        return self._send(request.document)

    def _send(self, asked: dict[str, Any]) -> Answer:
        left = self.acceptances.get(asked["touser"], 0)
        if left < 1:
            return 200, {"errcode": 43101, "errmsg": "user refuse to accept the msg"}
        self.acceptances[asked["touser"]] = left - 1
        return 200, {"errcode": 0, "errmsg": "ok", "msgid": 1234567890123}
