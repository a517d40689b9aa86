"""Small PyTorch files of the old kind, made without PyTorch."""

import io
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    def __init__(self, name: str, array: NDArray[np.generic], kind: type) -> None:
        self.name, self.array, self.kind = name, array, kind


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _Storage):
            return ("storage", obj.kind, obj.name, "cpu", obj.array.size, None)
        return None


def _pickled(value: object) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def torch_file(monkeypatch: pytest.MonkeyPatch, arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """The file that PyTorch would have written for float32 and int64 arrays."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    kinds = {}
    for dtype, name in (("float32", "FloatStorage"), ("int64", "LongStorage")):
        kinds[dtype] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, kinds[dtype])

    def _rebuild_tensor_v2() -> None:
        raise NotImplementedError

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined] # a stand-in module

    class Tensor:
        def __init__(self, name: str, array: NDArray[np.generic]) -> None:
            self.name, self.array = name, array

        def __reduce__(self) -> Any:
            strides = tuple(step // self.array.itemsize for step in self.array.strides)
            storage = _Storage(self.name, self.array, kinds[str(self.array.dtype)])
            hooks: OrderedDict[str, object] = OrderedDict()
            rest = (storage, 0, self.array.shape, strides, False, hooks)
            return (_rebuild_tensor_v2, rest)

    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    state = OrderedDict(
        (name, Tensor(str(number), array)) for number, (name, array) in enumerate(arrays.items())
    )
    keys = [str(number) for number in range(len(arrays))]
    parts = [_MAGIC, 1001, {"protocol_version": 1001, "little_endian": True}, state, keys]
    numbers = [array.size.to_bytes(8, "little") + array.tobytes() for array in arrays.values()]
    return b"".join([*map(_pickled, parts), *numbers])
