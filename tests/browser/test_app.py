"""`crop_app()`: whole labelling tasks, what is kept when they are interrupted, and files that mean harm."""

import csv
import importlib.resources
import os
import pathlib

import numpy as np
import pytest
from browser import Editor, serve
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

AXE = importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text()
SIDES = ("x1", "y1", "x2", "y2")


def a_picture(path, width=120, height=80):
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def served(folder=None, **environment):
    """The address of an app, and its process."""
    script, folders = pathlib.Path(__file__).parent / "labels.R", [folder] if folder else []
    return serve(lambda port: ["Rscript", script, port, *folders], env={**os.environ, **environment})


@pytest.fixture
def folder(tmp_path):
    for name, width in (("a.png", 120), ("b.png", 120), ("c.png", 90)):
        a_picture(tmp_path / name, width)
    return tmp_path


@pytest.fixture
def labelling(folder, open_editor):
    """An editor of the app of that folder, and its address."""
    address, server = served(folder)
    yield open_editor(address, size=(1200, 800)), address
    server.terminate()
    server.wait()


@pytest.fixture
def dropping(tmp_path):
    """The address of an app for files that are dropped, which are kept in a folder of the test's."""
    address, server = served(R_USER_DATA_DIR=str(tmp_path / "kept"))
    yield address
    server.terminate()
    server.wait()


def until(driver, condition, seconds=15):
    WebDriverWait(driver, seconds, 0.05).until(lambda driver: condition())


def text_of(driver, name):
    return driver.find_element(By.ID, name).text


def saved(folder):
    """The rows of the file of boxes: the image, the sides and the class."""
    file = folder / "boxes.csv"
    if not file.exists():
        return []
    with open(file, newline="") as lines:
        return [(row["file"], *(float(row[side]) for side in SIDES), row["label"]) for row in csv.DictReader(lines)]


def until_saved(driver, folder, rows):
    try:
        until(driver, lambda: saved(folder) == rows)
    except Exception:
        assert saved(folder) == rows
        raise


def go(editor, where, title):
    """Press a key that leads to another image, or click on its place in the strip, and wait until that is drawn."""
    before = editor.driver.find_elements(By.CSS_SELECTOR, ".crop_editor")
    if len(where) == 1:
        editor.press(where)
    else:
        editor.driver.find_element(By.CSS_SELECTOR, where).click()
    until(editor.driver, lambda: title in text_of(editor.driver, "title"))
    until(editor.driver, lambda: editor.driver.find_elements(By.CSS_SELECTOR, ".crop_editor") not in ([], before))
    editor.ready()


def draw(editor, x1, y1, x2, y2):
    editor.drag(editor.at(x1 + 0.5, y1 + 0.5), editor.at(x2 - 0.5, y2 - 0.5))


def test_a_folder_is_labelled_and_every_step_is_saved(labelling, folder):
    editor, _ = labelling
    draw(editor, 10, 20, 50, 60)
    until_saved(editor.driver, folder, [("a.png", 10, 20, 50, 60, "")])
    editor.press("2")
    until_saved(editor.driver, folder, [("a.png", 10, 20, 50, 60, "cup")])
    go(editor, "j", "2 of 3")
    assert editor.boxes() == []
    draw(editor, 60, 5, 100, 75)
    a, b = ("a.png", 10, 20, 50, 60, "cup"), ("b.png", 60, 5, 100, 75, "")
    until_saved(editor.driver, folder, [a, b])
    go(editor, "c", "3 of 3")  # the box comes along, up to the edge of this smaller image
    assert editor.boxes() == [(60, 5, 90, 75)]
    assert text_of(editor.driver, "progress") == "2 of 3 labelled"
    go(editor, "k", "2 of 3")
    until_saved(editor.driver, folder, [a, b, ("c.png", 60, 5, 90, 75, "")])
    go(editor, "[data-image='1']", "1 of 3")
    assert editor.boxes() == [(10, 20, 50, 60)] and editor.labels() == ["cup"]


