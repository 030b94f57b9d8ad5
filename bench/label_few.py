"""What a few corrected boxes bring a learnable crop, chosen by its own doubt, or at random.

    python bench/label_few.py [--set digits|signs] [--seeds 1] [--epochs 12] [--more 5]

A model learns from class labels alone. Then boxes of training images are corrected, here to the true ones: 20, then 30
more, then 50 more, and after each time the model learns on from where it was, from all images and the boxes that are
known. Chosen are those that the model doubts most, before each time; or any; or none, for what the training alone
brings. Behind true boxes the same classifier learns as long. Prints a table for each seed; times are processor time.
"""

import argparse
import sys
import time

import _timing  # noqa: F401  # isort: skip  # before Keras

import keras
import numpy as np
from keras import layers, ops
from PIL import Image, ImageDraw

import kerascrop
from _learning import _on_photographs
from _signs import signs
from kerascrop import BoxCrop, LearnableCrop

BATCH, RATE = 50, 2e-3
STAGES = (20, 50, 100)
TRAINING, TESTING = 400, 800
# What makes the images, and the side of the crops.
SETS = {
    "digits": (lambda n, split, seed: _on_photographs(n, split, seed, canvas=96, sizes=(20, 20)), 28),
    "signs": (signs, 44),
}


def network(shape, side, true=False):
    """A model from images and true boxes to labels and to the boxes that it looked at."""
    images, boxes = keras.Input(shape, dtype="uint8"), keras.Input((4,))
    if true:
        crops, found = BoxCrop(side, side, antialias=True, return_boxes=True)([images, boxes])
    else:
        crops, found = LearnableCrop(side, side, return_boxes=True, name="crop")(images)
    x = layers.Rescaling(1 / 255)(crops)
    for filters in (32, 64):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(64, activation="relu")(layers.Dropout(0.5)(layers.Flatten()(x)))
    return keras.Model([images, boxes], [layers.Dense(10)(x), layers.Identity(dtype="float32")(found)])


