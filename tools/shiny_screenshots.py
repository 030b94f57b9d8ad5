"""Pictures of the labelling app and of an app with a model, for the vignette "Cropping in Shiny".

    python3 tools/shiny_screenshots.py [FOLDER]       from a checkout that `make setup` has prepared, with Chromium

They go to vignettes/; or to the folder that is named, with some more to look at: in the dark, and as wide as a phone.
"""

import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from browser import Editor, serve, start  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CAT, CUP = (119, 74, 215, 165), (196, 30, 402, 250)


def served(code, folder=ROOT):
    """Run an app that R code makes, in a folder; gives its address and its process."""

    def command(port):
        return "Rscript", "-e", f"shiny::runApp({code}, port = {port}, launch.browser = FALSE)"

    return serve(command, cwd=folder, env={**os.environ, "R_LIBS": str(ROOT / ".rlib")})


def shoot(driver, file):
    Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB").save(file, quality=88, optimize=True)
    print(file)


def draw(editor, box, key=None):
    left, top, right, bottom = box
    editor.drag(editor.at(left + 0.5, top + 0.5), editor.at(right - 0.5, bottom - 0.5))
    if key:
        editor.press(key)
    time.sleep(1)


def label(address, file, **options):
    """Draw in two images of the labelling app."""
    driver = start(**options)
    editor = Editor(driver, address)
    draw(editor, CAT, "1")
    driver.find_element(By.ID, "next").click()
    time.sleep(3)
    editor.ready()
    draw(editor, CUP, "2")
    shoot(driver, file)
    driver.quit()


def read_digits(address, file):
    driver = start(size=(1000, 560))
    editor = Editor(driver, address)
    WebDriverWait(driver, 200).until(lambda driver: "Draw" in driver.find_element(By.ID, "answer").text)
    for box in ((82, 83, 103, 105), (154, 94, 176, 117)):
        draw(editor, box)
    time.sleep(2)
    shoot(driver, file)
    driver.quit()


def main(folder, options):
    with tempfile.TemporaryDirectory() as kept:
        photos = ", ".join(f"'{ROOT}/inst/extdata/{name}.jpg'" for name in ("chelsea", "coffee"))
        for name, how in options.items():
            code = f"kerascrop::crop_app(c({photos}), '{name}.csv', labels = c('eye', 'cup'), run = FALSE)"
            address, server = served(code, kept)
            label(address, folder / f"{name}.jpg", **how)
            server.terminate()
    with tempfile.TemporaryDirectory() as copy:  # for a short path in the code that the app shows
        app = (ROOT / "inst/examples/digit-reader/app.R").read_text()
        installed = 'system.file("extdata", "digits.png", package = "kerascrop")'
        Path(copy, "app.R").write_text(app.replace(installed, '"digits.png"'))
        shutil.copy(ROOT / "inst/extdata/digits.png", copy)
        address, server = served("'.'", copy)
        read_digits(address, folder / "shiny-digits.jpg")
        server.terminate()


if __name__ == "__main__":
    app = {"shiny-app": {"size": (1000, 640)}}
    more = {"shiny-dark": {"size": (1000, 640), "dark": True}, "shiny-phone": {"size": (390, 800), "ratio": 2}}
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]), {**app, **more})
    else:
        main(ROOT / "vignettes", app)
