"""WeChat's side of its message push: it signs and seals, by its documents and with nothing of ours but the block cipher."""

import base64
import hashlib
import json
import os
import struct
from datetime import datetime
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

APPID = "wx0000000000000a01"
OTHER = "wx0000000000000a02"
TOKEN = "Tok3nTok3nTok3nTok3n"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")


def sha1(*parts: str) -> str:
    """What WeChat calls a signature."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def query(now: datetime, *, token: str = TOKEN, nonce: str = "nonce1", encrypted: str = "", **more: str) -> str:
    """What stands in the address of a push."""
    stamp = str(int(now.timestamp()))
    said = {"signature": sha1(token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    if encrypted:
        said |= {"msg_signature": sha1(token, stamp, nonce, encrypted), "encrypt_type": "aes"}
    return urlencode(said | more)


def sealed(message: bytes, *, appid: str = APPID, key: str = AES_KEY) -> str:
    """`Encrypt`: 16 bytes of chance, the length, the message, the appid; padded to 32."""
    raw = base64.b64decode(key + "=")
    text = os.urandom(16) + struct.pack("!I", len(message)) + message + appid.encode()
    size = 32 - len(text) % 32
    sealer = Cipher(AES(raw), CBC(raw[:16])).encryptor()
    return base64.b64encode(sealer.update(text + bytes([size]) * size) + sealer.finalize()).decode()


def as_json(event: str, openid: str, *, at: int = 1795312800, **more: object) -> bytes:
    """An event in JSON."""
    said = {"ToUserName": "gh_1", "FromUserName": openid, "CreateTime": at, "MsgType": "event", "Event": event}
    return json.dumps(said | more).encode()


def as_xml(event: str, openid: str, *, inside: str = "", at: int = 1795312800) -> bytes:
    """The same in XML."""
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
        f"<CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>{inside}</xml>"
    ).encode()


def about(openid: str, **more: object) -> dict[str, object]:
    """What the events about an authorisation hold besides."""
    return {"OpenID": openid, "AppID": APPID, **more}
