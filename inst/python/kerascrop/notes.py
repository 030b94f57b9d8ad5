"""What a layer says about a tensor that it returns, for a loss that is given the tensor: as Keras passes masks on."""

import weakref

_notes = {}  # of tensors that take no attributes, by their identity


def write(tensor, note):
    """Attach a note to a tensor; it is lost in whatever is computed from the tensor."""
    try:
        tensor._kerascrop_note = note
    except AttributeError:
        _notes[id(tensor)] = note
        weakref.finalize(tensor, _notes.pop, id(tensor), None)


def read(tensor):
    """The note on a tensor, or None."""
    return getattr(tensor, "_kerascrop_note", None) or _notes.get(id(tensor))
