"""A web server for the page: an address that is free, a folder that is deleted, an end by Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import Any

from dsct_detrex.cli.stopping import interrupting
from dsct_detrex.errors import UserError
from dsct_detrex.web.guard import LOOPBACK, Guard
from dsct_detrex.web.uploads import Limits

_GRADIO = 6
_UNTIL_CUT = 1  # second that open answers have when the server ends
_ALONE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""What gradio and what it brings along are told: to speak to nobody."""


def check_gradio() -> None:
    """Whether the page can be made.

    Raises:
        UserError: gradio is not installed, or too old.
    """
    try:
        installed = metadata.version("gradio")
    except metadata.PackageNotFoundError as error:
        raise UserError(
            "web: the page needs the package gradio, which is not installed: pip install 'dsct-detrex[web]', or pip "
            f"install 'gradio>={_GRADIO}'."
        ) from error
    if int(installed.split(".")[0]) < _GRADIO:
        raise UserError(
            f"web: the page needs gradio {_GRADIO} or newer. Got {installed}: pip install 'gradio>={_GRADIO}'."
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: name or address of this machine.
        port: 0 for any that is free.

    Raises:
        UserError: the port is in use or not for everybody, or the address is not of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        raise UserError(_refused(host, port, error)) from error
    return listening


def address_of(listening: socket.socket, host: str) -> str:
    """What to type into a browser."""
    port = listening.getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def kept_nowhere() -> Iterator[str]:
    """Within the block, temporary files of this process and gradio's go to a folder, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="dsct_web_", ignore_cleanup_errors=True) as folder:
        wanted = {**_ALONE, "GRADIO_TEMP_DIR": folder}
        before = {name: os.environ.get(name) for name in wanted}
        of_python = tempfile.tempdir
        os.environ.update(wanted)
        tempfile.tempdir = folder
        try:
            yield folder
        finally:
            tempfile.tempdir = of_python
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def server_of(blocks: Any, limits: Limits, host: str) -> Any:
    """A ``uvicorn.Server`` that has the page at ``/``.

    Args:
        blocks: the page, made within ``kept_nowhere``.
        limits: of uploads, which are refused while they come in.
        host: that the socket listens on.
    """
    import gradio
    import uvicorn
    from fastapi import FastAPI

    from dsct_detrex.web.page import style

    app = gradio.mount_gradio_app(
        FastAPI(openapi_url=None),
        blocks,
        path="/",
        show_error=False,  # the answers' own sentences say what is wrong
        max_file_size=limits.bytes,
        footer_links=[],
        run_history=False,  # in the browser
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        css=style(),
        theme=gradio.themes.Default(primary_hue="teal", secondary_hue="teal"),
    )
    guarded = Guard(app, only_here=host in LOOPBACK)
    return uvicorn.Server(
        uvicorn.Config(
            guarded,
            log_level="critical",
            server_header=False,
            timeout_graceful_shutdown=_UNTIL_CUT,
            lifespan="on",
        )
    )


def serve(server: Any, listening: socket.socket) -> None:
    """Serve until Ctrl-C, SIGTERM, or the end of the terminal."""
    with suppress(KeyboardInterrupt), interrupting():  # what the server has caught, it raises again at its end
        server.run(sockets=[listening])


def _refused(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"web: --host expects a name or an address of this machine. Got {host}."
    if error.errno == errno.EADDRINUSE:
        return f"web: port {port} of {host} is in use; give another one with --port, or --port 0 for any that is free."
    if error.errno == errno.EACCES:
        return f"web: port {port} is not for everybody; give one from 1024 on with --port."
    return f"web: port {port} of {host} cannot be used ({error.strerror}); give another one with --port."
