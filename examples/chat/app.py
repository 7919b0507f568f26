"""A small chat: whoever is connected hears what the others say.

uvicorn examples.chat.app:app --log-config logging.yaml
"""

import tracelog
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from tracelog.asgi import TraceMiddleware


log = tracelog.get_logger(__name__)

app = FastAPI()
app.add_middleware(TraceMiddleware)

rooms: dict[str, set[WebSocket]] = {}


@app.get("/rooms")
async def list_rooms() -> dict[str, int]:
    log.info("rooms listed", rooms=len(rooms))
    return {name: len(members) for name, members in rooms.items()}


@app.websocket("/rooms/{room}")
async def chat(websocket: WebSocket, room: str, user: str) -> None:
    await websocket.accept()
    # From here on, every line of this connection carries these, the libraries' lines too.
    tracelog.bind_context(user_id=user, room=room)
    members = rooms.setdefault(room, set())
    members.add(websocket)
    log.info("joined", members=len(members))
    try:
        async for text in websocket.iter_text():
            await say(members, f"{user}: {text}")
    finally:
        members.discard(websocket)
        log.info("left", members=len(members))


async def say(members: set[WebSocket], line: str) -> None:
    for member in list(members):
        try:
            await member.send_text(line)
        except (WebSocketDisconnect, RuntimeError):
            members.discard(member)
    log.info("said", to=len(members), size=len(line))
