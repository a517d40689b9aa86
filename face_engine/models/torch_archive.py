"""Read the tensors of a PyTorch file of the old kind, without PyTorch and without trusting it.

Such a file is five pickles (a magic number, a version, the machine's type sizes, the state
dictionary, the storages' keys), then each storage as its length and its numbers. A pickle can call
anything that it can name; here it can name four things, none of which does more than take down
what it is given.
"""

import io
import pickle
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from face_engine.errors import ModelDamaged

Weights = Mapping[str, NDArray[np.generic]]
"""Arrays by their names in the state dictionary."""

LARGEST_FILE: Final = 64 * 1024 * 1024  # the files read here have 2 MB
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_VERSION: Final = 1001
_MOST_MEMOS: Final = 100_000  # a memo's number sizes a table in the unpickler: 4,000 are used
_MOST_AXES: Final = 8
_COUNT_BYTES: Final = 8
_TYPES: Final[Mapping[str, np.dtype[Any]]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor before its numbers are read."""

    storage: _Storage
    start: int
    shape: tuple[int, ...]

    def of(self, numbers: NDArray[np.generic]) -> NDArray[np.generic]:
        part = numbers[self.start : self.start + prod(self.shape)]
        return part.reshape(self.shape)


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ModelDamaged(f"a PyTorch file gives {value!r} for a size")
    return value


def _naturals(value: object) -> tuple[int, ...]:
    if not isinstance(value, tuple) or len(value) > _MOST_AXES:
        raise ModelDamaged("a PyTorch file gives something else for a shape")
    return tuple(_natural(one) for one in value)


def _view(storage: object, start: object, shape: object, strides: object, *_: object) -> _View:
    """Stand in for `torch._utils._rebuild_tensor_v2`: rows one after another, nothing else."""
    extents = _naturals(shape)
    packed = tuple(prod(extents[axis + 1 :]) for axis in range(len(extents)))
    first = _natural(start)
    if not isinstance(storage, _Storage) or _naturals(strides) != packed:
        raise ModelDamaged("a PyTorch file holds a tensor that is not in one piece")
    if first + prod(extents) > storage.count:
        raise ModelDamaged("a PyTorch file holds a tensor larger than its storage")
    return _View(storage, first, extents)


class _Names(dict[str, object]):
    """Stands in for `OrderedDict`; what else a pickle would set on it is dropped."""

    def __setstate__(self, _: object) -> None:
        pass


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Callable[..., object] | str:
        """Give one of four names a harmless meaning; refuse every other.

        A pickle can set attributes on what it names, so it gets a fresh thing each time.
        """
        match (module, name):
            case ("collections", "OrderedDict"):
                return partial(_Names)
            case ("torch._utils", "_rebuild_tensor_v2"):
                return partial(_view)
            case ("torch", "FloatStorage" | "LongStorage"):
                return name
            case _:
                raise ModelDamaged(f"a PyTorch file names {module}.{name}")

    def persistent_load(self, pid: Any, /) -> _Storage:
        """Take down one storage: ('storage', type, key, device, count, None)."""
        match pid:
            case ("storage", str(kind), str(key), str(), count, None) if kind in _TYPES:
                return _Storage(key, _TYPES[kind], _natural(count))
            case _:
                raise ModelDamaged("a PyTorch file holds an unknown kind of storage")


def _next_pickle(stream: io.BytesIO) -> object:
    """The value of the next pickle, walked through once before it is believed."""
    begin = stream.tell()
    for operation, argument, _ in pickletools.genops(stream):
        if "PUT" in operation.name and _natural(argument) > _MOST_MEMOS:
            raise ModelDamaged("a PyTorch file wants more room than it needs")
        # The state of a dictionary is dropped; on anything else it would be set.
        if operation.name in {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}:
            raise ModelDamaged("a PyTorch file makes objects")
    end = stream.tell()
    stream.seek(begin)
    value = _Reader(io.BytesIO(stream.read(end - begin))).load()
    stream.seek(end)
    return value


def _storages(
    stream: io.BytesIO,
    keys: object,
    wanted: Mapping[str, _Storage],
) -> dict[str, NDArray[np.generic]]:
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(wanted):
        raise ModelDamaged("a PyTorch file's list of storages does not fit its tensors")
    numbers: dict[str, NDArray[np.generic]] = {}
    for key in keys:
        storage = wanted[key]
        count = int.from_bytes(stream.read(_COUNT_BYTES), "little")
        data = stream.read(storage.count * storage.dtype.itemsize)
        if count != storage.count or len(data) != count * storage.dtype.itemsize:
            raise ModelDamaged("a PyTorch file ends early or counts otherwise than it says")
        numbers[key] = np.frombuffer(data, storage.dtype)
    if stream.read(1):
        raise ModelDamaged("a PyTorch file goes on after its end")
    return numbers


def _read(data: bytes) -> Weights:
    stream = io.BytesIO(data)
    if _next_pickle(stream) != _MAGIC or _next_pickle(stream) != _VERSION:
        raise ModelDamaged("this is not a PyTorch file of the old kind")
    match _next_pickle(stream):
        case {"little_endian": True}:
            pass
        case _:
            raise ModelDamaged("a PyTorch file of a big-endian machine")
    state, keys = _next_pickle(stream), _next_pickle(stream)
    views = {
        name: view
        for name, view in (state.items() if isinstance(state, dict) else ())
        if isinstance(name, str) and isinstance(view, _View)
    }
    wanted = {view.storage.key: view.storage for view in views.values()}
    numbers = _storages(stream, keys, wanted)
    try:
        return {name: view.of(numbers[view.storage.key]) for name, view in views.items()}
    except ValueError as misfit:
        raise ModelDamaged(f"a PyTorch file contradicts itself: {misfit}") from misfit


def read_torch_archive(data: bytes) -> Weights:
    """The tensors of a state dictionary, float32 or int64, read only.

    Raises:
        ModelDamaged: the bytes are anything but such a file, whole.
    """
    if len(data) > LARGEST_FILE:
        raise ModelDamaged("a PyTorch file larger than any that is read here")
    try:
        return _read(data)
    except ModelDamaged:
        raise
    # An unpickler fails in as many ways as there are wrong bytes.
    except Exception as broken:
        raise ModelDamaged(f"this is not a PyTorch file of the old kind: {broken}") from broken
