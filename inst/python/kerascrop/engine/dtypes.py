"""What numbers are computed in, and how results become whole numbers again: exactly, or limited, but never wrapped."""

import keras
import numpy as np
from keras import ops
from keras.backend import standardize_dtype

HALF = ("float16", "bfloat16")


def result_dtype(dtype):
    """The dtype of numbers computed from `dtype`: floating-point types stay, integers get one that holds them.

    That is float32 for up to 16 bits, and float64 for more, if the backend has it; its 53 bits hold int32 and uint32.
    """
    if "float" in dtype:
        return dtype
    return standardize_dtype(ops.zeros((), _widest()).dtype) if dtype.endswith(("32", "64")) else "float32"


def sum_dtype(dtype):
    """The dtype to compute sums of `dtype` in: half precision has too few digits, and too small a largest number."""
    return "float32" if dtype in HALF else result_dtype(dtype)


def _widest():
    """float64, where the backend has it."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return "float64" if jax.config.jax_enable_x64 else "float32"
    if backend == "torch":
        import torch

        return "float32" if torch.get_default_device().type == "mps" else "float64"
    return "float64"


def cast(values, dtype, missing=0):
    """Real numbers as `dtype`: as integers they are rounded, half to even, and limited to what `dtype` holds.

    Args:
        missing: the integer that a NaN becomes.
    """
    if "float" in dtype or "float" not in standardize_dtype(values.dtype):
        return ops.cast(values, dtype)
    if dtype == "bool":
        return ops.where(ops.isnan(values), bool(missing), ops.round(values) != 0)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    values = ops.where(ops.isnan(values), ops.cast(missing, values.dtype), ops.round(values))
    # The largest integer may have too many digits for the floating-point type, which has the number after it.
    kind = np.float64 if standardize_dtype(values.dtype) == "float64" else np.float32
    last = kind(high)
    most = last if int(last) == high else np.nextafter(last, kind(0))
    # As tensors: Keras makes float32 of numbers under PyTorch.
    bounds = (ops.convert_to_tensor(bound, values.dtype) for bound in (kind(low), most))
    whole = ops.cast(ops.clip(values, *bounds), dtype)
    if most == last:
        return whole
    # In operators: Keras's functions make uint32 of uint64.
    return whole + ops.cast(values >= last, dtype) * ops.convert_to_tensor(np.array(high - int(most), dtype))
