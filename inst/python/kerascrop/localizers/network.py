"""What the networks of a localizer are made of."""

import numpy as np
from keras import layers, ops


def norms(convolutions, policy):
    """A normalisation to follow each convolution."""
    return [
        layers.BatchNormalization(momentum=0.9, name=f"{before.name}_norm", **policy) for before in convolutions
    ]


def build(convolutions, norms, shape):
    """Build convolutions and normalisations, one after the other; returns the output's shape."""
    for convolution, norm in zip(convolutions, norms):
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


def inverse(matrices):
    """The inverses of small positive definite matrices `(batch, n, n)`, by elimination (Gauss-Jordan).

    Exported models can hold these operations, which every runtime has; few have one for an inverse.
    """
    for number in range(matrices.shape[-1]):
        here = np.arange(matrices.shape[-1]) == number
        row, column = matrices[:, number : number + 1], matrices[:, :, number : number + 1]
        row = ops.where(here, 1.0, row) / row[:, :, number : number + 1]
        matrices = ops.where(here[:, None], row, ops.where(here, 0.0, matrices) - column * row)
    return matrices
