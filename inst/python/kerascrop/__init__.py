"""Every kind of crop for Keras models: centre, border, random, given by boxes, and learned."""

from kerascrop.boxes import box_iou, convert_boxes
from kerascrop.data import crop_dataset, crop_generator
from kerascrop.digits import cluttered_digits
from kerascrop.directories import crops_from_directory
from kerascrop.layers.border import BorderCrop
from kerascrop.layers.box import BoxCrop
from kerascrop.layers.center import CenterCrop
from kerascrop.layers.learnable import LearnableCrop
from kerascrop.layers.random_crop import RandomCrop
from kerascrop.sampling import sample

__version__ = "0.1.0"

__all__ = [
    "BorderCrop",
    "BoxCrop",
    "CenterCrop",
    "LearnableCrop",
    "RandomCrop",
    "__version__",
    "box_iou",
    "cluttered_digits",
    "convert_boxes",
    "crop_dataset",
    "crop_generator",
    "crops_from_directory",
    "sample",
]
