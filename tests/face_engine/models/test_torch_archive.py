import contextlib
import os
import pickle
import random

import numpy as np
import pytest
from numpy.typing import NDArray

from face_engine.errors import ModelDamaged
from face_engine.models.torch_archive import LARGEST_FILE, read_torch_archive
from tests.face_engine.models.torch_files import torch_file

ARRAYS: dict[str, NDArray[np.generic]] = {
    "module.conv.weight": np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3),
    "module.bn.bias": np.array([0.5, -2], np.float32),
    "module.bn.num_batches_tracked": np.array(7, np.int64),
}


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> bytes:
    return torch_file(monkeypatch, ARRAYS)


def test_tensors_come_back_with_their_names_shapes_and_numbers(archive: bytes) -> None:
    read = read_torch_archive(archive)
    assert read.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_a_file_that_names_anything_else_runs_nothing(archive: bytes) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.system, ("touch /tmp/gatehouse-trapped",))

    # In place of the state dictionary, behind a magic number, a version and type sizes.
    start = sum(
        len(pickle.dumps(one, 2))
        for one in (
            0x1950A86A20F9469CFC6C,
            1001,
            {"protocol_version": 1001, "little_endian": True},
        )
    )
    with pytest.raises(ModelDamaged, match=r"names (posix|nt)\.system"):
        read_torch_archive(archive[:start] + pickle.dumps(Trap(), 2))


def test_other_bytes_are_refused_in_one_way(archive: bytes) -> None:
    for data in (b"", b"PK\x03\x04", archive[:-1], archive + b"\0", b"\x80\x02.", b"\0" * 100):
        with pytest.raises(ModelDamaged):
            read_torch_archive(data)
    with pytest.raises(ModelDamaged, match="larger"):
        read_torch_archive(bytes(LARGEST_FILE + 1))


def test_a_changed_file_is_read_or_refused_and_never_anything_else(archive: bytes) -> None:
    source = random.Random(5)
    refused = 0
    for _ in range(2000):
        data = bytearray(archive)
        for _ in range(source.randint(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        if source.random() < 0.2:
            del data[source.randrange(len(data)) :]
        with contextlib.suppress(ModelDamaged):
            read_torch_archive(bytes(data))
            continue
        refused += 1
    assert refused > 500
