"""What mouse and pen draw, move and resize comes out as the pixels under the pointer."""

import random

import pytest
from browser import SHIFT, device_centre, read_place

RATIOS = (1, 1.5, 2)
WIDTH, HEIGHT = 640, 400


def zoom_at_random(editor, draw, amount):
    """Zoom by some amount at a random place; says which part of the page shows the picture."""
    left, top, width, height = editor.stage()
    editor.wheel(left + draw.uniform(0.3, 0.7) * width, top + draw.uniform(0.3, 0.7) * height, -amount)
    x, y, scale = editor.picture()
    seen = (max(left, x), max(top, y), min(left + width, x + WIDTH * scale), min(top + height, y + HEIGHT * scale))
    return scale, seen


def random_places(draw, seen, ratio):
    """Two places of the page, each in the middle of a pixel of the device; and these pixels' numbers."""
    while True:
        ends = [(draw.uniform(seen[0] + 1, seen[2] - 1), draw.uniform(seen[1] + 1, seen[3] - 1)) for _ in range(2)]
        if all(abs(a - b) > 8 for a, b in zip(*ends)):
            break
    found = [[device_centre(value, ratio) for value in end] for end in ends]
    return [tuple(value for value, _ in end) for end in found], [tuple(number for _, number in end) for end in found]


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_drawn_box_holds_the_pixels_that_the_screen_shows_at_its_ends(open_editor, ratio):
    """334 boxes for each ratio, at 17 zooms: the pixels' colours, as a screenshot has them, say where they are."""
    draw = random.Random(ratio)
    editor = open_editor("places", ratio=ratio)
    wrong, drawn = [], 0
    for view in range(17):
        editor.find(".kc-stage").send_keys("f")
        editor.frame()
        scale, seen = zoom_at_random(editor, draw, draw.uniform(120, 480))
        while scale * ratio < 2:  # else the screen has no pixel of its own for each of the image's
            scale, seen = zoom_at_random(editor, draw, 100)
        picture = editor.screenshot()
        for _ in range(20 if view < 16 else 14):
            places, numbers = random_places(draw, seen, ratio)
            (a, b), (c, d) = (read_place(picture, *number) for number in numbers)
            editor.drag(*places)
            expected = (min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1)
            if editor.boxes() != [expected]:
                wrong.append((scale, places, editor.boxes(), expected))
            editor.clear()
            drawn += 1
    assert wrong == []
    assert drawn == 334


@pytest.mark.parametrize("ratio", RATIOS)
def test_without_snapping_sides_are_where_the_pointer_was(open_editor, ratio):
    """Against where the browser says that it shows the picture; pointers have float32's digits."""
    draw = random.Random(ratio)
    editor = open_editor("real", ratio=ratio)
    for amount in (-200, 50, 200, 400):
        scale, seen = zoom_at_random(editor, draw, amount)
        left, top, _ = editor.picture()
        for _ in range(5):
            places, _ = random_places(draw, seen, ratio)
            editor.drag(*places)
            xs, ys = sorted((x - left) / scale for x, _ in places), sorted((y - top) / scale for _, y in places)
            assert editor.boxes()[0] == pytest.approx((xs[0], ys[0], xs[1], ys[1]), abs=3e-4 / scale + 1e-6)
            editor.clear()


def test_the_wheel_keeps_the_pixel_under_the_pointer(open_editor):
    editor = open_editor("places")
    place = tuple(round(value) for value in editor.at(411.3, 233.7))  # browsers tell a wheel's place in whole pixels
    seen = []
    for _ in range(6):
        editor.wheel(*place, -60)
        x, y, scale = editor.picture()
        seen.append(((place[0] - x) / scale, (place[1] - y) / scale))
    assert max(abs(a - b) for ends in zip(seen, seen[1:]) for a, b in zip(*ends)) < 1e-3
    assert read_place(editor.screenshot(), *place) == tuple(int(value) for value in seen[-1])


@pytest.mark.parametrize("handle", ["nw", "n", "ne", "e", "se", "s", "sw", "w"])
def test_each_of_eight_handles_moves_its_sides_alone(open_editor, handle):
    editor = open_editor("real")
    editor.ask("editor.update({boxes: {x1: ['200'], y1: ['100'], x2: ['400'], y2: ['300']}, select: 1})")
    editor.frame()
    x = 200 if "w" in handle else 400 if "e" in handle else 300
    y = 100 if "n" in handle else 300 if "s" in handle else 200
    _, _, scale = editor.picture()
    start = editor.at(x, y)
    editor.drag(start, (start[0] + 30, start[1] - 20))
    dx, dy = 30 / scale, -20 / scale
    expected = [
        200 + dx * ("w" in handle), 100 + dy * ("n" in handle), 400 + dx * ("e" in handle), 300 + dy * ("s" in handle)
    ]
    assert editor.boxes()[0] == pytest.approx(expected, abs=1e-3)


def test_a_box_is_moved_by_whole_pixels_and_stays_in_the_image(open_editor):
    editor = open_editor("places")
    editor.ask("editor.update({boxes: {x1: ['200'], y1: ['100'], x2: ['260'], y2: ['150']}})")
    editor.drag(editor.at(230, 125), editor.at(263.3, 110.8))
    assert editor.boxes() == [(233, 86, 293, 136)]
    editor.drag(editor.at(260, 110), editor.at(5, 395))
    assert editor.boxes() == [(0, 350, 60, 400)]


def test_boxes_are_clipped_to_the_image(open_editor):
    editor = open_editor("places")
    left, top, width, height = editor.stage()
    editor.drag((left + 2, top + 2), (left + width - 2, top + height - 2))
    assert editor.boxes() == [(0, 0, WIDTH, HEIGHT)]
    editor.drag(editor.at(WIDTH, HEIGHT), editor.at(100.5, 50.5))
    assert editor.boxes() == [(0, 0, 101, 51)] or editor.boxes() == [(0, 0, 100, 50)]  # by its corner


