"""Any gradient is that of the specification in `oracle.py`: for boxes by finite differences."""

import numpy as np
from hypothesis import strategies as st
from keras import ops

import kerascrop
import oracle
from cases import BACKEND, boxes, cases, for_any, run
from conftest import differentiable_gradient
from sampling_cases import how, lengths, samplings

STEP = 1e-6
WAYS = {"tensorflow": {"eager": 2, "static": 1}, "jax": {"static": 1}, "torch": {"eager": 1}}[BACKEND]
KINDS = ("inside", "beyond", "mirrored", "grid")


def shapes(config):
    return st.fixed_dictionaries({"lengths": lengths(len(config["size"]), (0, 9, 6, 4)), "batch": st.integers(1, 2)})


def make_gradients(config):
    options, _ = how(config)

    def gradients(inputs):
        def total(images, boxes_):
            crops = kerascrop.sample(images, boxes_, config["size"], fill_value=config["fill_value"], **options)
            return ops.sum(crops * inputs["upstream"])

        images, boxes_ = inputs["images"], inputs["boxes"]
        of_images = differentiable_gradient(lambda x: total(x, boxes_), images)
        if config["interpolation"] == "nearest":
            return (of_images,)
        return of_images, differentiable_gradient(lambda x: total(images, x), boxes_)

    return gradients


@for_any(cases(samplings(), shapes, WAYS), share=3)
def test_any_gradient_of_a_sample(case):
    rng, config, shape = np.random.default_rng(case.seed), case.config, case.shape
    size, options, image_lengths = config["size"], how(config)[1], shape["lengths"]
    images = rng.normal(size=(shape["batch"], *image_lengths, config["channels"]))
    boxes_ = boxes(rng, (shape["batch"],), image_lengths, size, KINDS).astype("float64")
    upstream = rng.normal(size=(shape["batch"], *size, config["channels"]))
    for place, box in enumerate(boxes_):
        upstream[place][oracle.undecided(box, size, image_lengths, 1e-4, **options)] = 0
    of_images, *of_boxes = run(case, make_gradients, {"images": images, "boxes": boxes_, "upstream": upstream})
    for b, image in enumerate(images):
        expected = oracle.adjoint(upstream[b], boxes_[b], image_lengths, **options)
        np.testing.assert_allclose(of_images[b], expected, atol=1e-8)
        for axis in range(len(boxes_[b]) if of_boxes else 0):
            middle, *sides = [
                np.sum(upstream[b] * oracle.sample(image, box, size, config["fill_value"], **options))
                for box in boxes_[b] + np.eye(len(boxes_[b]))[axis] * np.array([[0], [-STEP], [STEP]])
            ]
            left, right = (middle - sides[0]) / STEP, (sides[1] - middle) / STEP
            if abs(left - right) < 1e-3:  # no kink
                np.testing.assert_allclose(of_boxes[0][b, axis], (left + right) / 2, atol=2e-3, rtol=1e-3)
