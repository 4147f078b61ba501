"""The page in a real browser: a headless Chromium of this machine, driven by Playwright. Without one it is skipped.

The page is served by the command itself, once for all tests of this file, and watched for questions to other machines.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.prediction import Predictor
from tests.prediction.tiny_release import write_release

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
pytest.importorskip("gradio", "6", reason="no gradio of version 6: pip install 'dsct-detrex[web]'")
playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")

ROOT = Path(__file__).parents[2]
CHOSE_ANOTHER = "first => document.querySelector('#person input:checked')?.value !== first"
SECONDS = 30_000  # milliseconds, the most that any step may take
FLAGS = ("--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors", "emotic")


@pytest.fixture(scope="module")
def address(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as ``dsct web`` serves it, which ends at SIGTERM, leaves no file, and asked no other machine."""
    temporary = tmp_path_factory.mktemp("temporary")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        elsewhere = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = os.environ | {"TMPDIR": str(temporary)} | dict.fromkeys(("http_proxy", "https_proxy"), elsewhere)
        words = [str(release), "--port", "0", "--device", "cpu", "--threshold", "0"]
        program = [sys.executable, str(ROOT / "scripts" / "web.py"), *words]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(2)]
            found = re.search(r"^page: (http://127\.0\.0\.1:\d+) ", said[1])
            assert found, said
            assert [folder.name[:9] for folder in temporary.iterdir()] == ["dsct_web_"]
            yield found[1]
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            status = process.wait(20)
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert (status, rest) == (0, "ended; the pictures that were shown are deleted\n")
    assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, freshly opened. Whatever a test does: nothing was asked of another machine, and nothing went wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.locator("#picture input[type=file]").first.wait_for(state="attached")
    yield page
    context.close()
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert wrong == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "holiday.png"
    SyntheticScenes(split="test", length=3, size=(96, 72)).load_image(2).save(path)
    return path


def upload(page: Any, path: Path) -> None:
    page.locator("#picture input[type=file]").first.set_input_files(path)


def clear(page: Any) -> None:
    page.get_by_role("button", name="Remove Image").click()


def says(page: Any, text: str) -> None:
    playwright.expect(page.locator("#notice .notice")).to_contain_text(re.compile(text), timeout=SECONDS)


def move(page: Any, slider: str, value: float) -> None:
    number = page.locator(f"#{slider} input[type=number]")
    number.fill(str(value))
    number.press("Enter")


def test_upload_choose_move_download(page: Any, photo: Path, release: Path, tmp_path: Path) -> None:
    upload(page, photo)
    says(page, r"people of at least 0.00 confidence")
    people = page.locator("#person label")
    expected = Predictor.from_checkpoint(release, "cpu", threshold=0.0)(photo)
    assert people.count() == len(expected) > 2

    first = page.locator("#bars").inner_html()
    contexts = page.locator("#contexts img").get_attribute("src")
    people.nth(1).click()
    playwright.expect(page.locator("#contexts img")).not_to_have_attribute("src", contexts)
    assert page.locator("#bars").inner_html() != first
    assert page.locator("#bars tr").count() == 26
    assert "of 10 contexts taken in" in page.locator("#contexts-words").inner_text()
    assert page.locator("#points img").is_visible()

    move(page, "threshold", 0)
    playwright.expect(page.locator("#bars tr.unshown")).to_have_count(0)
    playwright.expect(page.locator("#own input")).not_to_be_checked()

    halfway = round((expected[1].score + expected[2].score) / 2, 4)
    kept = [list(person.box) for person in expected if person.score >= halfway]
    move(page, "confidence", halfway)
    playwright.expect(people).to_have_count(len(kept))

    with page.expect_download() as download:
        page.locator("a.download").click()
    download.value.save_as(tmp_path / "saved.json")
    assert download.value.suggested_filename == "predictions.json"
    (row,) = json.loads((tmp_path / "saved.json").read_text())
    assert row["file"] == "holiday.png"
    assert [person["box"] for person in row["people"]] == kept
    assert all(len(person["emotions"]) == 26 for person in row["people"])


def test_a_drawn_scene_and_a_person_in_it_are_a_click_away_on_a_phone_too(page: Any, address: str) -> None:
    assert "Do not use these models to decide about people." in page.locator("#responsible-use").inner_text()
    assert "Up to 20 MB and 40 megapixels." in page.locator("#limits").inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#scenes button.thumbnail-item").nth(1).click()
    says(page, r"of at least 0.00 confidence")
    image, chosen = page.locator("#people img"), page.locator("#person input:checked")
    image.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing sticks out"
    first, box = chosen.get_attribute("value"), image.bounding_box()
    for across in (0.15, 0.3, 0.5, 0.7, 0.85):  # an untrained model finds people anywhere
        image.click(position={"x": across * box["width"], "y": 0.55 * box["height"]})
        with suppress(playwright.TimeoutError):
            page.wait_for_function(CHOSE_ANOTHER, arg=first, timeout=3000)
            break
    assert chosen.get_attribute("value") != first
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{address}/gradio_api/file={ROOT / 'README.md'}", timeout=5)
    assert refused.value.code == 403


def test_what_cannot_be_shown_gets_a_sentence_and_the_next_picture_is_shown(page: Any, tmp_path: Path) -> None:
    broken, white, huge = (tmp_path / name for name in ("broken.png", "white.png", "huge.png"))
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    upload(page, broken)
    says(page, r"^broken.png cannot be read \(it is no picture, or its beginning is broken\)\.")
    assert page.locator("#notice [role=alert]").is_visible()
    clear(page)

    Image.new("1", (8000, 5001)).save(white)
    upload(page, white)
    says(page, r"^white.png has 8000 x 5001 pixels, which is more than 40 megapixels, the most that this page takes\.")
    clear(page)

    with huge.open("wb") as file:
        file.truncate(21 << 20)
    upload(page, huge)
    toast = page.locator(".toast-body")
    toast.wait_for()
    assert 'exceed the maximum allowed size of 20.0 Mb: "huge.png"' in toast.inner_text()

    page.get_by_role("button", name="camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#picture video')?.readyState >= 2")  # nothing is taken before
    page.get_by_role("button", name="capture photo").click()
    says(page, r"of at least 0.00 confidence")
