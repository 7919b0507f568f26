"""The services that are measured: with everything on, and bare."""

import logging
import sys
from contextvars import ContextVar
from functools import partial


async def respond(lines, scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    for _ in range(lines):
        log.info("asked", extra={"room": "lobby", "size": 512, "ms": 1.25})
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    )
    await send({"type": "http.response.body", "body": b"hello"})


log = logging.getLogger("served")


def __getattr__(name):
    if name == "traced":
        from tracelog.asgi import TraceMiddleware

        # One of its own, the access line, the verdict.
        return TraceMiddleware(partial(respond, 1))

    from pythonjsonlogger.json import JsonFormatter

    context = ContextVar("context", default={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})

    def inject(record):
        for key, value in context.get().items():
            setattr(record, key, value)
        return True

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(inject)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return partial(respond, 3)
