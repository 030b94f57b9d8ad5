"""Run an exported model with ONNX Runtime: nothing here has ever heard of kerascrop, Keras or TensorFlow.

    python run_onnx.py model.onnx photo.jpg

It takes onnxruntime, NumPy and Pillow. The model is on images of a known size, with pixels from 0 to 1.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

if len(sys.argv) != 3:
    sys.exit(__doc__)
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
(images,) = session.get_inputs()
_, height, width, channels = images.shape
photo = Image.open(sys.argv[2]).convert("L" if channels == 1 else "RGB").resize((width, height))
pixels = np.asarray(photo, "float32").reshape(1, height, width, channels) / 255
for output, value in zip(session.get_outputs(), session.run(None, {images.name: pixels})):
    print(output.name, value.shape, np.round(value.reshape(-1)[:10], 4).tolist())
