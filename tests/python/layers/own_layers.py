"""Layers as users write them, from the help of `kerascrop.Crop`."""

import keras
from keras import ops

import kerascrop


@keras.saving.register_keras_serializable("own")
class BrightCrop(kerascrop.Crop):
    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def choose(self, data, training):  # the smallest box around all that is bright
        light = ops.mean(ops.cast(self.pixels(data), "float32"), axis=-1)
        boxes = kerascrop.boxes_from_masks(light > 0.9)
        return kerascrop.Samples(boxes, (self.height, self.width))


@keras.saving.register_keras_serializable("own")
class PeakCrop(kerascrop.Crop):
    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = height, width

    def choose(self, data, training):  # whole pixels around the brightest one, which may lie at the image's edge
        pixels = self.pixels(data)
        width = ops.shape(pixels)[2]
        light = ops.mean(ops.cast(pixels, "float32"), axis=-1)
        peak = ops.cast(ops.argmax(ops.reshape(light, (-1, ops.shape(pixels)[1] * width)), axis=1), "int32")
        starts = peak // width - self.height // 2, peak % width - self.width // 2
        return kerascrop.Windows(starts, (self.height, self.width))
