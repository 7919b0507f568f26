"""A FastAPI service for stories: every way in which it runs code logs a line named after the way."""

from __future__ import annotations

from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import tracelog
from tracelog.asgi import TraceMiddleware


log = tracelog.get_logger("frames")
app = FastAPI()


class Refused(Exception):
    pass


async def between(request, call_next):
    log.info("before")
    response = await call_next(request)
    log.info("after")
    return response


def sync_dependency():
    log.info("sync dependency")
    yield
    log.info("sync dependency left")


async def async_dependency():
    log.info("async dependency")
    yield
    log.info("async dependency left")


@app.get("/sync", dependencies=[Depends(sync_dependency), Depends(async_dependency)])
def sync_endpoint():
    log.info("sync endpoint")


@app.get("/async", dependencies=[Depends(sync_dependency), Depends(async_dependency)])
async def async_endpoint():
    log.info("async endpoint")


@app.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(lambda: log.info("sync background"))
    tasks.add_task(in_background)


async def in_background():
    log.info("async background")


@app.get("/stream")
async def stream():
    async def parts():
        for number in range(3):
            log.info("async part")
            yield f"{number}\n"

    return StreamingResponse(parts())


@app.get("/sync-stream")
def sync_stream():
    def parts():
        for number in range(3):
            log.info("sync part")
            yield f"{number}\n"

    return StreamingResponse(parts())


@app.get("/refused")
async def refused():
    raise Refused


@app.exception_handler(Refused)
async def handle_refused(_request: Request, _error: Refused):
    log.info("exception handler")
    return JSONResponse({}, 409)


@app.get("/broken")
def broken():
    raise ValueError("bad")


@app.exception_handler(Exception)
async def handle_broken(_request: Request, _error: Exception):
    log.info("last handler")
    return JSONResponse({}, 500)


async def mounted(_request):
    log.info("mounted")
    return PlainTextResponse("ok")


def mounted_sync(_request):
    log.info("mounted sync")
    return PlainTextResponse("ok")


inner = FastAPI()


@inner.get("/endpoint")
def inner_endpoint():
    log.info("mounted api")


app.mount(
    "/starlette",
    Starlette(routes=[Route("/a", mounted), Mount("/b", routes=[Route("/s", mounted_sync)])]),
)
app.mount("/api", inner)
app.add_middleware(BaseHTTPMiddleware, dispatch=between)
app.add_middleware(TraceMiddleware)
