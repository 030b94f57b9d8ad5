import numpy as np
from keras import ops

from kerascrop.localizers.constant import GlobalLocalizer


def test_global_is_one_box_for_all_images():
    localizer = GlobalLocalizer(3)
    numbers = ops.convert_to_numpy(localizer(np.zeros((4, 9, 12, 3))))
    np.testing.assert_array_equal(numbers, np.full((4, 3), 0.5))
    assert localizer.count_params() == 3
