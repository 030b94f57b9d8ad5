"""Everything by fingers alone."""

import pytest


def test_a_whole_labelling_task(open_editor):
    editor = open_editor("places", touch=True, size=(420, 800))
    editor.swipe((editor.at(100.5, 50.5), editor.at(299.5, 249.5)))
    first = editor.boxes()[0]
    assert first == pytest.approx((100, 50, 300, 250), abs=1.01)  # a phone's pixel is more than one of the image
    editor.tap_class(2)
    editor.tap_button("Draw inside")
    editor.swipe((editor.at(150, 100), editor.at(250, 200)))
    editor.tap_button("Draw inside")
    editor.tap_class(1)
    assert editor.labels() == ["dog", "cat"]
    editor.tap(*editor.at(110, 150))
    assert editor.selected() == 0
    editor.swipe((editor.at(300, 150), editor.at(400, 150)))  # its right side
    x1, y1, x2, y2 = editor.boxes()[0]
    assert (x1, y1, y2) == (first[0], first[1], first[3])
    assert x2 == pytest.approx(first[2] + 100, abs=1.01)
    editor.swipe((editor.at(320, 150), editor.at(320, 200)))  # inside
    assert editor.boxes()[0][:3] == (x1, pytest.approx(y1 + 50, abs=1.01), x2)
    editor.tap_button("Delete")
    assert editor.labels() == ["cat"]
    editor.tap_button("Undo")
    assert editor.labels() == ["dog", "cat"]
    editor.tap_button("Redo")
    assert editor.labels() == ["cat"]
    editor.tap_class(1)  # once more takes the class away
    assert editor.labels() == [None]
    editor.tap_button("New box")
    assert len(editor.boxes()) == 2


def test_two_fingers_zoom_at_their_middle_and_pan(open_editor):
    editor = open_editor("places", touch=True, size=(420, 800))
    left, top, scale = editor.picture()
    middle = editor.at(320, 200)
    x, y = middle
    editor.swipe(((x - 30, y), (x - 75, y)), ((x + 30, y), (x + 75, y)))
    editor.frame()
    assert editor.picture()[2] == pytest.approx(2.5 * scale, rel=0.01)
    assert editor.at(320, 200) == pytest.approx(middle, abs=0.5)
    editor.swipe(((x - 30, y), (x - 10, y + 40)), ((x + 30, y), (x + 50, y + 40)))
    editor.frame()
    assert editor.at(320, 200) == pytest.approx((x + 20, y + 40), abs=0.5)
    assert editor.boxes() == []  # the first finger alone had begun to draw


def test_a_second_finger_takes_back_what_the_first_began(open_editor):
    editor = open_editor("photo", touch=True, size=(420, 800))
    before = editor.boxes()
    x, y = editor.at(160, 120)
    editor.touch("touchStart", (x, y))
    editor.touch("touchMove", (x + 30, y))
    editor.touch("touchStart", (x + 30, y), (x + 90, y + 30))
    editor.touch("touchMove", (x + 10, y), (x + 110, y + 30))
    editor.touch("touchEnd")
    assert editor.boxes() == before


def test_buttons_are_large_enough_for_fingers(open_editor):
    editor = open_editor("photo", touch=True, size=(420, 800))
    code = "return [...root.querySelectorAll('button')].map((button) => [button.offsetWidth, button.offsetHeight])"
    assert min(min(size) for size in editor.ask(code)) >= 44
