"""How fast random crops come from a folder of JPEGs, against Keras's own loader followed by a random crop.

    make bench

Makes 1,024 JPEG files of about one megapixel in a temporary folder: windows of the two photographs in inst/extdata,
enlarged, with a camera's noise. Then reads them in turns, so that whatever else the machine does is shared fairly.
"""

import pathlib
import statistics
import tempfile
import time

from _timing import CORES  # isort: skip  # before Keras

import keras
import numpy as np
import tensorflow as tf

import kerascrop

ROOT = pathlib.Path(__file__).parents[1]
FILES, ROUNDS, BATCH, CROP, RESIZE = 1024, 5, 32, 224, 256
SHAPES = ((1000, 1050), (1152, 896), (864, 1184))
AUTO = tf.data.AUTOTUNE


def make_files(folder):
    rng = np.random.default_rng(0)
    names = ("chelsea", "coffee")
    photos = [tf.io.decode_jpeg((ROOT / "inst" / "extdata" / f"{name}.jpg").read_bytes()).numpy() for name in names]
    for i in range(FILES):
        photo, shape = photos[i % 2], SHAPES[i % len(SHAPES)]
        size = rng.integers(150, 300)
        top, left = (rng.integers(length - size + 1) for length in photo.shape[:2])
        image = tf.image.resize(photo[top : top + size, left : left + size], shape, method="bicubic").numpy()
        image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype("uint8")
        file = folder / names[i % 2] / f"{i:04}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(tf.io.encode_jpeg(image, quality=90).numpy())


def keras_loader(folder, crop):
    """Keras's loader and a crop layer, as its documentation puts them together."""
    images = keras.utils.image_dataset_from_directory(
        folder, image_size=(RESIZE, RESIZE), crop_to_aspect_ratio=True, batch_size=BATCH, verbose=False
    )
    return images.map(lambda x, y: (crop(x, training=True), y), num_parallel_calls=AUTO).prefetch(AUTO)


def images_per_second(dataset):
    start, cpu = time.perf_counter(), time.process_time()
    images = sum(int(x.shape[0]) for x, _ in dataset)
    return images / (time.perf_counter() - start), images / (time.process_time() - cpu)


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_files(folder)
        size = statistics.mean(file.stat().st_size for file in folder.rglob("*.jpg"))
        print(f"{FILES} JPEG files of one megapixel, {size / 1024:.0f} KiB on average; {CORES} cores")
        ours = {"batch_size": BATCH, "seed": 1}
        loaders = {
            "keras, resized to 256, keras RandomCrop": keras_loader(folder, keras.layers.RandomCrop(CROP, CROP)),
            "keras, resized to 256, kerascrop RandomCrop": keras_loader(folder, kerascrop.RandomCrop(CROP, CROP)),
            "kerascrop, resize=256": kerascrop.crops_from_directory(folder, CROP, CROP, resize=RESIZE, **ours),
            "kerascrop, resize=256, antialias": kerascrop.crops_from_directory(
                folder, CROP, CROP, resize=RESIZE, antialias=True, **ours
            ),
            "kerascrop, pixels of the file": kerascrop.crops_from_directory(folder, CROP, CROP, **ours),
        }
        rates = {name: [] for name in loaders}
        for round in range(ROUNDS + 1):
            for name, loader in loaders.items():
                rate = images_per_second(loader)
                if round:  # the first warms up
                    rates[name].append(rate)
    print(f"Medians of {ROUNDS} rounds; in brackets times the first\n")
    print(f"{'':45}{'images/s':>15}{'images/CPU s':>20}")
    medians = {name: [statistics.median(column) for column in zip(*rate)] for name, rate in rates.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:45}" + "".join(f"{rate:10.0f} ({rate / base:.2f})" for rate, base in zip(median, first)))


if __name__ == "__main__":
    main()
