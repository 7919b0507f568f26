"""httpx: the current trace goes along with each request, and each leaves a line.

>>> import httpx
>>> client = httpx.Client(transport=Transport(httpx.HTTPTransport(retries=1)))

A client that is given a transport leaves `verify`, `http2`, `limits` and proxies to it: give them
to the transport that is wrapped. The line, `call`, is at DEBUG on the logger `tracelog.httpx`; it
shows neither passwords nor query. Its duration ends with the response's headers.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from tracelog.calls import Call
from tracelog.extras import extra
from tracelog.latency.clock import SYSTEM_CLOCK, Clock


with extra("httpx"):
    import httpx


__all__ = ["AsyncTransport", "Transport"]

_log = logging.getLogger("tracelog.httpx")


class Transport(httpx.BaseTransport):
    """Sends `traceparent` and `tracestate` with what *wrapped* sends.

    Each request is a span of its own in the current trace. A `traceparent` that the caller has set
    stays as it is. Outside of a trace nothing is added.

    Args:
        wrapped: The transport that does the work; an `httpx.HTTPTransport` by default.
        clock: For tests.
    """

    def __init__(
        self, wrapped: httpx.BaseTransport | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._wrapped = wrapped or httpx.HTTPTransport()
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        request = _copy(request)
        call = Call.begin(request.method, request.url, request.headers, self._clock)
        try:
            response = self._wrapped.handle_request(request)
        except BaseException as error:
            call.end(_log, error=error)
            raise

        call.end(_log, status=response.status_code)
        return response

    def close(self) -> None:
        """Close what is wrapped."""
        self._wrapped.close()

    def __enter__(self) -> Self:
        self._wrapped.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._wrapped.__exit__(exc_type, exc_value, traceback)


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`.

    Args:
        wrapped: The transport that does the work; an `httpx.AsyncHTTPTransport` by default.
        clock: For tests.
    """

    def __init__(
        self, wrapped: httpx.AsyncBaseTransport | None = None, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._wrapped = wrapped or httpx.AsyncHTTPTransport()
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*."""
        request = _copy(request)
        call = Call.begin(request.method, request.url, request.headers, self._clock)
        try:
            response = await self._wrapped.handle_async_request(request)
        except BaseException as error:
            call.end(_log, error=error)
            raise

        call.end(_log, status=response.status_code)
        return response

    async def aclose(self) -> None:
        """Close what is wrapped."""
        await self._wrapped.aclose()

    async def __aenter__(self) -> Self:
        await self._wrapped.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._wrapped.__aexit__(exc_type, exc_value, traceback)


def _copy(request: httpx.Request) -> httpx.Request:
    # Redirects and retries begin with the headers of the request before: each is to have its own.
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions,
    )
