"""What anybody may ask of a running instance: does it live, is it ready, what has it counted; in development, where things are.

/livez   200 as long as the process answers; it asks nobody, so that a database that is away does not get healthy processes killed
/readyz  200 when everything that an answer needs is there, else 503 with the parts that are not
/metrics counts for Prometheus: no label holds a caller's word
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

Check = Callable[[], Awaitable[str]]
"""Says "ok", or in one word what is wrong: never an exception's message."""

_PATIENCE = 2.0
"""Seconds that a check may take. A balancer asks again in a moment."""


def routes(*, checks: Mapping[str, Check], registry: CollectorRegistry, fresh: Check | None = None) -> list[BaseRoute]:
    """The probes and the counts; `fresh` is awaited before counts are shown, so that they are of now."""

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        found = dict(zip(checks, await asyncio.gather(*map(_ask, checks.values())), strict=True))
        fit = all(answer == "ok" for answer in found.values())
        return JSONResponse({"status": "ok" if fit else "unavailable", "parts": found}, 200 if fit else 503)

    async def metrics(_: Request) -> Response:
        if fresh is not None:
            await _ask(fresh)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]


async def _ask(check: Check) -> str:
    """A check that hangs or fails is a part that is not there."""
    try:
        return await asyncio.wait_for(check(), _PATIENCE)
    except Exception:  # noqa: BLE001 - whatever it is, the instance is not ready, and its message is nobody's business
        return "unavailable"


def landing() -> Route:
    """The first page, in development mode only: where things are."""

    async def show(_: Request) -> Response:
        return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})

    return Route("/", show)


_STYLE = """
body { font: 16px/1.7 system-ui, sans-serif; max-width: 42rem; margin: 10vh auto; padding: 0 1.5rem; color: #222 }
h1 { font-weight: 600; margin-bottom: 0 }
p.en, li span { color: #666 }
ul { padding-left: 1.2rem }
code { background: #eee; padding: 0 .3em }
a { color: #a3271f }
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>门神 Menshen</title><style>{_STYLE}</style>
</head>
<body>
<h1>门神 Menshen</h1>
<p>会员数据的守门人：凭目的读取，依同意放行，全程留痕。此为开发模式。</p>
<p class="en" lang="en">The guardian at the door of member data: read by purpose, let through by consent, recorded.
This is development mode.</p>
<ul>
<li><a href="graphiql/">GraphiQL</a> 在线查询 <span lang="en">ask it something</span></li>
<li><a href="notices">/notices</a> 个人信息处理规则 <span lang="en">the notices, every version</span></li>
<li><code>menshen token --role …</code> 取得令牌 <span lang="en">get a token</span></li>
<li><a href="readyz">/readyz</a> · <a href="livez">/livez</a> · <a href="metrics">/metrics</a>
运行状态 <span lang="en">how it is</span></li>
<li>文档 <span lang="en">documents</span>: <code>README.zh-CN.md</code> <code>README.md</code> <code>docs/architecture.md</code>
<code>docs/errors.md</code> <code>schema/schema.graphql</code></li>
</ul>
</body>
</html>
"""