def test_it_goes_by_keyboard_alone(labelling, folder):
    editor, _ = labelling
    editor.find(".kc-stage").send_keys("n")
    editor.press("1")
    until(editor.driver, lambda: [row[0::5] for row in saved(folder)] == [("a.png", "cat")])
    go(editor, "j", "2 of 3")
    until(editor.driver, lambda: "kc-stage" in editor.driver.switch_to.active_element.get_attribute("class"))
    editor.press("n")
    editor.press(Keys.ARROW_LEFT, times=3)
    until(editor.driver, lambda: [row[0] for row in saved(folder)] == ["a.png", "b.png"])


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_on_the_page(folder, drivers, dark):
    address, server = served(folder)
    driver = drivers(size=(1200, 800), dark=dark)
    editor = Editor(driver, address)
    draw(editor, 10, 20, 50, 60)
    until(driver, lambda: text_of(driver, "progress") == "1 of 3 labelled")
    driver.execute_script(AXE)
    code = "axe.run().then(({violations}) => arguments[0](violations.map(({id, nodes}) => [id, nodes[0].html])))"
    assert driver.execute_async_script(code) == []
    server.terminate()
    server.wait()


def test_reloading_loses_nothing(labelling, folder):
    editor, address = labelling
    draw(editor, 10, 20, 50, 60)
    until_saved(editor.driver, folder, [("a.png", 10, 20, 50, 60, "")])
    editor.driver.refresh()
    editor.ready()
    assert editor.boxes() == [(10, 20, 50, 60)]
    draw(editor, 60, 30, 70, 40)
    until_saved(editor.driver, folder, [("a.png", 10, 20, 50, 60, ""), ("a.png", 60, 30, 70, 40, "")])


def test_a_models_box_that_comes_while_one_draws_disturbs_nothing(labelling):
    editor, _ = labelling
    draw(editor, 60, 30, 70, 40)
    start, end = editor.at(10.5, 20.5), editor.at(49.5, 59.5)
    editor.mouse("mousePressed", *start, 1, "left")
    editor.mouse("mouseMoved", *editor.at(30, 40), 1, "left")
    ghost = {side: [str(value)] for side, value in zip(SIDES, (20, 20, 60, 60))}
    editor.ask("editor.update({ghosts: [{name: 'model', boxes: arguments[0]}]})", ghost)
    editor.mouse("mouseMoved", *end, 1, "left")
    editor.mouse("mouseReleased", *end, 0, "left")
    assert editor.boxes() == [(60, 30, 70, 40), (10, 20, 50, 60)]
    assert editor.find(".kc-ghost .kc-name").text == "model"
    editor.ask("editor.update({ghosts: []})")
    assert editor.driver.find_elements(By.CSS_SELECTOR, ".kc-ghost") == []


def drop(driver, *files):
    driver.find_element(By.ID, "dropped").send_keys("\n".join(str(file) for file in files))


def test_two_who_drop_files_do_not_see_each_other(dropping, tmp_path, drivers):
    a_picture(tmp_path / "mine.png")
    a_picture(tmp_path / "theirs.png", 90)
    one, other = drivers(size=(1200, 800)), drivers(size=(1190, 800))
    for driver, name in ((one, "mine.png"), (other, "theirs.png")):
        driver.get(dropping)
        until(driver, lambda: "Drop images" in text_of(driver, "title"))
        drop(driver, tmp_path / name)
        until(driver, lambda: f"1 of 1: {name}" in text_of(driver, "title"))
    assert "mine" not in other.page_source and "theirs" not in one.page_source
    one.refresh()
    until(one, lambda: "1 of 1: mine.png" in text_of(one, "title"))


def test_files_that_mean_harm_get_a_message(dropping, tmp_path, drivers):
    driver = drivers(size=(1200, 800))
    driver.get(dropping)
    until(driver, lambda: "Drop images" in text_of(driver, "title"))
    named = tmp_path / "<img src=x onerror=window.harmed=1>.png"
    a_picture(named)
    svg, bomb = tmp_path / "x.svg", tmp_path / "bomb.png"
    svg.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed=1'/>")
    content = bytearray(named.read_bytes())
    content[16:24] = (60000).to_bytes(4, "big") * 2  # a header that says 3.6 gigapixels
    bomb.write_bytes(content)
    drop(driver, named, svg, bomb)
    until(driver, lambda: "1 of 1: _img src=x onerror=window.harmed=1_.png" in text_of(driver, "title"))
    problem = text_of(driver, "problem")
    assert "x.svg" in problem and "bomb.png" in problem and "60000 x 60000" in problem and "\x1b" not in problem
    assert driver.execute_script("return window.harmed === undefined && !document.querySelector('img[src=x]')")
