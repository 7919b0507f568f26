"""The service that the matrix drives: plain ASGI, its paths say what happens."""

from __future__ import annotations

import asyncio
import os

import tracelog
from tracelog.asgi import TraceMiddleware


log = tracelog.get_logger("app")
kept = set()


async def app(scope, receive, send):
    await HANDLERS[scope["type"]](scope, receive, send)


async def lifespan(scope, receive, send):
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def http(scope, receive, send):
    path = scope["path"]
    log.info("asked", path=path)
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            log.info("gone")
            return
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if path == "/boom":
        raise ValueError("before the response")
    if path == "/silent":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if path == "/half":
        raise ValueError("within the response")
    if path == "/slow":
        await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": str(size).encode()})
    if path == "/after":
        await asyncio.sleep(0.02)
        log.info("after")
        raise ValueError("after the response")
    if path == "/orphan":
        begin_orphan()


def begin_orphan():
    async def orphan():
        log.info("orphan")
        raise KeyError("nobody waits")

    asyncio.get_running_loop().create_task(orphan())


async def websocket(scope, receive, send):
    await receive()
    if scope["path"] == "/reject":
        await send({"type": "websocket.close", "code": 4000})
        return
    if scope["path"] == "/refuse":
        raise ValueError("before the handshake")
    await send({"type": "websocket.accept"})
    tracelog.bind_context(user_id=scope["path"][1:])
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            log.info("left", code=message["code"])
            return
        text = message.get("text") or ""
        log.info("heard", text=text)
        if text == "boom":
            raise ValueError("within an utterance")
        if text == "orphan":
            begin_orphan()
        if text == "close":
            await send({"type": "websocket.close", "code": 4001, "reason": "enough"})
            return
        await send({"type": "websocket.send", "text": text})


HANDLERS = {"lifespan": lifespan, "http": http, "websocket": websocket}
app = TraceMiddleware(app, access_log="OURS" in os.environ)
