import numpy as np
import pytest
from keras import ops

from conftest import gradient
from kerascrop.engine import cutting


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int32", "bool", "float16"])
@pytest.mark.parametrize("axes", [(-3, -2), (-2, -1)])
def test_one_start_for_all_is_the_slice(images, dtype, axes):
    x = images.astype(dtype)
    y = ops.convert_to_numpy(cutting.cut(ops.convert_to_tensor(x), axes, (1, 0), (4, 3)))
    index = [slice(None)] * 4
    index[axes[0]], index[axes[1]] = slice(1, 5), slice(0, 3)
    np.testing.assert_array_equal(y, x[tuple(index)])
    assert y.dtype == x.dtype


def slices(x, axes, starts, sizes):
    """The windows of a batch, image by image, with NumPy."""
    shape = list(x.shape)
    for axis, size in zip(axes, sizes):
        shape[axis] = size
    crops = np.empty(shape, x.dtype)
    for i, crop in enumerate(crops):
        index = [slice(None)] * x.ndim
        for axis, start, size in zip(axes, starts, sizes):
            first = start if isinstance(start, int) else start[i]
            index[axis] = slice(first, first + size)
        crop[...] = x[i][tuple(index[1:])]
    return crops


# shape, axes, sizes: 1 to 3 axes, channels last and first, clips, whole images, one image, no image
BATCHES = [
    ((4, 10, 3), (-2,), (5,)),
    ((4, 3, 10), (-1,), (5,)),
    ((4, 9, 12, 3), (-3, -2), (4, 3)),
    ((4, 3, 9, 12), (-2, -1), (4, 3)),
    ((3, 2, 9, 8, 3), (-3, -2), (4, 3)),
    ((3, 7, 9, 8, 2), (-4, -3, -2), (2, 4, 3)),
    ((3, 2, 7, 9, 8), (-3, -2, -1), (2, 4, 3)),
    ((4, 9, 12, 3), (-3, -2), (9, 12)),
    ((1, 9, 12, 3), (-3, -2), (4, 3)),
    ((0, 9, 12, 3), (-3, -2), (4, 3)),
    ((0, 3, 9, 12), (-2, -1), (4, 3)),
]


def batch_of(rng, shape, axes, sizes, dtype):
    x = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
    return x, [rng.integers(0, shape[axis] - size + 1, shape[0]).astype("int32") for axis, size in zip(axes, sizes)]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape, axes, sizes", BATCHES)
def test_a_start_for_each_image_in_every_layout_and_type(rng, shape, axes, sizes, dtype):
    x, starts = batch_of(rng, shape, axes, sizes, dtype)
    images = ops.convert_to_tensor(x)
    y = cutting.cut(images, axes, [ops.convert_to_tensor(start) for start in starts], sizes)
    assert y.dtype == images.dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(y), slices(x, axes, starts, sizes))
    # one axis with a start for each image, the others with one for all
    starts[1:] = [0] * (len(axes) - 1)
    y = cutting.cut(images, axes, [ops.convert_to_tensor(starts[0]), *starts[1:]], sizes)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), slices(x, axes, starts, sizes))


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("shape, axes, sizes", BATCHES)
def test_a_start_for_each_image_where_all_lengths_are_unknown(rng, shape, axes, sizes, jit_compile):
    import tensorflow as tf

    n = len(axes)

    def cut(images, starts, sizes):
        return cutting.cut(images, axes, starts, sizes)

    unknown = tf.TensorSpec([None] * len(shape), "uint8"), [tf.TensorSpec([None], "int32")] * n
    known_sizes = tf.function(lambda x, starts: cut(x, starts, sizes), unknown, jit_compile=jit_compile)
    unknown_sizes = tf.function(cut, (*unknown, [tf.TensorSpec([], "int32")] * n), jit_compile=jit_compile)
    crops = known_sizes.get_concrete_function().output_shapes
    assert [crops[axis] for axis in axes] == list(sizes)

    x, starts = batch_of(rng, shape, axes, sizes, "uint8")
    for y in (known_sizes(x, starts), unknown_sizes(x, starts, list(sizes))):
        np.testing.assert_array_equal(y, slices(x, axes, starts, sizes))


@pytest.mark.tensorflow
def test_a_start_for_each_image_in_tf_data_with_a_smaller_last_batch(rng):
    import tensorflow as tf

    x, (top, left) = batch_of(rng, (10, 9, 12, 3), (-3, -2), (4, 3), "uint8")
    batches = tf.data.Dataset.from_tensor_slices((x, top, left)).batch(4)
    crops = batches.map(lambda x, top, left: cutting.cut(x, (-3, -2), (top, left), (4, 3)), num_parallel_calls=2)
    assert crops.element_spec.shape.as_list() == [None, 4, 3, 3]
    np.testing.assert_array_equal(np.concatenate(list(crops)), slices(x, (-3, -2), (top, left), (4, 3)))


def test_the_gradient_of_a_window_is_one_inside_and_zero_outside(images):
    starts = np.array([0, 1, 2, 5], "int32"), np.array([9, 0, 4, 1], "int32")

    def loss(x):
        crops = cutting.cut(x, (-3, -2), [ops.convert_to_tensor(start) for start in starts], (4, 3))
        return ops.sum(crops * ops.convert_to_tensor(weights))

    weights = np.random.default_rng(1).normal(size=(4, 4, 3, 3)).astype("float32")
    expected = np.zeros_like(images)
    for i, (top, left) in enumerate(zip(*starts)):
        expected[i, top : top + 4, left : left + 3] = weights[i]
    np.testing.assert_array_equal(gradient(loss, images), expected)


def test_pad_adds_the_fill_value_and_keeps_the_dtype(images):
    x = images.astype("uint8")
    y = ops.convert_to_numpy(cutting.pad(ops.convert_to_tensor(x), (-3, -2), ((1, 0), (0, 2)), 7))
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0)), constant_values=7))
    assert y.dtype == np.uint8


@pytest.mark.parametrize("batch, size", [(1, 2), (1, 3), (2, 2), (3, 3)])
def test_windows_anywhere_are_slices_of_padded_images(rng, batch, size):
    """Also squares of one image: Keras's `ops.add()` takes what broadcasts in their index for a bias."""
    x = rng.normal(size=(batch, 4, 5, 2)).astype("float32")
    padded = np.pad(x, ((0, 0), (9, 9), (9, 9), (0, 0)), constant_values=7)
    for _ in range(20):
        starts = rng.integers(-4, 7, (2, batch)).astype("int32")
        found = cutting.cut_anywhere(ops.convert_to_tensor(x), (-3, -2), list(starts), (size, size), 7)
        np.testing.assert_array_equal(
            ops.convert_to_numpy(found), slices(padded, (-3, -2), starts + 9, (size, size))
        )
