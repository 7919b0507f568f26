"""The demo's service: a chat in which a report blocks the event loop, as happens in real ones."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

import tracelog
from tracelog.asgi import TraceMiddleware


__all__ = ["app"]

_REPORT: Final = "/report"
_REPORT_S: Final = 0.3
_DATABASE_S: Final = 0.004

_log = tracelog.get_logger("chat")


async def chat(websocket: WebSocket) -> None:
    """Handle one user's connection."""
    await websocket.accept()
    tracelog.bind_context(user_id=websocket.path_params["user_id"])
    _log.info("joined")
    try:
        while True:
            await _handle(websocket, await websocket.receive_text())
    except WebSocketDisconnect as left:
        _log.info("left", code=left.code)


async def _handle(websocket: WebSocket, text: str) -> None:
    if text.startswith(_REPORT):
        time.sleep(_REPORT_S)  # noqa: ASYNC251 -- the bug that the demo is about
        _log.info("report made", days=30)
    else:
        await asyncio.sleep(_DATABASE_S)
        _log.debug("message stored", size=len(text))
    await websocket.send_text(f"ok: {text}")


app = Starlette(
    routes=[WebSocketRoute("/chat/{user_id}", chat)], middleware=[Middleware(TraceMiddleware)]
)
