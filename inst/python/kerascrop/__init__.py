"""Every kind of crop for Keras models: centre, border, random, given by boxes, and learned."""

from kerascrop import backend  # noqa: F401  # first, for the error where Keras has nothing to run on
from kerascrop.affine import boxes_from_theta, theta_from_boxes
from kerascrop.annotations import read_boxes, write_boxes
from kerascrop.checks import BoxWarning
from kerascrop.digits import cluttered_digits
from kerascrop.engine.pasting import adjoint, paste
from kerascrop.engine.samples import Samples
from kerascrop.engine.sampling import sample
from kerascrop.engine.windows import Windows
from kerascrop.geometry import box_iou, boxes_from_masks, clip_boxes, convert_boxes
from kerascrop.layers.base import Crop
from kerascrop.layers.border import BorderCrop, BorderCrop1D, BorderCrop3D
from kerascrop.layers.box import BoxCrop
from kerascrop.layers.center import CenterCrop, CenterCrop1D, CenterCrop3D
from kerascrop.layers.custom import CustomCrop
from kerascrop.layers.learnable import LearnableCrop
from kerascrop.layers.like import CropLike, CropLike1D, CropLike3D
from kerascrop.layers.multi import MultiCrop
from kerascrop.layers.pool import CropPool
from kerascrop.layers.random_crop import RandomCrop, RandomCrop1D, RandomCrop3D
from kerascrop.layers.random_resized import RandomResizedCrop
from kerascrop.layers.uncrop import Uncrop
from kerascrop.layers.window import WindowCrop, WindowCrop1D, WindowCrop3D
from kerascrop.pipelines.batches import crop_dataset, crop_generator
from kerascrop.pipelines.directories import crops_from_directory
from kerascrop.proposals import propose_boxes
from kerascrop.training import BoxIoU, BoxLoss, CropMonitor

__version__ = "0.1.0"

__all__ = [
    "BorderCrop",
    "BorderCrop1D",
    "BorderCrop3D",
    "BoxCrop",
    "BoxIoU",
    "BoxLoss",
    "BoxWarning",
    "CenterCrop",
    "CenterCrop1D",
    "CenterCrop3D",
    "Crop",
    "CropLike",
    "CropLike1D",
    "CropLike3D",
    "CropMonitor",
    "CropPool",
    "CustomCrop",
    "LearnableCrop",
    "MultiCrop",
    "RandomCrop",
    "RandomCrop1D",
    "RandomCrop3D",
    "RandomResizedCrop",
    "Samples",
    "Uncrop",
    "WindowCrop",
    "WindowCrop1D",
    "WindowCrop3D",
    "Windows",
    "__version__",
    "adjoint",
    "box_iou",
    "boxes_from_masks",
    "boxes_from_theta",
    "clip_boxes",
    "cluttered_digits",
    "convert_boxes",
    "crop_dataset",
    "crop_generator",
    "crops_from_directory",
    "paste",
    "propose_boxes",
    "read_boxes",
    "sample",
    "theta_from_boxes",
    "write_boxes",
]
