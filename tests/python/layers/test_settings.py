import keras
import pytest

import kerascrop
from kerascrop.checks import ArgumentError


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (kerascrop.CenterCrop(20, 30), "<CenterCrop name=x, height=20, width=30>"),
        (kerascrop.CenterCrop1D(20, if_smaller="pad"), "<CenterCrop1D name=x, length=20, if_smaller='pad'>"),
        (kerascrop.BorderCrop((1, -2)), "<BorderCrop name=x, cropping=((1, 1), (-2, -2))>"),
        (
            kerascrop.RandomCrop3D(1, 2, 3, seed=4, data_format="channels_first"),
            "<RandomCrop3D name=x, depth=1, height=2, width=3, seed=4, data_format='channels_first'>",
        ),
        (kerascrop.BoxCrop(2, 2, box_format="grid"), "<BoxCrop name=x, height=2, width=2, box_format='grid'>"),
        (
            kerascrop.LearnableCrop(2, 2, localizer=keras.layers.Dense(2), return_boxes=True),
            "<LearnableCrop name=x, height=2, width=2, localizer=Dense, return_boxes=True>",
        ),
        (kerascrop.Uncrop(5, 6, fill_value=1), "<Uncrop name=x, height=5, width=6, fill_value=1.0>"),
        (kerascrop.CropPool("attention", units=8), "<CropPool name=x, how='attention', units=8>"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_layer_prints_its_name_and_what_is_not_the_default(layer, line):
    layer.name = "x"
    assert repr(layer) == str(layer) == line


def test_it_prints_the_same_when_it_has_been_built_or_loaded():
    layer = kerascrop.MultiCrop(4, 4, views="grid", stride=3, name="tiles")
    line = repr(layer)
    layer.build((1, 9, 9, 1))
    assert repr(layer) == repr(kerascrop.MultiCrop.from_config(layer.get_config())) == line
    assert "views='grid', stride=(3, 3)" in line


def test_arguments_of_keras_are_saved_as_keras_does():
    class Named(kerascrop.CenterCrop):
        def __init__(self, height, width, dtype=None, **kwargs):
            super().__init__(height, width, dtype=dtype, **kwargs)

    config = Named(2, 3, dtype="mixed_float16").get_config()
    assert config["dtype"] == kerascrop.CenterCrop(2, 3, dtype="mixed_float16").get_config()["dtype"]


def test_a_layer_that_does_not_keep_its_arguments_cannot_be_saved():
    class Forgets(kerascrop.CenterCrop):
        def __init__(self, height, width, colour, **kwargs):
            super().__init__(height, width, **kwargs)

    layer = Forgets(2, 3, "red")
    with pytest.raises(ArgumentError, match="`Forgets` cannot be saved: it does not keep its argument `colour`"):
        layer.get_config()
    layer.name = "x"
    assert repr(layer) == "<Forgets name=x>"
