"""The editor in a Shiny app: what the server sees, and what it changes."""

import json
import pathlib
import urllib.parse

import pytest
from browser import Editor, serve, start
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SIDES = ("x1", "y1", "x2", "y2")
GIVEN = {"x1": 10, "y1": 20, "x2": 100, "y2": 90, "label": None, "selected": None}


@pytest.fixture(scope="module")
def app():
    address, server = serve(lambda port: ["Rscript", pathlib.Path(__file__).parent / "app.R", port])
    yield address
    server.terminate()
    server.wait()


def rows(editor):
    text = editor.driver.find_element(By.ID, "seen").text
    if text:
        return [{**row, **{side: float(row[side]) for side in SIDES}} for row in json.loads(text)]


def wait_for(editor, expected):
    """Until the server sees these boxes."""
    try:
        WebDriverWait(editor.driver, 10, 0.05).until(lambda driver: rows(editor) == expected)
    except Exception:
        assert rows(editor) == expected
        raise


def press(editor, name):
    editor.driver.find_element(By.ID, name).click()


def test_the_server_sees_what_is_drawn_and_the_page_what_it_changes(app, open_editor):
    editor = open_editor(app, id="crops")
    wait_for(editor, [GIVEN])
    editor.drag(editor.at(200.5, 100.5), editor.at(299.5, 199.5))
    drawn = {"x1": 200, "y1": 100, "x2": 300, "y2": 200, "label": None, "selected": 2}
    wait_for(editor, [{**GIVEN, "selected": 2}, drawn])
    editor.press("2")
    wait_for(editor, [{**GIVEN, "selected": 2}, {**drawn, "label": "nose"}])
    press(editor, "add")
    third = {"x1": 1 / 3, "y1": 2, "x2": 50, "y2": 60, "label": "nose", "selected": 2}
    wait_for(editor, [{**GIVEN, "selected": 2}, {**drawn, "label": "nose"}, third])
    assert editor.boxes()[2][0] == 1 / 3  # all digits, there and back
    press(editor, "choose")
    wait_for(editor, [{**row, "selected": 1} for row in (GIVEN, {**drawn, "label": "nose"}, third)])
    press(editor, "clear")
    wait_for(editor, [])
    editor.find(".kc-stage").click()
    editor.press("\ue009", "z")  # what the server did can be undone
    WebDriverWait(editor.driver, 10).until(lambda driver: len(rows(editor)) == 3)


def test_another_image_keeps_the_boxes_and_shows_its_own_picture(app, open_editor):
    editor = open_editor(app, id="crops")
    wait_for(editor, [GIVEN])
    press(editor, "image")
    name = "return root.querySelector('.kc-stage').ariaLabel"
    WebDriverWait(editor.driver, 10).until(lambda driver: "600 by 400" in editor.ask(name))
    editor.ready()
    buttons = editor.driver.find_elements(By.CLASS_NAME, "kc-class")
    assert [button.text.split()[-1] for button in buttons] == ["cup", "spoon"]
    wait_for(editor, [GIVEN])
    press(editor, "set")
    wait_for(editor, [
        {"x1": x, "y1": x, "x2": y, "y2": y, "label": None, "selected": None} for x, y in ((0, 10), (5, 20))
    ])
    press(editor, "draw")  # from the start
    wait_for(editor, [GIVEN])


def test_other_classes_and_ghosts_leave_the_boxes_and_what_can_be_undone(app, open_editor):
    editor = open_editor(app, id="crops")
    wait_for(editor, [GIVEN])
    editor.drag(editor.at(200.5, 100.5), editor.at(299.5, 199.5))
    editor.press("2")
    press(editor, "others")
    WebDriverWait(editor.driver, 10).until(lambda driver: "IoU with all" in editor.find(".kc-status").text)
    assert editor.find(".kc-status").text.endswith("IoU with all: 0.07")  # 100 x 100 of 451 x 300 pixels
    assert (editor.selected(), editor.labels()) == (1, [None, "nose"])
    editor.find(".kc-box[aria-selected=true]").send_keys("1")
    assert editor.labels() == [None, "paw"]
    for labels in ([None, "nose"], [None, None], [None]):
        editor.press("\ue009", "z")
        assert editor.labels() == labels


def test_a_bookmark_brings_its_boxes_back(app, open_editor):
    boxes = {"x1": [1 / 3, 50], "y1": [2, 60], "x2": [30, 70], "y2": [40, 80], "label": ["nose", None]}
    editor = open_editor(f"{app}/?_inputs_&crops={urllib.parse.quote(json.dumps(boxes))}", id="crops")
    one = {"x1": 1 / 3, "y1": 2, "x2": 30, "y2": 40, "label": "nose", "selected": None}
    wait_for(editor, [one, {"x1": 50, "y1": 60, "x2": 70, "y2": 80, "label": None, "selected": None}])
    assert editor.labels() == ["nose", None]


def test_an_editor_that_is_no_output_is_an_input_too(app, open_editor):
    editor = open_editor(app, id="still")
    seen = editor.driver.find_element(By.ID, "seen_still")
    WebDriverWait(editor.driver, 10).until(lambda driver: seen.text == "1 2 3 4")
    editor.find(".kc-box").send_keys("\ue014")  # the right arrow
    WebDriverWait(editor.driver, 10).until(lambda driver: seen.text == "2 2 4 4")


def test_sessions_do_not_see_each_other(app, open_editor):
    one = open_editor(app, id="crops")
    other = start()
    try:
        two = Editor(other, app, "crops")
        wait_for(two, [GIVEN])
        press(two, "set")
        WebDriverWait(other, 10).until(lambda driver: len(rows(two)) == 2)
        wait_for(one, [GIVEN])
        press(one, "clear")
        wait_for(one, [])
        assert len(rows(two)) == 2
        assert len(two.boxes()) == 2
    finally:
        other.quit()
