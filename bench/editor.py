"""How smooth the crop editor is, and how soon there: in Chromium without a window, which draws on the CPU.

    .venv/bin/python bench/editor.py

Prints frames per second while one of 1,000 boxes is dragged, and while the picture is zoomed with all of them on it;
and how long photographs of 12 and 50 megapixels take from the page's first byte to the picture.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path[:0] = ["tests/browser", "tools"]
import browser  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from screenshots import noisy_photograph  # noqa: E402

COUNT = """
window.frames = []; window.counting = true;
const count = (now) => { frames.push(now); if (counting) requestAnimationFrame(count) };
requestAnimationFrame(count);
"""
SHOWN = "addEventListener('kerascrop:picture', () => { window.shown = performance.now() }, true)"


def frames_per_second(editor, act):
    """The frames that the browser draws while something is done, per second; and its longest frame, in ms."""
    editor.driver.execute_script(COUNT)
    act()
    times = np.diff(editor.driver.execute_script("window.counting = false; return window.frames"))
    return 1000 / times.mean(), np.quantile(times, 0.95)


def main():
    if not (browser.CHROMIUM and browser.DRIVER):
        return print("the editor: needs chromium and chromium-driver, see tools/setup.py --browser")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in {"12": (4000, 3000), "50": (8660, 5773)}.items():
            noisy_photograph(f"{folder}/photo-{name}.jpg", size)
        subprocess.run(["Rscript", "tests/browser/pages.R", folder], check=True)
        driver = browser.start()
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHOWN})
        editor = browser.Editor(driver, pathlib.Path(folder, "many.html").as_uri())

        def drag():
            x, y = editor.at(*(sum(side) / 2 for side in zip(editor.boxes()[0][:2], editor.boxes()[0][2:])))
            editor.mouse("mousePressed", x, y, 1, "left")
            for step in range(300):
                editor.mouse("mouseMoved", x + 60 * np.sin(step / 20), y + step / 10, 1, "left")
            editor.mouse("mouseReleased", x, y, 0, "left")

        def zoom():
            for step in range(60):
                editor.mouse("mouseWheel", 500, 300, deltaX=0, deltaY=-30 if step % 30 < 15 else 30, modifiers=2)

        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
        for what, act in {"one of 1,000 boxes is dragged": drag, "1,000 boxes are zoomed": zoom}.items():
            rate, slow = frames_per_second(editor, act)
            print(f"{what}: {rate:.0f} frames a second; 95 % of them within {slow:.0f} ms")
        for name in ("12", "50"):
            size = Image.open(f"{folder}/photo-{name}.jpg").size
            file = pathlib.Path(folder, f"photo-{name}.jpg")
            browser.Editor(driver, pathlib.Path(folder, f"photo-{name}.html").as_uri())
            shown = driver.execute_script("return window.shown")
            megabytes = file.stat().st_size / 1e6
            print(f"a photograph of {size[0]} x {size[1]} ({megabytes:.0f} MB): shown after {shown:.0f} ms")
        driver.quit()


if __name__ == "__main__":
    main()
