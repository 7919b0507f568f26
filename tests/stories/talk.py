"""A service for stories: its messages say how they are to be handled."""

from __future__ import annotations

import asyncio
import time

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

import tracelog
from tracelog.asgi import TraceMiddleware


log = tracelog.get_logger("talk")
gates: dict[str, asyncio.Event] = {}


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    tracelog.bind_context(user_id=websocket.path_params["user"])
    try:
        while True:
            text = await websocket.receive_text()
            verb, _, rest = text.partition(" ")
            answer = await VERBS.get(verb, say)(websocket, rest or verb)
            log.info("answered", size=len(text))
            await websocket.send_text(answer)
    except WebSocketDisconnect as gone:
        log.info("left", code=gone.code)


async def say(_websocket: WebSocket, text: str) -> str:
    return text


async def hold(websocket: WebSocket, milliseconds: str) -> str:
    """Hold the loop, once the client knows."""
    await websocket.send_text("holding")
    time.sleep(int(milliseconds) / 1000)
    return "held"


async def wait(websocket: WebSocket, gate: str) -> str:
    """Wait, once the client knows, until somebody opens the gate."""
    await websocket.send_text("waiting")
    await gates.setdefault(gate, asyncio.Event()).wait()
    return "waited"


async def open_gate(_websocket: WebSocket, gate: str) -> str:
    gates.setdefault(gate, asyncio.Event()).set()
    return "opened"


async def work(_websocket: WebSocket, text: str) -> str:
    """Log here, in a task, in a thread and after a pause, as services do."""
    log.info("begun")
    async with asyncio.TaskGroup() as group:
        group.create_task(look_up(text))
        group.create_task(asyncio.to_thread(log.info, "in a thread", text=text))
    for _ in range(len(text) % 5):
        await asyncio.sleep(0)
    return text


async def look_up(text: str) -> None:
    tracelog.bind_context(text=text)
    await asyncio.sleep(0.001 * (len(text) % 3))
    log.info("looked up")


async def measure(_websocket: WebSocket, text: str) -> str:
    return str(len(text))


VERBS = {"hold": hold, "wait": wait, "open": open_gate, "work": work, "measure": measure}

app = Starlette(
    routes=[WebSocketRoute("/talk/{user}", talk)], middleware=[Middleware(TraceMiddleware)]
)
