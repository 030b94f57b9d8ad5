"""Everything by keys alone."""

import random

from selenium.webdriver.common.keys import Keys


def test_a_whole_labelling_task(open_editor):
    """Two boxes are made, moved, resized and labelled; one is deleted, and that undone. No pointer is used."""
    editor = open_editor("places")
    while not (editor.focused() or "").startswith("Image"):
        editor.press(Keys.TAB)
    editor.press("n")
    assert editor.boxes() == [(240, 150, 400, 250)]  # a quarter of the 640 x 400 that are seen, in the middle
    assert editor.focused().startswith("Box 1 of 1, no class: left 240, top 150, 160 wide, 100 high")
    editor.press("2")
    editor.press(Keys.ARROW_RIGHT, times=3)
    editor.press(Keys.ARROW_UP)
    editor.press(Keys.CONTROL, Keys.ARROW_LEFT, times=2)
    editor.press(Keys.PAGE_DOWN)
    assert editor.boxes() == [(223, 159, 383, 259)]
    editor.press(Keys.SHIFT, Keys.ARROW_RIGHT, times=2)
    editor.press(Keys.SHIFT, Keys.ARROW_UP)
    editor.press(Keys.SHIFT, Keys.PAGE_UP)
    editor.press(Keys.SHIFT, Keys.END)
    assert editor.boxes() == [(223, 159, 395, 248)]
    editor.press(Keys.INSERT)
    editor.press("3")
    editor.press(Keys.HOME)
    assert editor.boxes()[1] == (230, 150, 390, 250)
    assert editor.labels() == ["dog", "bird"]
    editor.press(Keys.SHIFT, Keys.TAB)
    assert editor.selected() == 0
    editor.press(Keys.TAB)
    assert editor.selected() == 1
    editor.press("0")
    editor.press(Keys.DELETE)
    assert editor.labels() == ["dog"]
    editor.press(Keys.CONTROL, "z")
    editor.press(Keys.CONTROL, "z")
    assert editor.labels() == ["dog", "bird"]
    editor.press(Keys.CONTROL, "y")
    assert editor.labels() == ["dog", None]
    editor.press(Keys.ESCAPE)
    assert editor.selected() is None
    assert editor.focused().startswith("Image")


def test_the_focus_leaves_the_editor(open_editor):
    editor = open_editor("photo")
    seen = []
    while "BODY" not in seen and len(seen) < 40:
        editor.press(Keys.TAB)
        seen.append(editor.driver.execute_script("return document.activeElement.tagName"))
    assert seen.count("g") == 2  # its two boxes
    assert seen[-1] == "BODY"


def test_a_box_stays_in_the_image_and_keeps_an_area(open_editor):
    editor = open_editor("places")
    editor.ask("editor.update({boxes: {x1: ['5'], y1: ['5'], x2: ['15'], y2: ['12']}, select: 1})")
    editor.frame()
    editor.find(".kc-box").send_keys("")
    editor.press(Keys.CONTROL, Keys.ARROW_LEFT, times=2)
    editor.press(Keys.CONTROL, Keys.ARROW_UP, times=2)
    assert editor.boxes() == [(0, 0, 10, 7)]
    editor.press(Keys.CONTROL, Keys.SHIFT, Keys.ARROW_LEFT, times=2)
    editor.press(Keys.CONTROL, Keys.SHIFT, Keys.ARROW_UP, times=2)
    assert editor.boxes() == [(0, 0, 1, 1)]
    editor.press(Keys.CONTROL, Keys.SHIFT, Keys.ARROW_RIGHT, times=70)
    assert editor.boxes() == [(0, 0, 640, 1)]


def test_a_key_that_is_held_down_is_one_step(open_editor):
    editor = open_editor("places")
    editor.find(".kc-stage").send_keys("n")
    for held in (False, *[True] * 9):
        editor.key("keyDown", "ArrowRight", 39, autoRepeat=held)
    editor.key("keyUp", "ArrowRight", 39)
    assert editor.boxes() == [(250, 150, 410, 250)]
    editor.press(Keys.ARROW_RIGHT)
    editor.press(Keys.CONTROL, "z")
    assert editor.boxes() == [(250, 150, 410, 250)]
    editor.press(Keys.CONTROL, "z")
    assert editor.boxes() == [(240, 150, 400, 250)]


def test_zoom_and_pan(open_editor):
    editor = open_editor("places")
    stage = editor.find(".kc-stage")
    first = editor.picture()
    stage.send_keys("+")
    editor.frame()
    assert editor.picture()[2] > 1.2 * first[2]
    before = editor.picture()
    stage.send_keys(Keys.ARROW_LEFT)
    editor.frame()
    assert editor.picture()[0] == before[0] + 40
    stage.send_keys("f")
    editor.frame()
    assert editor.picture() == first


def test_undo_and_redo_end_where_a_random_walk_was(open_editor):
    """Steps, undo and redo at random, beside a list of what was seen."""
    draw = random.Random(1)
    editor = open_editor("places")
    stage = editor.find(".kc-stage")
    stage.send_keys("n")

    def seen():
        return editor.boxes(), editor.labels()

    past, now, future = [([], [])], seen(), []
    steps = {
        "n": ["n"], "delete": [Keys.DELETE], "move": [Keys.ARROW_DOWN], "far": [Keys.CONTROL, Keys.ARROW_LEFT],
        "size": [Keys.SHIFT, Keys.ARROW_RIGHT], "class": ["1"], "other": ["2"], "undo": [Keys.CONTROL, "z"],
        "redo": [Keys.CONTROL, Keys.SHIFT, "z"], "again": [Keys.CONTROL, "y"],
    }
    for _ in range(150):
        step = draw.choice([*steps, "undo", "undo", "redo"])
        editor.press(*steps[step])
        if step == "undo" and past:
            future.append(now)
            now = past.pop()
        elif step in ("redo", "again") and future:
            past.append(now)
            now = future.pop()
        elif step not in ("undo", "redo", "again") and seen() != now:
            past.append(now)
            now, future = seen(), []
        assert seen() == now, step
    while past:
        editor.press(Keys.CONTROL, "z")
        future.append(now)
        now = past.pop()
        assert seen() == now
    editor.press(Keys.CONTROL, "z")
    assert seen() == ([], [])
    while future:
        editor.press(Keys.CONTROL, "y")
        now = future.pop()
        assert seen() == now
