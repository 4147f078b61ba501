"""The page in a real browser: a headless Chromium of this machine, driven by Playwright. Without one it is skipped."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.prediction import Predictor
from tests.prediction.tiny_release import write_release

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]
gradio = pytest.importorskip("gradio", "6", reason="no gradio of version 6: pip install 'dsct-detrex[web]'")
playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")

ROOT = Path(__file__).parents[2]
SECONDS = 20_000  # milliseconds, the most that any step may take


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_release(tmp_path_factory.mktemp("release") / "best.safetensors", "emotic")


@pytest.fixture(scope="module")
def address(release: Path) -> Iterator[str]:
    """A page that is served by a thread of this process; where it asks for another machine, it fails."""
    from dsct_detrex.web.page import build_page
    from dsct_detrex.web.serving import address_of, kept_nowhere, listen, server_of
    from dsct_detrex.web.uploads import Limits

    limits = Limits(megabytes=1, megapixels=2)
    torch.set_num_threads(1)
    with kept_nowhere() as folder, listen("127.0.0.1", 0) as listening:
        predictor = Predictor.from_checkpoint(release, "cpu", threshold=0.0)
        server = server_of(build_page(predictor, limits, 0.0), limits, "127.0.0.1")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield address_of(listening, "127.0.0.1")
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
    assert not Path(folder).exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def asked() -> list[str]:
    """Addresses that the browser asked for."""
    return []


@pytest.fixture
def page(browser: Any, address: str, asked: list[str]) -> Iterator[Any]:
    """The page, freshly opened. Whatever a test does: nothing was asked of another machine, and nothing went wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.locator("#picture input[type=file]").first.wait_for(state="attached")
    yield page
    context.close()
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []
    assert wrong == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "holiday.png"
    SyntheticScenes(split="test", length=3, size=(96, 72)).load_image(2).save(path)
    return path


def upload(page: Any, path: Path) -> None:
    page.locator("#picture input[type=file]").first.set_input_files(path)


def says(page: Any, text: str) -> None:
    playwright.expect(page.locator("#notice .notice")).to_contain_text(re.compile(text), timeout=SECONDS)


def number(page: Any, slider: str) -> Any:
    return page.locator(f"#{slider} input[type=number]")


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

    number(page, "threshold").fill("0")
    number(page, "threshold").press("Enter")
    playwright.expect(page.locator("#bars tr.unshown")).to_have_count(0)
    playwright.expect(page.locator("#own input")).not_to_be_checked()

    halfway = round((expected[1].score + expected[2].score) / 2, 2)
    kept = sum(person.score >= halfway for person in expected)
    number(page, "confidence").fill(str(halfway))
    number(page, "confidence").press("Enter")
    playwright.expect(people).to_have_count(kept)

    with page.expect_download() as download:
        page.locator("a.download").click()
    download.value.save_as(tmp_path / "saved.json")
    assert download.value.suggested_filename == "predictions.json"
    (row,) = json.loads((tmp_path / "saved.json").read_text())
    assert row["file"] == "holiday.png"
    assert [person["box"] for person in row["people"]] == [list(person.box) for person in expected][:kept]
    assert all(len(person["emotions"]) == 26 for person in row["people"])


def test_a_drawn_scene_is_a_click_away_and_so_is_a_person_in_it(page: Any) -> None:
    page.locator("#scenes button.thumbnail-item").nth(1).click()
    says(page, r"of at least 0.00 confidence")
    image = page.locator("#people img")
    image.wait_for()
    chosen = page.locator("#person input:checked")
    first = chosen.get_attribute("value")
    box = image.bounding_box()
    for across in (0.15, 0.3, 0.5, 0.7, 0.85):  # an untrained model finds people anywhere
        image.click(position={"x": across * box["width"], "y": 0.55 * box["height"]})
        page.wait_for_timeout(400)
        if chosen.get_attribute("value") != first:
            break
    assert chosen.get_attribute("value") != first


def test_the_note_is_on_the_page_and_nothing_of_others(page: Any, address: str, asked: list[str]) -> None:
    assert "Do not use these models to decide about people." in page.locator("#responsible-use").inner_text()
    assert "Up to 1 MB and 2 megapixels." in page.locator("#limits").inner_text()
    assert len(asked) > 5
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{address}/gradio_api/file={ROOT / 'README.md'}", timeout=5)
    assert refused.value.code in (403, 404)


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("broken.png", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\nnothing"), r"^broken.png cannot be read \("),
        (
            "white.png",
            lambda path: Image.new("1", (2000, 1500)).save(path),
            r"^white.png has 2000 x 1500 pixels, which",
        ),
    ],
)
def test_what_is_no_picture_or_has_too_many_pixels_gets_a_sentence(
    page: Any, name: str, make: Any, sentence: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    upload(page, tmp_path / name)
    says(page, sentence)
    assert page.locator("#notice [role=alert]").is_visible()


def test_too_many_bytes_get_a_sentence(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(os.urandom(1_500_000))
    upload(page, path)
    toast = page.locator(".toast-body")
    toast.wait_for()
    assert "maximum allowed size of 1000000 bytes" in toast.inner_text()


def test_a_picture_can_be_taken(page: Any) -> None:
    page.locator("#picture button[aria-label*='ebcam']").click()
    page.get_by_text("Click to Access Webcam").click()
    page.locator("#picture button[aria-label='capture photo']").click()
    says(page, r"of at least 0.00 confidence")


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#scenes button.thumbnail-item").first.click()
    says(page, r"of at least 0.00 confidence")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_command_serves_and_leaves_nothing(release: Path, photo: Path, tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    words = [sys.executable, str(ROOT / "scripts" / "web.py"), str(release), "--port", "0", "--device", "cpu"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(2)]
        found = re.search(r"page: (http://127.0.0.1:\d+) ", said[1])
        assert found, said
        with urllib.request.urlopen(found[1], timeout=SECONDS / 1000) as answer:
            assert answer.status == 200
        (folder,) = tmp_path.iterdir()
        assert folder.name.startswith("dsct_web_")
        assert any(folder.rglob("*.webp")), "the drawn scenes"
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(20) == 0
    assert rest == "ended; the pictures that were shown are deleted\n"
    assert list(tmp_path.iterdir()) == []
