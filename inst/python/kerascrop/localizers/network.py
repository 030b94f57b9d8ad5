"""What the networks of a localizer are made of."""

from keras import layers, ops


def whole_cells(aspect, longest, side):
    """The size of a view, `(height, width)`, and how many cells it has, for cells of `side` by `side` pixels.

    `aspect` are height and width as fractions of the longer side, which has `longest` pixels.
    """
    cells = tuple(max(1, round(part * longest / side)) for part in aspect)
    return tuple(side * n for n in cells), cells


def norms(convolutions, policy):
    """A normalisation to follow each convolution. PyTorch takes no dot in the name of a weight."""
    names = [before.name.replace(".", "_") for before in convolutions]
    return [layers.BatchNormalization(momentum=0.9, name=f"{name}_norm", **policy) for name in names]


def build(convolutions, norms, shape):
    """Build convolutions and normalisations, one after the other; returns the output's shape."""
    for convolution, norm in zip(convolutions, norms):
        if not convolution.built:
            convolution.build(shape)
        shape = convolution.compute_output_shape(shape)
        norm.build(shape)
    return shape


CEILING = 100  # limit of activations: enough for any training, and keeps half precision from overflowing


def features(x, convolutions, norms, training):
    """What the convolutions make of images, normalised and rectified."""
    for convolution, norm in zip(convolutions, norms):
        x = ops.clip(norm(convolution(x), training=training), 0, CEILING)
    return x


def standardise(x):
    """Scale each image to mean 0 and standard deviation 1; an image that is all the same becomes 0."""
    axes = tuple(range(1, len(x.shape)))
    x = x - ops.mean(x, axis=axes, keepdims=True)
    return x / ops.sqrt(ops.mean(ops.square(x), axis=axes, keepdims=True) + 1e-6)