class Learner:
    """A model that learns, goes back to where it was, and learns on; it is made into a graph only once."""

    def __init__(self, data, side, true=False):
        self.data = data
        self.model = network(data.x.shape[1:], side, true)
        losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True), kerascrop.BoxLoss()]
        self.model.compile(keras.optimizers.Adam(RATE), losses, jit_compile=False)

    def fit(self, epochs, known=()):
        """Learn from the labels, and the true boxes of the images that are known. Returns seconds."""
        truth = np.full_like(self.data.boxes, np.nan)
        truth[list(known)] = self.data.boxes[list(known)]
        for variable in self.model.optimizer.variables:
            if variable is not self.model.optimizer._learning_rate:
                variable.assign(ops.zeros_like(variable))
        rate = keras.callbacks.LearningRateScheduler(lambda epoch: RATE * (1 + np.cos(np.pi * epoch / epochs)) / 2)
        start = time.process_time()
        self.model.fit(
            [self.data.x, self.data.boxes], [self.data.y, truth], batch_size=BATCH, epochs=epochs, verbose=0,
            callbacks=[rate],
        )
        return time.process_time() - start

    def test(self, data):
        """The error in per cent, and the share of images whose crop's middle lies in the true box."""
        logits, boxes = self.model.predict([data.x, data.boxes], batch_size=BATCH, verbose=0)
        return 100 * np.mean(logits.argmax(axis=1) != data.y), 100 * np.mean(are_found(boxes, data.boxes))

    def doubts(self):
        crop = self.model.get_layer("crop")
        parts = np.array_split(self.data.x, -(-len(self.data.x) // BATCH))
        return np.concatenate([ops.convert_to_numpy(crop.doubt(part)) for part in parts])

    def boxes(self):
        return self.model.predict([self.data.x, self.data.boxes], batch_size=BATCH, verbose=0)[1]


def are_found(boxes, truth):
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    return ((middle > truth[:, :2]) & (middle < truth[:, 2:])).all(axis=1)


def ranks_above(scores, wrong):
    """How often a wrong image scores more than a right one: the area under the curve."""
    ranks = scores.argsort().argsort()[wrong].sum() - wrong.sum() * (wrong.sum() - 1) / 2
    return ranks / max(wrong.sum() * (~wrong).sum(), 1)


def draw(path, images, truth, before, after, scale=2):
    """Images in a row with their true boxes (green) and those that were proposed (red); below, those after a refit."""
    side, gap = scale * images.shape[1], 8
    sheet = Image.new("RGB", (len(images) * (side + gap) - gap, 2 * side + gap), "white")
    for row, boxes in enumerate((before, after)):
        for column, image in enumerate(images):
            picture = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
            for box, colour in ((truth[column], "#00E5A8"), (boxes[column], "#FF3D7F")):
                ImageDraw.Draw(picture).rectangle([scale * edge for edge in box], outline=colour, width=3)
            sheet.paste(picture, (column * (side + gap), row * (side + gap)))
    sheet.save(path, quality=88)


def run(name, seed, epochs, more, picture=None):
    """The rows of a table: how chosen, and for 0, 20, 50 and 100 boxes what `test()` gives; and the longest refit."""
    make, side = SETS[name]
    train, test = make(TRAINING, "train", seed), make(TESTING, "test", 1000 + seed)
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    rows, times = {}, []
    true = Learner(train, side, true=True)
    rows["true boxes"] = [(true.fit(epochs if stage == 0 else more), true.test(test))[1] for stage in (0, *STAGES)]
    learner = Learner(train, side)
    seconds = learner.fit(epochs)
    start, before = learner.model.get_weights(), learner.test(test)
    proposed, doubts = learner.boxes(), learner.doubts()
    wrong = ~are_found(proposed, train.boxes)
    worst = np.argsort(-doubts)[: STAGES[0]]
    print(
        f"{name}, seed {seed}: from labels alone in {seconds:.0f} s, {100 * wrong.mean():.0f} % of the training images "
        f"are not found, {100 * wrong[worst].mean():.0f} % of the {len(worst)} that it doubts most; it doubts one that "
        f"is not found more than one that is in {100 * ranks_above(doubts, wrong):.0f} % of the pairs.",
        flush=True,
    )
    for how in ("none", "at random", "by doubt"):
        learner.model.set_weights(start)
        rows[how], known = [before], []
        for count in STAGES:
            scores = learner.doubts() if how == "by doubt" else rng.uniform(size=len(train.y))
            scores[known] = -1
            if how != "none":
                known += np.argsort(-scores)[: count - len(known)].tolist()
            times.append(learner.fit(more, known))
            rows[how].append(learner.test(test))
            if picture and (how, count) == ("by doubt", STAGES[0]):
                few = worst[:5]
                draw(picture, train.x[few], train.boxes[few], proposed[few], learner.boxes()[few])
            print(f"{how}, {count}: {rows[how][-1]}, {times[-1]:.0f} s", file=sys.stderr, flush=True)
    return rows, max(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, help="one of the two; both if not given")
    parser.add_argument("--seeds", type=int, default=1, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first run's seed")
    parser.add_argument("--epochs", type=int, default=12, help="of training from labels alone")
    parser.add_argument("--more", type=int, default=5, help="epochs of each refit")
    parser.add_argument("--picture", metavar="F", help="a file to draw in what is doubted most, before and after")
    options = parser.parse_args()
    for name in [options.set] if options.set else SETS:
        for seed in range(options.first, options.first + options.seeds):
            rows, longest = run(name, seed, options.epochs, options.more, options.picture)
            print("\n| boxes | 0 | 20 | 50 | 100 | excess that is left after 20 |\n|---|---|---|---|---|---|")
            excess = [rows["none"][0][0] - rows["true boxes"][0][0]]
            for how, results in rows.items():
                cells = [f"{error:.1f} % ({found:.0f} % found)" for error, found in results]
                left = (results[1][0] - rows["true boxes"][1][0]) / excess[0]
                print(f"| {how} | {' | '.join(cells)} | {'' if how == 'true boxes' else f'{100 * left:.0f} %'} |")
            print(f"\nA refit took at most {longest:.0f} s.\n", flush=True)


if __name__ == "__main__":
    main()
