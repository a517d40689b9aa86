"""The cloud's API describes itself: each route with a summary, refusals and fitting examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from enrollment_cloud.app import create_app
from enrollment_cloud.description import describe_api
from enrollment_cloud.settings import Settings
from tests.support.schemas import misfits
from tier_kit.forms.description import REFUSALS
from tier_kit.forms.refusals import say
from tier_kit.language import LANGUAGES
from tier_kit.openapi import MISSING


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("cloud")
    return describe_api(create_app(Settings(data=folder)))


def test_every_route_has_a_summary_refusals_and_examples_that_fit(
    document: dict[str, Any],
) -> None:
    schemas, met = document["components"]["schemas"], set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            key = f"{method.upper()} {path}"
            met.add(key)
            if path.startswith("/api/"):
                assert operation["summary"].endswith("."), key
            for status, response in operation["responses"].items():
                described = response.get("content", {}).get("application/json")
                if described is None:
                    continue
                shown = [one["value"] for one in described.get("examples", {}).values()]
                shown = shown or [described["example"]]
                for one in shown:
                    assert f'"{MISSING}"' not in json.dumps(one), (key, status)
                    assert list(misfits(one, described["schema"], schemas)) == [], (key, status)
            if path.startswith("/api/"):
                assert "429" in operation["responses"], key
    assert REFUSALS.keys() <= met


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_sentence(language: Any) -> None:
    for codes in REFUSALS.values():
        for _, code in codes:
            assert say(language, code)
