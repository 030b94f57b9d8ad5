"""The layer whose boxes a function chooses, for R; Python users write a layer of their own: see `kerascrop.Crop`."""

from collections.abc import Callable

import keras
from keras import ops

from kerascrop import checks
from kerascrop.hints import CropOptions, Tensor, Unpack
from kerascrop.layers.base import SampledCrop


@keras.saving.register_keras_serializable("kerascrop")
class CustomCrop(SampledCrop):
    """Cut out the boxes that a function chooses, and resize each to `height` by `width`.

    The function is not saved: a loaded layer has none, and raises an error when it is called.

    Input and output shape: as in `RandomResizedCrop`.

    Args:
        height, width: size of the crops, in pixels.
        choose: a function of images `(batch, height, width, channels)`, or clips `(batch, time, height, width,
            channels)`, always with the channels last, and of `training`, True or False. It returns boxes `(batch, 4)`,
            `x1, y1, x2, y2` in pixels.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number.
        ArgumentError: `choose` is not a function, or the layer was loaded and has none.
        BoxError: `choose` returns boxes of another shape or number, or some that are not finite.
    """

    allows_nan = False

    def __init__(
        self,
        height: int,
        width: int,
        choose: Callable[[Tensor, bool], Tensor] | None = None,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[CropOptions],
    ):
        super().__init__(height, width, antialias=antialias, data_format=data_format, **kwargs)
        if choose is not None and not callable(choose):
            raise checks.ArgumentError(f"`choose` must be a function, not an object of type {type(choose).__name__}.")
        self.function = choose

    def choose(self, data, training):
        if self.function is None:
            raise checks.ArgumentError(
                f"`{self.name}` has no function `choose`: a function is not saved with its layer. Make the model again "
                "with the function, and load the saved weights into it."
            )
        try:
            boxes = self.function(self.pixels(data), training)
        except Exception as error:  # as it is, Keras would wrap it in words of its own
            raise checks.ArgumentError(str(error)) from error
        return self.samples(ops.cast(checks.check_tensor(boxes, "boxes"), "float32"))

    def get_config(self):
        config = super().get_config()
        config.pop("choose")
        return config
