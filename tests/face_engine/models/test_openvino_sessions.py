import sys

import pytest

from face_engine.errors import ModelsMissing
from face_engine.faces import Image
from face_engine.models import FacePack, load_pack


def test_openvino_gives_the_same_vectors(pack: FacePack, crops: Image) -> None:
    pytest.importorskip("openvino", reason="the extra 'openvino' is not installed")
    other = load_pack(runtime="openvino")
    assert other.template_space == pack.template_space
    cosines = (other.encoder.encode(crops) * pack.encoder.encode(crops)).sum(axis=1)
    assert cosines.min() >= 0.9999


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelsMissing, match=r"gatehouse-access\[openvino\]"):
        load_pack(runtime="openvino")