def test_a_drag_in_a_box_moves_it_and_with_shift_or_the_button_draws(open_editor):
    editor = open_editor("places")
    editor.drag(editor.at(100.5, 100.5), editor.at(399.5, 299.5))
    editor.drag(editor.at(200.5, 150.5), editor.at(249.5, 199.5), SHIFT)
    assert editor.boxes() == [(100, 100, 400, 300), (200, 150, 250, 200)]
    editor.press("d")
    editor.drag(editor.at(300.5, 150.5), editor.at(349.5, 199.5))
    assert len(editor.boxes()) == 3
    editor.press("d")
    editor.click(*editor.at(225, 175))
    assert editor.selected() == 1  # the smallest there
    editor.drag(editor.at(225, 175), editor.at(235, 175))
    assert editor.boxes()[1] == (210, 150, 260, 200)


def test_the_aspect_is_kept_by_drawing_and_resizing(open_editor):
    editor = open_editor("aspect")
    editor.drag(editor.at(100.5, 100.5), editor.at(250.5, 130.5))
    x1, y1, x2, y2 = editor.boxes()[0]
    assert (x1, y1) == (100, 100)
    assert abs((x2 - x1) / (y2 - y1) - 1.5) < 0.02
    for corner in ((x1, y1), (x2, y2), (x2, (y1 + y2) / 2)):
        start = editor.at(*corner)
        editor.drag(start, (start[0] + 41, start[1] + 17))
        x1, y1, x2, y2 = editor.boxes()[0]
        assert abs((x2 - x1) - 1.5 * (y2 - y1)) <= 0.76  # the height is a whole number of pixels
    editor.press("a")
    editor.drag(editor.at(x2, y2), editor.at(x2 + 100, y2))
    assert editor.boxes()[0] == (x1, y1, x2 + 100, y2)


def test_boxes_of_a_fixed_size_are_placed_and_not_resized(open_editor):
    editor = open_editor("size")
    editor.click(*editor.at(300.2, 200.2))
    assert editor.boxes() == [(260, 175, 340, 225)]
    editor.drag(editor.at(340, 225), editor.at(400, 290))  # a corner moves it
    assert [(x2 - x1, y2 - y1) for x1, y1, x2, y2 in editor.boxes()] == [(80, 50)] * len(editor.boxes())
    editor.click(*editor.at(1, 1))
    assert editor.boxes()[-1] == (0, 0, 80, 50)


def test_a_pen_draws(open_editor):
    editor = open_editor("places")
    editor.drag(editor.at(10.5, 20.5), editor.at(99.5, 79.5), pointerType="pen")
    assert editor.boxes() == [(10, 20, 100, 80)]


def test_the_middle_button_pans_and_draws_nothing(open_editor):
    editor = open_editor("places")
    before = editor.picture()
    start = editor.at(300, 200)
    editor.drag(start, (start[0] + 50, start[1] + 30), button="middle")
    editor.frame()
    assert editor.picture() == pytest.approx((before[0] + 50, before[1] + 30, before[2]))
    assert editor.boxes() == []


def test_space_and_the_button_make_the_pointer_move_the_picture(open_editor):
    editor = open_editor("places")
    editor.find(".kc-stage").click()
    for hold in (True, False):
        left, top, scale = editor.picture()
        if hold:
            editor.key("keyDown", " ", 32)
        else:
            editor.find("button[aria-label^='Move the picture']").click()
        start = editor.at(300, 200)
        editor.drag(start, (start[0] - 20, start[1] + 10))
        editor.frame()
        if hold:
            editor.key("keyUp", " ", 32)
        assert editor.picture() == pytest.approx((left - 20, top + 10, scale))
    assert editor.boxes() == []


def test_escape_takes_back_what_is_being_dragged(open_editor):
    editor = open_editor("places")
    editor.drag(editor.at(100.5, 100.5), editor.at(199.5, 199.5))
    for start in ((150, 150), (200, 200), (400, 300)):  # moved, resized, drawn
        editor.mouse("mousePressed", *editor.at(*start), 1, "left")
        editor.mouse("mouseMoved", *editor.at(start[0] + 50, start[1] + 30), 1, "left")
        assert editor.boxes() != [(100, 100, 200, 200)]
        editor.key("keyDown", "Escape", 27)
        editor.mouse("mouseReleased", *editor.at(start[0] + 50, start[1] + 30), 0, "left")
        assert editor.boxes() == [(100, 100, 200, 200)]
        editor.click(*editor.at(150, 150))
        assert editor.selected() == 0


def test_ghosts_show_their_iou_while_a_box_is_dragged(open_editor):
    editor = open_editor("photo")
    editor.clear()
    editor.drag(editor.at(125.5, 50.5), editor.at(224.5, 249.5))
    assert "IoU with centre: 0.50" in editor.find(".kc-status").text  # the left half of the ghost
    start, end = editor.at(175, 150), editor.at(225, 150)
    editor.mouse("mousePressed", *start, 1, "left")
    editor.mouse("mouseMoved", *end, 1, "left")
    editor.frame()
    assert "IoU with centre: 0.50" in editor.find(".kc-status").text  # still inside
    editor.mouse("mouseMoved", end[0], end[1] + 1000, 1, "left")
    editor.frame()
    assert "IoU with centre: 0.33" in editor.find(".kc-status").text  # 100 x 150 pixels of 20000 + 40000 - 15000
    editor.mouse("mouseReleased", end[0], end[1] + 1000, 0, "left")
