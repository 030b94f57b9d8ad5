"""The base of choices, which layers make: boxes, the size of their crops, and how these are cut out of images."""

from keras import ops

from kerascrop.hints import Tensor


class Choice:
    """A crop that has been chosen, one box for each image or several; mostly `Windows` or `Samples`.

    Attributes:
        boxes: `(batch, 4)`, or `(batch, crops, 4)`, `x1, y1, x2, y2` in pixels of the images. Whole-pixel boxes may
            be `(1, 4)` or `(1, crops, 4)`, the same for all images.
        boxes_shape: the boxes' shape, with None for lengths that only the graph knows.
        size: of the crops in pixels, `(height, width)`: numbers, or tensors if only the graph knows them.
        scaled: whether a box fills its crop. Otherwise it keeps the image's scale, in the crop's top left corner.
    """

    boxes: Tensor
    boxes_shape: tuple
    size: tuple
    scaled: bool = True
    weights_of_crops = None  #: how much each of several crops counts: `(batch, crops)`
    missed = None  #: what a layer lets true boxes teach it: see `localizers.Candidates`

    def cut(self, images: Tensor, is_mask: bool = False, data_format: str | None = None) -> Tensor:
        """Cut the crops out of a batch of images, without side effects.

        Args:
            images: `(batch, height, width, channels)`, or clips `(batch, time, height, width, channels)`. With
                `data_format="channels_first"` the channels come before the height.
            is_mask: whether the numbers are class ids, which are never averaged.
            data_format: `"channels_last"` or `"channels_first"`; None takes `keras.config.image_data_format()`.

        Returns:
            `(batch, height, width, channels)` with the size of the crops, or `(batch, crops, height, width, channels)`,
            of the images' dtype.
        """
        raise NotImplementedError

    def cut_as(self, images: Tensor, dtype: str, data_format: str | None = None) -> Tensor:
        """Crops in a floating-point dtype of images in any."""
        return self.cut(ops.cast(images, dtype), False, data_format)
