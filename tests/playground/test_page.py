"""The page in a browser: a file, sliders, a click, mistakes, the camera; nothing is kept."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from io import BytesIO

import numpy as np
import pytest
from conftest import REPOSITORY, load_script
from drawn import save_turned
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # playwright's own loop
]
pytest.importorskip("gradio")
pytest.importorskip("playwright")
ANSWER = ".gem .method .map img"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of the page, and the folder that gradio would keep files in."""
    cache = tmp_path_factory.mktemp("gradio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.Popen(
        [sys.executable, "scripts/app.py", "backbone=tiny", f"port={port}"],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "GRADIO_TEMP_DIR": str(cache)},
    )  # fmt: skip
    with done, done.stdout as lines:
        opened = [line for line in (next(lines, ""), next(lines, "")) if "open http" in line]
        assert opened == [f"open http://127.0.0.1:{port}/  (Ctrl-C ends it)\n"]
        yield f"http://127.0.0.1:{port}/", cache
        done.send_signal(signal.SIGINT)
        assert "Traceback" not in lines.read()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *fake])
        yield found
        found.close()


@pytest.fixture(scope="module")
def opened(served, browser):
    """One open page, since to load it is most of the work; it asks no other host, and is sound."""
    found, foreign, errors = browser.new_page(), [], []
    found.set_default_timeout(240_000)  # a machine may be busy; nothing here is timed
    found.on(
        "request", lambda one: foreign.append(one.url) if outside(one.url, served[0]) else None
    )
    found.on("pageerror", lambda error: errors.append(str(error)))
    found.goto(served[0])
    found.wait_for_selector(ANSWER)
    yield found
    found.close()
    assert foreign == []
    assert errors == []


@pytest.fixture
def page(opened):
    """The page with another drawn scene, and its words."""
    before = opened.locator(".gem .name").inner_text()
    opened.click(".gem .scene")
    opened.wait_for_function(
        "name => document.querySelector('.gem .name').innerText !== name", arg=before
    )
    opened.wait_for_selector(".gem .status")
    return opened


def outside(url, own):
    return not url.startswith((own, "data:", "blob:"))


def methods(page):
    """How many are ticked."""
    return page.locator("#methods input:checked").count()


def said(page, text, kind="status"):
    return page.wait_for_selector(f".gem .{kind}:has-text('{text}')").inner_text()


def photo(path, size=(90, 60)):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    save_turned(Image.fromarray(pixels), path)
    return path


def test_it_begins_with_an_answer(page):
    assert page.locator(".gem .method").count() == methods(page) == 4
    words = page.input_value("#words textarea").split()
    assert page.locator(".gem .method").first.locator("figure").count() == 1 + len(words)
    assert "computed" in said(page, "ms;")


def test_an_upload_and_a_slider(page, tmp_path):
    page.set_input_files(".gem input.file", photo(tmp_path / "photo.png"))
    assert said(page, "photo.png", "name") == "photo.png, 60 x 90"  # as it is to be turned
    assert "the forward pass" in said(page, "computed")
    slider = page.locator("#iters input[type=range]")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_selector(".gem h3:has-text('iters=2')")
    assert "computed: GEM." in said(page, "computed: GEM")
    page.locator("#methods label:has-text('NACLIP')").click()
    assert "computed: NACLIP." in said(page, "computed: NACLIP")
    assert page.locator(".gem .method").count() == methods(page) == 5


def test_a_click_ranks_the_words(page):
    map_ = page.locator(".gem .method .map").last
    box = map_.bounding_box()
    map_.click(position={"x": box["width"] / 2, "y": box["height"] / 4})
    page.wait_for_selector(".gem .rank")
    words = page.input_value("#words textarea").split()
    assert page.locator(".gem .rank").count() == methods(page)
    rows = page.locator(".gem .rank").first.locator("tr")
    assert sorted(row.split()[0] for row in rows.all_inner_texts()) == sorted(words)
    across, down = (float(one) / 512 for one in numbers(said(page, "of the picture", "hint")))
    assert across == pytest.approx(0.5, abs=0.02)
    assert down == pytest.approx(0.25, abs=0.02)
    assert page.locator(".gem .cross:visible").count() == page.locator(".gem .map").count()


def numbers(text):
    return text.removeprefix("At ").removesuffix(" of the picture").split(", ")


def test_mistakes_are_sentences(page, tmp_path):
    before = page.locator(".gem .name").inner_text()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    page.set_input_files(".gem input.file", tmp_path / "broken.jpg")
    assert said(page, "broken.jpg", "problem").startswith("broken.jpg cannot be read as an image:")
    assert page.locator(".gem .name").inner_text() == before
    for text, sentence in [
        ("", "no words: write what to look for, one a line"),
        ("bird " * 80, "tokens"),
        ("a zeppelin", "is not one of them"),
    ]:
        page.fill("#words textarea", text)
        page.click("button:has-text('Ask')")
        assert "Traceback" not in said(page, sentence, "problem")
    assert page.locator(ANSWER).count()  # the last answer is still there
    page.fill("#words textarea", "bird; sun")
    page.click("button:has-text('Ask')")
    assert "ms" in said(page, "computed")
    assert page.locator(".gem .problem").count() == 0


def test_what_is_saved_arrives(page):
    for _ in range(2):  # the second time too
        with page.expect_download() as waiting:
            page.click("button:has-text('npz')")
        assert waiting.value.suggested_filename == "words.npz"
    with np.load(waiting.value.path()) as found:
        assert found["scores"].shape[0] == len(found["methods"]) == methods(page)
    with page.expect_download() as waiting:
        page.click("button:has-text('PNG')")
    with Image.open(waiting.value.path()) as found:
        assert found.format == "PNG"


def test_the_camera_and_the_clipboard(page):
    page.click(".gem .camera")
    page.wait_for_selector(".gem video:visible")
    page.wait_for_function("document.querySelector('.gem video').videoWidth > 0")
    page.click(".gem .shutter")
    assert said(page, "camera.png", "name").startswith("camera.png, ")
    written = BytesIO()
    Image.new("RGB", (30, 20), (200, 30, 30)).save(written, format="PNG")
    page.evaluate(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], "pasted.png", {type: "image/png"}));
          document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data}));
        }""",
        list(written.getvalue()),
    )
    assert said(page, "pasted.png", "name") == "pasted.png, 30 x 20"


def test_no_file_is_left_and_none_is_taken(page, served):
    """gradio's own way to upload is closed; whatever the tests sent lies nowhere."""
    url, cache = served
    done = page.request.post(
        f"{url}gradio_api/upload",
        multipart={"files": {"name": "a.png", "mimeType": "image/png", "buffer": b"12345"}},
    )
    assert done.status == 413
    assert [path for path in cache.rglob("*") if path.is_file()] == []


def test_without_gradio_the_script_says_what_to_install(monkeypatch):
    script = load_script("app")
    monkeypatch.setattr(script, "find_spec", {}.get)
    with pytest.raises(
        ValueError, match=r"gradio is not installed; pip install 'gem-bench\[app\]'"
    ):
        script.main([])
    with pytest.raises(ValueError, match="limit=2: no such key"):
        script.main(["limit=2"])
