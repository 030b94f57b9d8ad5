"""Networks that look at images and say where the crop should be.

One protocol serves all. `LearnableCrop` calls a localizer's `candidates(seen, bounds, training)`, where `seen` are the
images, `(batch, height, width, channels)` floats with the channels last (or the features that the layer was called
with), and `bounds` say how large boxes may be and how large the images are. The localizer returns `Candidates`.

A Keras layer or model with such a method, built by `build(images_shape)`, is called directly: the built-in
`MapLocalizer`, or a user's own. Any other layer, such as `GlobalLocalizer`, is called on `seen` and returns a few
numbers for each image, which an `Adapter` turns into candidates.
"""

from kerascrop.localizers.adapter import Adapter
from kerascrop.localizers.candidates import Bounds, Candidates
from kerascrop.localizers.constant import GlobalLocalizer
from kerascrop.localizers.glimpse import Glimpse
from kerascrop.localizers.map import MapLocalizer

__all__ = ["Adapter", "Bounds", "Candidates", "Glimpse", "GlobalLocalizer", "MapLocalizer"]
