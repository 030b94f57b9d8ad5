"""COCO's JSON: images, annotations and categories by number; boxes are `[x, y, width, height]` in pixels, from 0 on."""

import json

from kerascrop import checks
from kerascrop.annotations.table import by_image, check_table, is_text, rows_of


def parse(text, path):
    """The table of a file's text."""

    def stop(problem):
        raise checks.BoxError(f"{path!r} is no COCO file of boxes: {problem}")

    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        stop(f"{error}.")
    images, annotations, categories = (
        found.get(part) if isinstance(found, dict) else None for part in ("images", "annotations", "categories")
    )
    for name, part in (("images", images), ("annotations", annotations), ("categories", categories)):
        if not isinstance(part, list) or not all(isinstance(each, dict) for each in part):
            stop(f"it must have a list {name!r}.")
    names = _by_id(categories, "categories", "name", stop)
    files = _by_id(images, "images", "file_name", stop)
    twice = {file: number for number, file in files.items()}
    if len(twice) < len(files):
        number, file = next(each for each in files.items() if twice[each[1]] != each[0])
        stop(f"the images {number!r} and {twice[file]!r} have the same name, {file!r}.")
    boxes = {number: [] for number in files}
    for i, annotation in enumerate(annotations):
        place = f"annotations[{i}]"
        image, category, box = (annotation.get(key) for key in ("image_id", "category_id", "bbox"))
        for key, number, known in (("image_id", image, files), ("category_id", category, names)):
            if not _is_id(number) or number not in known:
                stop(f"{place} has the {key} {checks.shown(number)}, which there is not.")
        box = [checks.real_number(side) for side in box] if isinstance(box, list) else []
        if len(box) != 4 or None in box:
            stop(f"{place} must have a bbox of four numbers, not {checks.shown(annotation.get('bbox'))}.")
        sides = _exact((box[0], box[1], box[0] + box[2], box[1] + box[3]), annotation.get("xyxy"))
        if annotation.get("iscrowd") != 1:
            boxes[image].append((*sides, names[category], place))
    sizes = [(image.get("height"), image.get("width")) for image in images]
    columns, places = by_image([(files[number], size, boxes[number]) for number, size in zip(files, sizes)])
    return check_table(columns, repr(path), places)


def _exact(sides, stored):
    """The sides as they were, where they are stored: a corner plus a size may miss the other corner by its last bit."""
    numbers = [checks.real_number(side) for side in stored] if isinstance(stored, list) else []
    is_it = len(numbers) == 4 and None not in numbers and all(abs(a - b) < 1e-6 for a, b in zip(sides, numbers))
    return numbers if is_it else sides


def _is_id(value):
    return isinstance(value, (int, str, float)) and not isinstance(value, bool)


def _by_id(parts, what, key, stop):
    """`{id: name}` of images or categories."""
    found = {}
    for i, part in enumerate(parts):
        if not _is_id(part.get("id")) or not is_text(part.get(key)):
            stop(f"{what}[{i}] must have an id and a {key}.")
        if part["id"] in found:
            stop(f"{what}[{i}] has the id {part['id']!r} of another.")
        found[part["id"]] = part[key]
    return found


def text_of(table, classes):
    """The text of a table, with sizes; classes are numbered from 1 on."""
    numbers = {name: number for number, name in enumerate(classes, 1)}
    sizes = dict(zip(table["file"], zip(table["height"], table["width"])))
    images, annotations = [], []
    for image_id, (file, boxes) in enumerate(rows_of(table).items(), 1):
        height, width = sizes[file]
        images.append({"id": image_id, "file_name": file, "width": width, "height": height})
        for x1, y1, x2, y2, label in boxes:
            box = [x1, y1, x2 - x1, y2 - y1]
            annotation = {"id": len(annotations) + 1, "image_id": image_id, "category_id": numbers[label], "bbox": box}
            annotations.append({**annotation, "area": box[2] * box[3], "iscrowd": 0})
            if (x1 + box[2], y1 + box[3]) != (x2, y2):
                annotations[-1]["xyxy"] = [x1, y1, x2, y2]
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    parts = {"images": images, "annotations": annotations, "categories": categories}
    lines = [
        f'"{name}": [\n' + ",\n".join(json.dumps(each, ensure_ascii=False) for each in part) + "\n]"
        for name, part in parts.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
