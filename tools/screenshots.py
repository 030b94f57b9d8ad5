"""Take the pictures of the crop editor: man/figures/editor.png for the README, and others to look at, in demo-output/.

    .venv/bin/python tools/screenshots.py

Needs Chromium and its driver (tools/setup.py --browser), and kerascrop in .rlib/.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

sys.path.insert(0, "tests/browser")
import browser  # noqa: E402

# The pages: a photograph with boxes, and one of 50 megapixels.
PAGES = """
library(kerascrop)
folder <- commandArgs(TRUE)
photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
boxes <- data.frame(
  x1 = c(119, 279, 226), y1 = c(74, 94, 215), x2 = c(215, 350, 294), y2 = c(165, 170, 268),
  label = c("eye", "eye", "nose")
)
ghosts <- list(`centre crop` = c(125, 50, 325, 250))
save <- function(name, ...) {
  editor <- crop_editor(..., height = 600)
  editor$sizingPolicy$browser$padding <- 8
  htmlwidgets::saveWidget(editor, file.path(folder, paste0(name, ".html")), selfcontained = FALSE)
}
save("photo", photo, boxes, labels = c("eye", "nose", "ear"), ghosts = ghosts)
save("large", file.path(folder, "large.jpg"), data.frame(x1 = 5010, y1 = 3900, x2 = 5700, y2 = 4700, label = "spoon"),
     labels = c("cup", "spoon"))
"""


def noisy_photograph(path, size):
    """One of some width and height, with noise, so that it is as large a file as a camera's."""
    small = Image.open("inst/extdata/coffee.jpg").resize(size, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).integers(-12, 13, (*size[::-1], 3), dtype=np.int16)
    Image.fromarray(np.clip(np.asarray(small) + noise, 0, 255).astype(np.uint8)).save(path, quality=88)


def main():
    output = pathlib.Path("demo-output/editor")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        noisy_photograph(f"{folder}/large.jpg", (8660, 5773))
        script = pathlib.Path(folder, "pages.R")
        script.write_text(PAGES)
        subprocess.run(["Rscript", script, folder], check=True)

        def shoot(name, page, steps, **options):
            driver = browser.start(**options)
            try:
                editor = browser.Editor(driver, pathlib.Path(folder, f"{page}.html").as_uri())
                steps(editor)
                editor.frame()
                driver.save_screenshot(str(output / f"{name}.png"))
            finally:
                driver.quit()

        def select(editor):
            editor.ask("editor.update({select: 1})")

        def with_keys(editor):
            editor.find(".kc-stage").send_keys("\ue004")  # Tab
            editor.ask("root.querySelector('details').open = true")

        def zoom(editor):
            for _ in range(3):
                editor.wheel(*editor.at(5355, 4300), -100)
            select(editor)

        shoot("light", "photo", select, size=(760, 616))
        shoot("dark", "photo", select, size=(760, 616), dark=True)
        shoot("keys", "photo", with_keys, size=(760, 616), ratio=2)
        shoot("phone", "photo", select, size=(390, 616), touch=True, ratio=2)
        shoot("phone_dark", "photo", with_keys, size=(390, 616), touch=True, ratio=2, dark=True)
        shoot("large", "large", select, size=(1000, 616))
        shoot("large_zoomed", "large", zoom, size=(1000, 616))
    small = Image.open(output / "light.png").convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE)
    small.save("man/figures/editor.png", optimize=True)


if __name__ == "__main__":
    main()
