"""Any call of a crop layer cuts images, and all that goes with them, as the specification in `oracle.py` says."""

import keras
import numpy as np
from keras import ops

import oracle
from cases import BACKEND, array, cases, for_any, run, tensor
from layer_cases import WINDOWS, inputs_of, layers, lines_in, lines_of, make_layer, nested, shapes, size_of, to_format
from sampling_cases import assert_samples


def make(config):
    """The layer as a function of a flat dict of tensors, whose random places a state fixes."""
    layer = make_layer(config)

    def call(inputs):
        data = nested(inputs, config)
        if not hasattr(layer, "seed_generator"):
            return layer(data, training=config["training"])
        state = layer.seed_generator.state
        with keras.StatelessScope(state_mapping=[(state, ops.cast(inputs["state"], state.dtype))]):
            return layer(data, training=config["training"])

    return call


def from_format(values, config, has_channels=True):
    if config["data_format"] == "channels_last" or not has_channels:
        return values
    return np.moveaxis(values, -1 - config["rank"], -1)


def windows(config, lengths):
    """The windows that a layer must choose, each along every axis (start, size, mirrored); None if it draws them."""
    kind, kwargs = config["kind"], config["arguments"]
    if kind == "border":
        starts = tuple(before for before, _ in kwargs["cropping"])
        return [(starts, tuple(n - a - b for n, (a, b) in zip(lengths, kwargs["cropping"])), False)]
    if kind == "window":
        ends = np.array([lines_in(line, length) for line, length in zip(lines_of(kwargs), lengths)])
        ends = np.clip(ends, 0, np.array(lengths)[:, None]) if kwargs["if_smaller"] == "keep" else ends
        return [(tuple(ends[:, 0]), tuple(ends[:, 1] - ends[:, 0]), False)]
    size = size_of(kwargs)
    if kwargs["if_smaller"] == "keep":
        size = tuple(map(min, size, lengths))
    # Pixels are added on both sides, an odd one at the end.
    origin = [max(n - length, 0) // 2 for n, length in zip(size, lengths)]
    padded = list(map(max, lengths, size))
    middle = [oracle.center(length, n) - o for length, n, o in zip(padded, size, origin)]
    if kind in ("center", "random"):
        drawn = kind == "random" and config["training"]
        return None if drawn else [(tuple(middle), size, False)]
    first, last = [-o for o in origin], [length - n - o for length, n, o in zip(padded, size, origin)]
    if kind == "grid":
        lines = [oracle.grid(*axis) for axis in zip(padded, size, kwargs["stride"] or size)]
        return [((y - origin[0], x - origin[1]), size, False) for y in lines[0] for x in lines[1]]
    five = [(y, x) for y in (first[0], last[0]) for x in (first[1], last[1])] + [tuple(middle)]
    return [(start, size, mirrored) for mirrored in (False, True)[: 1 + (kind == "ten")] for start in five]


def enlarges(config, lengths):
    """Whether images are too small, and enlarged."""
    kwargs = config["arguments"]
    return kwargs.get("if_smaller") == "resize" and any(n > length for n, length in zip(size_of(kwargs), lengths))


def assert_boxes(found, config, shape, given):
    """Check the boxes `(images, crops, 2 * rank)` that the layer says it cut."""
    kind, lengths, rank = config["kind"], shape["lengths"], config["rank"]
    close = dict(rtol=1e-5, atol=1e-5 * max(lengths))
    low, high = found[..., :rank], found[..., rank:]
    if kind == "box":
        expected = np.array([oracle.to_xyxy(box, config["box_format"], lengths) for box in given.reshape(-1, 4)])
        if config["arguments"]["align_corners"]:
            return  # the crops tell
        np.testing.assert_allclose(found.reshape(-1, 4), expected.reshape(-1, 4), **close)
    elif kind == "custom":
        height, width = lengths
        box = [width * 0.1, height * 0.2, width * 0.8, height * (0.9 if config["training"] else 0.7)]
        np.testing.assert_allclose(found, np.broadcast_to(box, found.shape), **close)
    elif kind == "resized":
        assert_random_boxes(found, config, lengths)
    elif enlarges(config, lengths):
        scale = max(n / length for n, length in zip(size_of(config["arguments"]), lengths))
        size = np.array(size_of(config["arguments"])[::-1]) / scale
        low, high = np.minimum(low, high), np.maximum(low, high)  # mirrored ones run from right to left
        np.testing.assert_allclose(high - low, np.broadcast_to(size, low.shape), **close)
        assert (low >= -1e-4).all() and (high <= np.array(lengths[::-1]) + 1e-4).all()
        if kind == "center":
            box = oracle.enlarged_center_box(lengths, size_of(config["arguments"]))
            np.testing.assert_allclose(found, np.broadcast_to(box, found.shape), **close)
    elif (expected := windows(config, lengths)) is not None:
        views = []
        for starts, size, mirrored in expected:
            box = oracle.window_box(starts, size)
            views.append(box[[2, 1, 0, 3]] if mirrored else box)
        np.testing.assert_array_equal(found, np.broadcast_to(views, found.shape))
    else:
        size = size_of(config["arguments"])
        keep, pad = (config["arguments"]["if_smaller"] == name for name in ("keep", "pad"))
        for axis, (length, n) in enumerate(zip(lengths[::-1], size[::-1])):
            n = min(n, length) if keep else n
            first, last = (-((n - length) // 2),) * 2 if n > length else (0, length - n)
            assert (high[..., axis] - low[..., axis] == n).all() and (low[..., axis] == np.round(low[..., axis])).all()
            assert (low[..., axis] >= first).all() and (low[..., axis] <= last).all()
    if kind in ("random", "resized") and not config["arguments"]["per_image"]:
        np.testing.assert_array_equal(found, np.broadcast_to(found[:1], found.shape))


def assert_random_boxes(found, config, lengths):
    """Boxes of `RandomResizedCrop`."""
    height, width = lengths
    rows, columns = size_of(config["arguments"])
    factor = min(height / rows, width / columns)
    largest = np.array([columns * factor, rows * factor])
    for box in found.reshape(-1, 4):
        size = box[2:] - box[:2]
        assert (box >= -1e-4).all() and (box[2:] <= np.array([width, height]) * (1 + 1e-5)).all()
        if not config["training"]:
            middle = np.array([width, height]) / 2
            np.testing.assert_allclose(box, [*(middle - largest / 2), *(middle + largest / 2)], rtol=1e-4, atol=1e-4)
            continue
        area, ratio = size.prod() / (height * width), size[0] / size[1]
        drawn = all(
            low * 0.999 <= number <= high * 1.001
            for number, (low, high) in ((area, config["arguments"]["scale"]), (ratio, config["arguments"]["ratio"]))
        )
        assert drawn or np.allclose(size, largest, rtol=1e-4)


def sampling(config, is_mask):
    """The specification's options for a layer's crops, and the value outside of the image."""
    kwargs = config["arguments"]
    if config["kind"] in WINDOWS:
        nearest = is_mask or config["dtype"] == "bool"
        return {"interpolation": "nearest" if nearest else "bilinear", "fill_mode": "nearest"}, 0
    interpolation = kwargs.get("interpolation", "bilinear")
    interpolation = "nearest" if is_mask else "antialias" if kwargs["antialias"] else interpolation
    fill_mode = kwargs.get("fill_mode", "constant")
    # The boxes that are returned already say where the samples are, but not where the image ends.
    return {"interpolation": interpolation, "fill_mode": fill_mode}, 0 if is_mask else kwargs.get("fill_value", 0)


def assert_crop(crop, image, box, config, lengths, is_mask, given=None):
    """Compare one crop of one image (or frame, or mask) with the specification."""
    options, fill_value = sampling(config, is_mask)
    if config["kind"] in WINDOWS and not enlarges(config, lengths):
        rank = config["rank"]
        mirrored = config["kind"] == "ten" and box[0] > box[2]
        box = box[[2, 1, 0, 3]] if mirrored else box
        starts, stops = box[:rank][::-1].astype(int), box[rank:][::-1].astype(int)
        fill_value = 0 if is_mask else config["arguments"]["fill_value"]
        expected = oracle.window(image, starts, stops - starts, fill_value)
        expected = np.flip(expected, -2) if mirrored else expected
        np.testing.assert_array_equal(crop, expected.astype(crop.dtype))  # NumPy cannot compare NaNs in bfloat16
        return
    if config["arguments"].get("align_corners"):
        box, options = align(given, config, lengths), {**options, "align_corners": True}
    dtype = image.dtype.name if is_mask or config["kind"] in WINDOWS else config["compute"].replace("mixed_", "")
    if dtype.startswith(("int", "uint")) and options["interpolation"] != "nearest":
        expected = oracle.sample(image, box, crop.shape[:-1], fill_value, **options)
        slack = 1e-3 + 1e-5 * np.ptp(image.astype("float64"))
        assert (np.abs(crop - expected) <= 0.5 + slack).all()
        return
    if dtype != image.dtype.name and "float" in dtype and not is_mask:
        image = array(ops.cast(tensor(image), dtype))  # the layer computes in its own type
    if image.dtype.name == "bool":
        crop, image = crop.astype("uint8"), image.astype("uint8")
    assert_samples(crop, image, box, fill_value, options, dtype)


def align(given, config, lengths):
    """A given box in pixels, where relative ones count from the centre of the first pixel to that of the last one."""
    relative = oracle.FORMATS[config["box_format"]][1]
    if not relative:
        return oracle.to_xyxy(given, config["box_format"], lengths)
    box = oracle.to_xyxy(given, config["box_format"], [n - 1 for n in lengths])
    return box + [0, 0, 1, 1]


def assert_sides(found, labels, sides, given_labels, box, config, lengths, size):
    """Compare bounding boxes, as seen from inside a crop, and their labels."""
    for side, label, given, given_label in zip(found, labels, sides, given_labels):
        expected, visible = oracle.seen_box(oracle.to_xyxy(given, config["box_format"], lengths), box, size)
        least = config["min_visible"]
        if visible > 0 and min(abs(visible - least), visible) < 1e-4 or abs(visible - least) < 1e-4:
            continue  # a rounding may drop the box or keep it
        kept = visible > 0 and visible >= least and given_label != -1
        assert label == (given_label if kept else -1)
        expected = oracle.from_xyxy(expected if kept else np.zeros(2 * config["rank"]), config["box_format"], size)
        close = 3e-5 * max(size) * max(1, max(lengths) / np.abs(np.subtract(*np.split(box, 2))).min())
        np.testing.assert_allclose(side, expected, rtol=1e-4, atol=close)


@for_any(cases(layers(), shapes), share=35)
def test_any_layer(case):
    config, shape = case.config, case.shape
    lengths, rank = shape["lengths"], config["rank"]
    inputs = inputs_of(case)
    moved = {**inputs, "images": to_format(inputs["images"], config)}
    if "masks" in inputs:
        moved["masks"] = to_format(inputs["masks"], config, config["mask"][1])
    outputs, found = run(case, make, moved, channels=-1 if config["data_format"] == "channels_last" else -1 - rank)
    crops = outputs["images"] if isinstance(outputs, dict) else outputs
    single, clip = config["form"] == "single", config["form"] == "clip"
    wrap = (lambda x: x[None]) if single else (lambda x: x)
    many = config["several"] or config["kind"] in ("five", "ten", "grid")
    found = wrap(found) if many else wrap(found)[:, None]
    found = found.astype("float64")
    assert_boxes(found, config, shape, inputs.get("boxes"))
    pairs = {"images": (inputs["images"], from_format(crops, config), False)}
    if "masks" in inputs:
        masks = inputs["masks"], from_format(outputs["segmentation_masks"], config, config["mask"][1])
        if not config["mask"][1]:
            masks = masks[0][..., None], masks[1][..., None]
        pairs["masks"] = *masks, True
    given = None if "boxes" not in inputs else wrap(inputs["boxes"])
    given = given[:, None] if given is not None and not many else given
    for name, (images, crops, is_mask) in pairs.items():
        expected_dtype = images.dtype if is_mask or config["kind"] in WINDOWS else config["compute"]
        if not (BACKEND == "torch" and "uint32" in str(expected_dtype)):
            wanted = str(expected_dtype).replace("mixed_", "")
            assert crops.dtype == ("float32" if wanted == "bfloat16" else wanted)
        images, crops = wrap(images), wrap(crops) if many else wrap(crops)[:, None]
        for b, k in np.ndindex(found.shape[:2]):
            frames = zip(images[b], crops[b, k]) if clip else [(images[b], crops[b, k])]
            box = None if given is None else given[b, k].astype("float64")
            for image, crop in frames:
                assert_crop(crop, image, found[b, k], config, lengths, is_mask, box)
    size = crops.shape[-1 - rank : -1]
    for b, k in np.ndindex(found.shape[:2]):
        # One list of boxes, or of points, for each frame.
        view = lambda values: (wrap(values) if many else wrap(values)[:, None])[b, k]
        each = lambda values: wrap(values)[b]
        if "sides" in inputs:
            parts = outputs["bounding_boxes"]
            flat = [view(parts["boxes"]).reshape(-1, 2 * rank), view(parts["labels"]).reshape(-1)]
            flat += [each(inputs["sides"]).reshape(-1, 2 * rank), each(inputs["labels"]).reshape(-1)]
            assert_sides(*flat, found[b, k], config, lengths, size)
        if "points" in inputs:
            points = each(inputs["points"]).reshape(-1, rank + 1)
            expected = np.reshape([oracle.seen_point(point, found[b, k], size) for point in points], points.shape)
            close = 3e-5 * max(size) * max(1, max(lengths) / np.abs(np.subtract(*np.split(found[b, k], 2))).min())
            got = view(outputs["keypoints"]).reshape(points.shape)
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=close)
