"""Batches from R functions: run on the main thread, with errors and warnings passed between R and Python."""

import queue
import threading
import warnings


def batches(results):
    """Batches from what R hands over: `("batch", batch)`, or `("error", message)` when its generator failed."""
    for kind, value in results:
        if kind == "error":
            raise RuntimeError(value)
        yield value


class Ahead:
    """The results of an R function until it returns None, always computed one ahead.

    R runs on the main thread only. TensorFlow asks for batches from a thread of its own, while the main thread waits
    for one: so one has to be ready already, and the next is made when the main thread runs again. From version 1.31
    on, reticulate does this itself: `py_iterator(prefetch = 1)`.
    """

    def __init__(self, function):
        self.function = function
        self.results = queue.SimpleQueue()
        self.fill()

    def fill(self, *_):
        if self.results.empty():
            self.results.put(self.function())

    def __iter__(self):
        return self

    def __next__(self):
        result = self.results.get()
        if result is None:
            self.results.put(None)
            raise StopIteration
        if threading.current_thread() is threading.main_thread():
            self.fill()
        else:
            import rpycall  # reticulate's own

            rpycall.call_python_function_on_main_thread(self.fill, None)
        return result


def recorded(function, arguments, category=Warning):
    """What a function returns, and the texts of its warnings of a category, of which R makes warnings of its own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", category)
        result = function(**arguments)
    told = [str(warning.message) for warning in caught if issubclass(warning.category, category)]
    for warning in caught:
        if not issubclass(warning.category, category):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return result, told
