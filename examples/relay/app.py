"""A relay: it is told whom to call, and calls them, one after the other, in the caller's trace.

uvicorn examples.relay.app:app --log-config logging.yaml

It does what the validation service of W3C Trace Context asks of a service under test: it takes
POST requests whose body is a list of {"url": ..., "arguments": ...}, and posts each `arguments` to
its `url`. Only to this machine: a service that calls whatever it is told calls what it mustn't.
"""

from contextlib import asynccontextmanager

import httpx
import tracelog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tracelog.asgi import TraceMiddleware
from tracelog.httpx import AsyncTransport


log = tracelog.get_logger(__name__)


@asynccontextmanager
async def with_client(app: Starlette):
    async with httpx.AsyncClient(transport=AsyncTransport()) as app.state.client:
        yield


async def relay(request: Request) -> JSONResponse:
    calls = await request.json()
    if not all(httpx.URL(call["url"]).host in ("127.0.0.1", "localhost") for call in calls):
        return JSONResponse({"error": "only this machine is called"}, 403)

    statuses = []
    for call in calls:
        response = await request.app.state.client.post(call["url"], json=call["arguments"])
        statuses.append(response.status_code)
    log.info("relayed", calls=len(calls))
    return JSONResponse(statuses)


app = Starlette(
    routes=[Route("/relay", relay, methods=["POST"])],
    middleware=[Middleware(TraceMiddleware)],
    lifespan=with_client,
)
