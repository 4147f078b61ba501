"""What a browser may do with the page: ask this server, and nobody else; keep no picture.

The page needs nothing from elsewhere. Should a part of it ever ask another machine all the same, which would tell it
who looks at this page, the browser refuses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost")
"""Names by which a browser on this machine asks for it."""

_HEADERS = {
    "content-security-policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_OF_PICTURES = "/file="


class Guard:
    """An ASGI application around another one.

    Args:
        app: the other one.
        only_here: whether requests that do not ask for this machine by a name of ``LOOPBACK`` are refused: a page of
            somebody else whose name was made to lead here sends its own.
    """

    def __init__(self, app: App, only_here: bool) -> None:
        self.app = app
        self.only_here = only_here

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.only_here and _host(scope) not in LOOPBACK:
            await _refuse(send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in _names(scope)]
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in _added(scope).items()]
            await send(message)

        await self.app(scope, receive, send_guarded)


def _added(scope: Message) -> dict[str, str]:
    return _HEADERS | ({"cache-control": "no-store"} if _OF_PICTURES in scope["path"] else {})


def _names(scope: Message) -> set[bytes]:
    return {name.encode() for name in _added(scope)}


def _host(scope: Message) -> str:
    asked: str = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return asked.rsplit(":", 1)[0]


async def _refuse(send: Send) -> None:
    body = b"This page is for the machine that runs it. Ask for it as 127.0.0.1 or localhost."
    await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})
