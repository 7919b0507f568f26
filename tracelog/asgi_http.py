"""One HTTP request over ASGI: one utterance."""

from __future__ import annotations

from typing import Any

from tracelog.attribution import stamp
from tracelog.conversations import Conversation, Message
from tracelog.latency.arrival import transport_of
from tracelog.latency.awaits import receive_more, send_back
from tracelog.latency.request import conclude_request
from tracelog.latency.utterance import Utterance


__all__ = ["HttpConversation"]


class HttpConversation(Conversation):
    """One request: one utterance, which ends when the last of its response is out."""

    __slots__ = ("_is_received", "_status", "_utterance")

    async def run(self) -> None:
        """Let the application answer."""
        self._is_received = False
        self._status = 500  # what a server answers for an application that raised before it did
        method, path = self._scope["method"], self._scope["path"]
        self._utterance: Utterance | None = Utterance(
            *(1, "http", f"{method} {path}", self._arrival()),
            policy=self._options.policy,
            clock=self._options.clock,
            about={"method": method, "path": path},
        )
        self._utterance.context = self._enter(self._utterance.ledger)
        try:
            await self._app(self._scope, self._receive, self._send)
        except BaseException as error:
            stamp(error)
            self._finish(failed=isinstance(error, Exception))
            raise

        self._finish()

    @property
    def transport(self) -> Any:
        """The server's, for whoever looks for it behind `receive`, as we do."""
        return transport_of(self._server_receive)

    async def _receive(self) -> Message:
        if self._is_received:  # only the client's leaving may still come: nobody waits for that
            return await self._server_receive()

        message = await receive_more(self._server_receive())
        self._is_received = not message.get("more_body")
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        utterance, sent = self._utterance, self._server_send(message)
        await (sent if utterance is None else send_back(utterance.ledger, sent))
        # What an application does after its answer (background tasks) keeps nobody waiting.
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._finish()

    def _finish(self, *, failed: bool = False) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return

        client = ":".join(map(str, self._scope.get("client") or ()))
        conclude_request(
            *(utterance, self._status),
            client=client if self._options.access_log else None,
            failed=failed,
        )
