"""Labels of image files: numbers, names or flags that a user gives, in the form that models want."""

import collections.abc

import numpy as np

from kerascrop import checks


def check_class_names(class_names):
    """Names of classes, in the order of their labels, each once; or None."""
    if class_names is None:
        return None
    if isinstance(class_names, str) or not isinstance(class_names, (collections.abc.Sequence, np.ndarray)):
        raise checks.ArgumentError(f"`class_names` must be None or a list of names, not {checks.shown(class_names)}.")
    names = [str(name) if isinstance(name, str) else name for name in class_names]
    for name in names:
        if not isinstance(name, str):
            raise checks.ArgumentError(f"`class_names` must be strings, not {checks.shown(name)}.")
        if names.count(name) > 1:
            raise checks.ArgumentError(f"`class_names` must have each class once, but {name!r} is there twice.")
    if not names:
        raise checks.ArgumentError("`class_names` must be None or at least one name, not an empty list.")
    return names


def given_labels(labels, n, class_names):
    """A whole number for each of `n` files, and the names of the classes, of labels that a user gives.

    `labels` are whole numbers, which stay as they are; names, which count in the order of `class_names`, or sorted; or
    flags, which count False, True.
    """
    values = as_values(labels)
    if len(values) != n:
        raise checks.ArgumentError(f"`labels` must be one for each file: {n}, not {len(values)}.")
    kinds = {kind(value) for value in values}
    if kinds == {"name"}:
        class_names = class_names or sorted(set(values))
        unknown = sorted(set(values) - set(class_names))
        if unknown:
            raise checks.ArgumentError(f"`labels` has {unknown}, but `class_names` are {class_names}.")
        numbers = {name: number for number, name in enumerate(class_names)}
        return [numbers[value] for value in values], class_names
    if class_names is not None:
        raise checks.ArgumentError(
            "`class_names` are folders to take labels from, or the names in `labels`: they need `labels='inferred'`, "
            "or labels that are names."
        )
    if kinds == {"flag"}:
        return [int(value) for value in values], ["False", "True"]
    if kinds == {"number"}:
        numbers = [int(value) for value in values]
        return numbers, [str(number) for number in sorted(set(numbers))]
    wrong = next((value for value in values if kind(value) is None), None)
    what = checks.shown(wrong) if wrong is not None or None in values else f"a mixture of {sorted(kinds)}s"
    raise checks.ArgumentError(
        f"`labels` must be whole numbers, names, or True and False, one for each file, not {what}."
    )


def as_values(labels):
    """A list, of a sequence, or of an array or tensor with one axis."""
    if hasattr(labels, "__array__"):
        array = np.asarray(labels)
        if array.ndim != 1:
            raise checks.ArgumentError(
                f"`labels` must have one axis, a label for each file, not the shape {array.shape}."
            )
        labels = array.tolist()
    elif isinstance(labels, (str, bytes)) or not isinstance(labels, collections.abc.Sequence):
        raise checks.ArgumentError(
            "`labels` must be 'inferred', None, or a list or array with a label for each file, not "
            f"{checks.shown(labels)}."
        )
    values = [np.asarray(value).item() if np.ndim(value) == 0 else value for value in labels]
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def kind(value):
    if isinstance(value, str):
        return "name"
    if isinstance(value, bool):
        return "flag"
    return None if checks.whole_number(value) is None else "number"


def check_labels(numbers, class_names, label_mode):
    """Stop where labels do not go with `label_mode`."""
    if numbers is None or label_mode == "int":
        return
    found = sorted(set(numbers))
    shown = f"{found[:10]}"[:-1] + (", ...]" if len(found) > 10 else "]")
    if label_mode == "categorical" and not set(found) <= set(range(len(class_names))):
        raise checks.ArgumentError(f"`label_mode='categorical'` needs `labels` that count from 0, not {shown}.")
    if label_mode == "binary" and len(class_names) != 2:
        raise checks.ArgumentError(f"`label_mode='binary'` needs two classes, not {len(class_names)}: {class_names}.")
    if label_mode == "binary" and not set(found) <= {0, 1}:
        raise checks.ArgumentError(
            f"`label_mode='binary'` needs `labels` 0 and 1, not {shown}: `label_mode='int'` takes any."
        )


def encode_labels(numbers, class_names, label_mode):
    """Labels as models want them, one for each file; or None."""
    if numbers is None:
        return None
    numbers = np.array(numbers, "int32")
    if label_mode == "categorical":
        return np.eye(len(class_names), dtype="float32")[numbers]
    return numbers[:, None].astype("float32") if label_mode == "binary" else numbers
