"""What a model says of one picture and of a box in it: against the layers behind the crop, called one by one."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

import kerascrop
from kerascrop import checks
from kerascrop.proposals import Proposer

rng = np.random.default_rng(1)
BOX = np.array([3.5, 4, 20, 24.25])


def a_model(shape=(32, 40, 3), before=(), **options):
    keras.utils.set_random_seed(1)
    crop = kerascrop.LearnableCrop(12, 10, **{"size": "free", "name": "crop", **options})
    model = keras.Sequential([keras.Input(shape), *before, crop])
    model.add(layers.Flatten())
    model.add(layers.Dense(5, name="head"))
    return model


def behind(model, crops):
    """What the model makes of crops `(height, width, channels)`: its last layer, in NumPy."""
    kernel, bias = (ops.convert_to_numpy(weight) for weight in model.get_layer("head").weights)
    return crops.reshape(-1) @ kernel + bias


def cut(image, box, size=(12, 10)):
    return ops.convert_to_numpy(kerascrop.sample(image[None], box[None].astype("float32"), size, antialias=True))[0]


def a_picture(height=32, width=40, channels=3):
    return rng.random((height, width, channels), "float32")


def test_it_tells_where_the_layer_looks_and_what_the_model_says():
    model, image = a_model(), a_picture()
    boxes, answer = Proposer(model).show(image)
    located = ops.convert_to_numpy(model.get_layer("crop").locate(image[None]))
    np.testing.assert_allclose(boxes, located, atol=1e-4)
    np.testing.assert_allclose(answer, ops.convert_to_numpy(model(image[None]))[0], atol=1e-5)


def test_a_given_box_is_cut_instead_of_the_learned_one():
    model, image = a_model(), a_picture()
    proposer = Proposer(model)
    _, before = proposer.show(image)
    np.testing.assert_allclose(proposer.judge(BOX), behind(model, cut(image, BOX)), atol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(model(image[None]))[0], before, atol=1e-6)  # as it was


@pytest.mark.parametrize("box", [(0, 0, 5, 6), (100, 90, 120, 110.5), (3, 2, 117, 108), (-9, 50, 30, 130)], ids=str)
def test_only_what_is_near_the_box_is_looked_at_and_that_is_enough(box):
    model, image = a_model((None, None, 3)), a_picture(110, 120)
    proposer, box = Proposer(model), np.array(box, "float64")
    proposer.show(image)
    np.testing.assert_allclose(proposer.judge(box), behind(model, cut(image, box)), atol=1e-4)


def test_pictures_of_another_size_are_resized_and_boxes_stay_theirs():
    model, large = a_model(), a_picture(64, 120)
    proposer = Proposer(model)
    boxes, _ = proposer.show(large)
    small = ops.convert_to_numpy(ops.image.resize(large, (32, 40), antialias=True))
    located = ops.convert_to_numpy(model.get_layer("crop").locate(small[None]))
    np.testing.assert_allclose(boxes, located * (3, 2, 3, 2), atol=1e-3)
    np.testing.assert_allclose(proposer.judge(BOX * (3, 2, 3, 2)), behind(model, cut(small, BOX)), atol=1e-4)


def test_what_is_before_the_layer_may_resize():
    model, image = a_model((None, None, 3), [layers.Resizing(16, 20)]), a_picture()
    proposer = Proposer(model)
    boxes, _ = proposer.show(image)
    seen = ops.convert_to_numpy(layers.Resizing(16, 20)(image))
    np.testing.assert_allclose(boxes, 2 * ops.convert_to_numpy(model.get_layer("crop").locate(seen[None])), atol=1e-3)
    np.testing.assert_allclose(proposer.judge(2 * BOX / 2), behind(model, cut(seen, BOX / 2)), atol=1e-4)


@pytest.mark.parametrize("options", [{"crops": 2, "size": "fixed"}, {"resize": False}], ids=str)
def test_layers_of_several_crops_or_on_a_canvas_take_a_box(options):
    model, image = a_model(**options), a_picture()
    proposer = Proposer(model)
    boxes, answer = proposer.show(image)
    assert boxes.shape == (options.get("crops", 1), 4)
    if options.get("crops") == 2:
        both = np.stack([cut(image, BOX)] * 2)
        np.testing.assert_allclose(proposer.judge(BOX), behind(model, both), atol=1e-4)
    else:
        np.testing.assert_allclose(proposer.judge(boxes[0]), answer, atol=1e-4)


def test_of_several_outputs_the_first_that_is_a_vector_answers():
    keras.utils.set_random_seed(1)
    images = keras.Input((32, 40, 3))
    crops, boxes = kerascrop.LearnableCrop(12, 10, return_boxes=True)(images)
    model = keras.Model(images, [crops, layers.Dense(7)(layers.Flatten()(crops)), boxes])
    _, answer = Proposer(model).show(a_picture())
    assert answer.shape == (7,)


def test_files_become_numbers_that_the_model_takes(tmp_path):
    file = str(tmp_path / "picture.png")
    pixels = rng.integers(0, 256, (32, 40, 3), "uint8")
    Image.fromarray(pixels).save(file)
    model = a_model()
    expected = ops.convert_to_numpy(model(pixels[None] / np.float32(255)))[0]
    np.testing.assert_allclose(Proposer(model).show(file)[1], expected, atol=1e-4)
    rescaling = a_model(before=[layers.Rescaling(1 / 255)])
    np.testing.assert_allclose(Proposer(rescaling).show(file)[1], expected, atol=1e-4)
    grey = a_model((32, 40, 1))
    light = np.asarray(Image.open(file).convert("L"))[None, ..., None] / np.float32(255)
    np.testing.assert_allclose(Proposer(grey).show(file)[1], ops.convert_to_numpy(grey(light))[0], atol=1e-4)


def test_models_without_a_learnable_crop_or_with_two_are_refused():
    with pytest.raises(checks.ArgumentError, match="none"):
        Proposer(keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten()]))
    two = keras.Sequential([keras.Input((32, 32, 1)), *(kerascrop.LearnableCrop(n, n, name=f"c{n}") for n in (12, 6))])
    with pytest.raises(checks.ArgumentError, match="'c12', 'c6'"):
        Proposer(two)
    for wrong in (None, "model", keras.layers.Dense(3)):
        with pytest.raises(checks.ArgumentError, match="model"):
            Proposer(wrong)


def squares(*places, side=40, size=8):
    """An image `(side, side, 1)` with bright squares at places `(top, left)`."""
    image = np.zeros((side, side, 1), "float32")
    for top, left in places:
        image[top : top + size, left : left + size] = 1
    return image


def test_doubt_is_large_where_another_place_would_do_as_well():
    keras.utils.set_random_seed(1)
    crop = kerascrop.LearnableCrop(8, 8)
    images = np.stack([squares((4, 4)), squares((4, 4), (28, 28)), squares((16, 24))])
    one, two, other = ops.convert_to_numpy(crop.doubt(images))
    assert 0 <= max(one, other) < 0.3 and 0.9 < two <= 1
    several = kerascrop.LearnableCrop(8, 8, crops=2)
    of_two = ops.convert_to_numpy(several.doubt(images[1:2]))[0]  # a third place is none
    assert of_two < 0.4
    assert np.isnan(ops.convert_to_numpy(kerascrop.LearnableCrop(8, 8, localizer="global").doubt(images))).all()


def test_boxes_are_proposed_for_arrays_and_files_with_their_doubts(tmp_path):
    model = a_model((40, 40, 1), size="fixed")
    images = np.stack([squares((4, 4)), squares((4, 4), (28, 28))])
    found = kerascrop.propose_boxes(model, images, labels=["a", "b", "c", "d", "e"])
    layer = model.get_layer("crop")
    boxes = np.stack([found[side] for side in ("x1", "y1", "x2", "y2")], axis=1)
    np.testing.assert_allclose(boxes, ops.convert_to_numpy(layer.locate(images)), atol=1e-3)
    np.testing.assert_allclose(found["doubt"], ops.convert_to_numpy(layer.doubt(images)), atol=1e-4)
    assert found["file"].tolist() == ["0", "1"] and found["height"].tolist() == [40, 40]
    answers = ops.convert_to_numpy(model(images)).argmax(axis=1)
    assert found["label"].tolist() == ["abcde"[answer] for answer in answers]
    files = [str(tmp_path / f"{name}.png") for name in ("x", "y")]
    for file, image in zip(files, images):
        Image.fromarray((255 * image[..., 0]).astype("uint8")).save(file)
    from_files = kerascrop.propose_boxes(model, files)
    assert from_files["file"].tolist() == files
    np.testing.assert_allclose(from_files["doubt"], found["doubt"], atol=1e-4)
    kerascrop.write_boxes(from_files, tmp_path / "a.csv")
    np.testing.assert_array_equal(kerascrop.read_boxes(tmp_path / "a.csv")["x1"], from_files["x1"])


def test_what_cannot_be_proposed_for_is_refused(tmp_path):
    model = a_model()
    (tmp_path / "a.png").write_text("no image")
    for wrong in (3, "a.png", ["no-such.png"], [str(tmp_path / "a.png")], np.zeros((32, 40, 3)), None):
        with pytest.raises(checks.ArgumentError):
            kerascrop.propose_boxes(model, wrong)
    with pytest.raises(checks.ArgumentError, match="labels"):
        kerascrop.propose_boxes(model, a_picture()[None], labels=["a", "b"])
    with pytest.raises(checks.ArgumentError, match="model"):
        kerascrop.propose_boxes(None, a_picture()[None])
