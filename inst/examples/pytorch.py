"""Cut the border off handwritten digits with PyTorch: four layers, a DataLoader, and a picture of before and after.

    KERAS_BACKEND=torch python pytorch.py

The picture is `pytorch.png` where matplotlib is installed, and made of letters otherwise. Keras has to be told about
PyTorch before it is imported; from then on every layer is a `torch.nn.Module`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import torch
from torch.utils.data import DataLoader, TensorDataset

import kerascrop

# In PyTorch the channels come first. `keras.config.set_image_data_format("channels_first")` would say so once for all.
model = torch.nn.Sequential(*(kerascrop.BorderCrop(1, data_format="channels_first") for _ in range(4)))


def digits(n):
    """Images `(n, 1, 28, 28)` and labels: digits of 20 x 20 pixels with a border of 4, which negative margins add."""
    data = kerascrop.cluttered_digits(n, canvas=20, digit=20, distractors=0, seed=1)
    images = torch.from_numpy(data.x).permute(0, 3, 1, 2)
    return TensorDataset(kerascrop.BorderCrop(-4, data_format="channels_first")(images), torch.from_numpy(data.y))


def draw(before, after, labels):
    """Each image above its crop, on the same scale."""
    import matplotlib.pyplot as plt

    figure, rows = plt.subplots(2, len(before), figsize=(1.5 * len(before), 3.4), layout="constrained")
    for row, name, images in zip(rows, ("before", "after"), (before, after)):
        for axes, image, label in zip(row, images, labels):
            axes.imshow(image[0], cmap="gray", vmin=0, vmax=1)
            axes.set(title=f"{name}: {int(label)}", xticks=[0, 10, 20], yticks=[0, 10, 20])
            axes.set(xlim=(-0.5, 27.5), ylim=(27.5, -0.5))
    figure.savefig("pytorch.png", dpi=100)


def write(image, crop):
    """One image beside its crop, in letters."""
    for line in range(image.shape[-2]):
        rows = [part[0, line] for part in (image, crop) if line < part.shape[-2]]
        print("  |  ".join("".join(2 * " .:+#"[int(4 * pixel)] for pixel in row) for row in rows))


for before, labels in DataLoader(digits(64), batch_size=8):
    after = model(before)
print(f"before: {tuple(before.shape)}, after: {tuple(after.shape)}")
try:
    draw(before, after, labels)
except ImportError:
    write(before[0], after[0])
