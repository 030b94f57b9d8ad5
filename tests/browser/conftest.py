import os
import pathlib
import subprocess

import browser
import numpy as np
import pytest
from PIL import Image

HERE = pathlib.Path(__file__).parent


def pytest_collection_modifyitems(items):
    if not (browser.CHROMIUM and browser.DRIVER):
        skip = pytest.mark.skip(reason="needs Debian's chromium and chromium-driver")
        for item in items:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The addresses of the pages that pages.R writes, by their names, and the folder that they are in."""
    folder = tmp_path_factory.mktemp("pages")
    quarters = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        file = folder / f"turned-{orientation}.jpg"
        quarters.resize((96, 64), Image.Resampling.NEAREST).save(file, exif=exif, quality=95, subsampling=0)
    subprocess.run(["Rscript", HERE / "pages.R", folder], check=True, env=os.environ)
    return {"folder": folder, **{file.stem: file.as_uri() for file in folder.glob("*.html")}}


@pytest.fixture(scope="session")
def drivers():
    """Browsers that were started, each for all tests that want one like it."""
    started = {}

    def get(**options):
        key = tuple(sorted(options.items()))
        if key not in started:
            started[key] = browser.start(**options)
        return started[key]

    yield get
    for driver in started.values():
        driver.quit()


@pytest.fixture
def open_editor(pages, drivers):
    """Opens a page in a browser. Afterwards the console must be empty, and nothing was asked of another machine."""
    used = []

    def open(page, id=None, **options):
        driver = drivers(**options)
        used.append(driver)
        driver.get_log("browser")
        driver.get_log("performance")
        return browser.Editor(driver, pages.get(page, page), id, options.get("ratio", 1))

    yield open
    for driver in used:
        assert browser.complaints(driver) == []
        local = ("file:", "data:", "blob:", "http://127.0.0.1", "ws://127.0.0.1", "about:", "chrome:")
        assert [url for url in browser.requests(driver) if not url.startswith(local)] == []
