"""The editor on a page: accessible, alone, and safe."""

import importlib.resources
import re

import numpy as np
import pytest
from PIL import Image, ImageOps
from selenium.webdriver.common.keys import Keys

AXE = importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text()


# How colours look without one of the eye's three kinds of cones: Machado et al. 2009, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0993], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8729]])  # white is 1, 1, 1


def lab(rgb, blindness):
    """Colours `(n, 3)`, 0 to 255, as CIELAB, in which distances are what people see."""
    rgb = np.asarray(rgb) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ np.transpose(BLINDNESS[blindness]), 0, 1) @ TO_XYZ.T
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_nine_classes_have_colours_that_people_tell_apart(open_editor, blindness):
    """Any two, and white, which is for no class, are more than six times as far apart as what is just seen."""
    editor = open_editor("photo")
    editor.ask("editor.update({labels: [...'abcdefghi']})")
    code = "return [...root.querySelectorAll('.kc-swatch')].map((swatch) => getComputedStyle(swatch).backgroundColor)"
    swatches = editor.ask(code)
    colours = [[int(number) for number in re.findall(r"\d+", swatch)[:3]] for swatch in swatches]
    assert len(colours) == 9
    seen = lab([*colours, [255, 255, 255]], blindness)
    distances = np.linalg.norm(seen[:, None] - seen, axis=2) + 1e3 * np.eye(10)
    assert distances.min() > 6 * 2.3


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_editor, dark):
    editor = open_editor("photo", dark=dark)
    for state in ("", "editor.update({select: 1})", "root.querySelector('details').open = true"):
        editor.ask(state)
        editor.frame()
        editor.driver.execute_script(AXE)
        code = "axe.run('.kc-editor').then(({violations}) => arguments[0](violations.map(({id, help}) => id + help)))"
        assert editor.driver.execute_async_script(code) == []


def test_the_focus_is_seen(open_editor):
    editor = open_editor("photo")
    blurred = editor.screenshot()
    editor.find(".kc-stage").send_keys(Keys.TAB)
    assert editor.selected() == 0
    editor.frame()
    focused = editor.screenshot()
    editor.driver.execute_script("document.activeElement.blur()")
    editor.frame()
    selected = editor.screenshot()
    assert (focused != selected).any(axis=2).sum() > 500
    assert (selected != blurred).any()


def test_two_editors_do_not_see_each_other(open_editor):
    one = open_editor("two", id="one")
    two = type(one).__new__(type(one))
    two.__dict__.update(one.__dict__, root="#two")
    two.driver.execute_script("document.querySelector('#two').scrollIntoView()")
    two.ready()
    assert (one.boxes(), two.boxes()) == ([], [(1, 2, 3, 4)])
    two.press("n")
    assert len(two.boxes()) == 1  # nothing has the focus
    two.find(".kc-stage").send_keys("n1")
    assert (one.boxes(), len(two.boxes()), two.labels()) == ([], 2, [None, "cat"])
    one.find(".kc-stage").send_keys("n2")
    assert (one.labels(), two.labels()) == (["nose"], [None, "cat"])
    one.press(Keys.CONTROL, "z")
    one.press(Keys.CONTROL, "z")
    assert (one.labels(), two.labels()) == ([], [None, "cat"])


def test_names_are_text(open_editor):
    editor = open_editor("nasty")
    editor.ask("editor.update({select: 1})")
    editor.frame()
    assert editor.ask("return [window.hit, root.querySelectorAll('img').length]") == [None, 0]
    nasty = "<img src=x onerror='window.hit=1'>"
    assert nasty in editor.find(".kc-class").text
    assert nasty in editor.find(".kc-status").text
    assert nasty in editor.find(".kc-box").get_attribute("aria-label")


def test_the_picture_s_pixels_are_those_of_the_array(open_editor):
    """All of them, at one of the image's to one of the screen's and more."""
    editor = open_editor("places")
    code = """const canvas = root.querySelector('canvas');
    return Array.from(canvas.getContext('2d').getImageData(0, 0, 640, 400).data.filter((_, i) => i % 4 < 3))"""
    pixels = np.array(editor.ask(code)).reshape(400, 640, 3)
    rows, cols = np.mgrid[:400, :640]
    assert (pixels == np.stack([cols % 256, rows % 256, cols // 256 + 16 * (rows // 256)], axis=2)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_lie_as_exif_says(open_editor, pages, orientation):
    """Against PIL: four colours, in files that browsers would turn by themselves too."""
    editor = open_editor(f"turned-{orientation}")
    upright = ImageOps.exif_transpose(Image.open(pages["folder"] / f"turned-{orientation}.jpg"))
    width, height, data = editor.ask(
        """const canvas = root.querySelector('canvas'), {width, height} = canvas;
        return [width, height, Array.from(canvas.getContext('2d').getImageData(0, 0, width, height).data)]"""
    )
    assert (width, height) == upright.size
    pixels = np.array(data).reshape(height, width, 4)[..., :3]
    assert np.abs(pixels - np.asarray(upright).astype(int)).mean() < 3
    assert f"{width} by {height} pixels" in editor.find(".kc-stage").get_attribute("aria-label")


def test_a_picture_that_cannot_be_read_is_told(open_editor):
    editor = open_editor("places")
    picture = "{data: 'AAAA', type: 'image/png', orientation: 1}"
    editor.ask(f"editor.update({{image: {{picture: {picture}, width: 9, height: 9}}}})")
    editor.driver.implicitly_wait(5)
    assert "cannot be shown" in editor.find("[role=alert]").text
    editor.driver.implicitly_wait(0)


def test_the_boxes_are_copied_as_r_code(open_editor):
    editor = open_editor("photo")
    keep = "window.copied = document.activeElement.value"
    editor.driver.execute_script(f"document.execCommand = () => {{ {keep}; return true }}")
    editor.find("button[aria-label^=Copy]").click()
    assert editor.driver.execute_script("return window.copied") == (
        "data.frame(\n  x1 = c(119, 279),\n  y1 = c(74, 94),\n  x2 = c(215, 350),\n  y2 = c(165, 170),\n"
        '  label = c("eye", NA_character_)\n)'
    )


def test_slides_that_are_shown_smaller_change_nothing(open_editor):
    editor = open_editor("places")
    editor.ask("root.style.transform = 'scale(0.7)'; root.style.transformOrigin = '0 0'")
    editor.frame()
    editor.drag(editor.at(100.5, 50.5), editor.at(299.5, 249.5))
    assert editor.boxes() == [(100, 50, 300, 250)]
