"""The server without a browser: addresses that cannot be used, headers, the folder that goes, a user's mistakes."""

import asyncio
import os
import socket
import tempfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.web import serving
from dsct_detrex.web.guard import Guard
from dsct_detrex.web.serving import address_of, check_gradio, kept_nowhere, listen
from tests.commands import web


def test_a_port_in_use_is_one_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert address_of(taken, "127.0.0.1") == f"http://127.0.0.1:{port}"
        with pytest.raises(UserError, match=rf"^web: port {port} of 127.0.0.1 is in use; give another one with --port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such machine"])
def test_an_address_of_another_machine_is_one_sentence(host: str) -> None:
    with pytest.raises(UserError, match=rf"^web: --host expects a name or an address of this machine. Got {host}.$"):
        listen(host, 0)


def test_loopback_is_where_nobody_else_is() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.family == socket.AF_INET
        assert listening.getsockname()[0] == "127.0.0.1"


def test_temporary_files_go_to_a_folder_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "theirs")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    before = tempfile.gettempdir()
    with kept_nowhere() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == tempfile.gettempdir() == folder
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        (Path(folder) / "deep").mkdir()
        (Path(folder) / "deep" / "picture.png").touch()
    assert not Path(folder).exists()
    assert tempfile.gettempdir() == before
    assert os.environ["GRADIO_TEMP_DIR"] == "theirs"
    assert "HF_HUB_OFFLINE" not in os.environ


def answered(path: str, host: str, only_here: bool) -> tuple[int, dict[str, str]]:
    """Status and headers of an application that says yes, behind the guard."""
    sent: list[dict[str, Any]] = []

    async def yes(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Cache-Control", b"max-age=9"), (b"x-kept", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"yes"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"host", host.encode())]}
    asyncio.run(Guard(yes, only_here)(scope, None, send))  # type: ignore[arg-type]
    headers = [(name.decode().lower(), value.decode()) for name, value in sent[0]["headers"]]
    assert len(headers) == len(dict(headers)), "each once"
    return sent[0]["status"], dict(headers)


def test_a_browser_may_ask_nobody_else() -> None:
    status, headers = answered("/", "127.0.0.1:7860", True)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self' ")
    assert "http" not in headers["content-security-policy"]
    assert headers["x-kept"] == "1"
    assert headers["cache-control"] == "max-age=9"


def test_a_browser_keeps_no_picture() -> None:
    assert answered("/gradio_api/file=/tmp/a.png", "localhost:1", True)[1]["cache-control"] == "no-store"


@pytest.mark.parametrize(("host", "status"), [("localhost", 200), ("evil.example:7860", 421), ("", 421)])
def test_a_name_that_was_made_to_lead_here_is_refused(host: str, status: int) -> None:
    assert answered("/", host, True)[0] == status
    assert answered("/", host, False)[0] == 200


def test_an_old_gradio_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "3.50.2")
    with pytest.raises(
        UserError, match=r"^web: the page needs gradio 6 or newer. Got 3.50.2: pip install 'gradio>=6'.$"
    ):
        check_gradio()


def test_no_gradio_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    with pytest.raises(
        UserError, match=r"^web: the page needs the package gradio, which is not installed: pip install"
    ):
        check_gradio()


def test_without_a_demo_the_command_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert web([]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: web: no checkpoint was named, and that of the demo, runs/demo/dsct/best.safetensors")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--share"], "error: web: --share is not offered, because it would send people's pictures through a server"),
        (["--port", "70000"], "error: web: --port expects a port from 0 to 65535. Got 70000."),
        (["--threshold", "2"], "error: web: --threshold expects a number from 0 to 1. Got 2."),
    ],
)
def test_mistakes_on_the_command_line(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert web(words) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_a_missing_checkpoint_is_told_before_anything_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving, "check_gradio", lambda: None)
    assert web([str(tmp_path / "none.safetensors"), "--port", "0"]) == 2
    assert "does not exist; check the path." in capsys.readouterr().err
