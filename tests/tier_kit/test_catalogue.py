from pathlib import Path

import pytest

from tier_kit.catalogue import Catalogue, CatalogueError


def test_places_are_filled() -> None:
    catalogue = Catalogue({"en": {"hi": "Hello {name}"}, "zh-CN": {"hi": "你好,{name}"}})
    catalogue.compare()
    assert catalogue.say("zh-CN", "hi", name="王") == "你好,王"


def test_a_missing_sentence_or_value_is_an_error_not_an_empty_page() -> None:
    catalogue = Catalogue({"en": {"hi": "Hello {name}"}, "zh-CN": {"hi": "{name}"}})
    with pytest.raises(CatalogueError):
        catalogue.say("en", "bye")
    with pytest.raises(CatalogueError):
        catalogue.say("en", "hi")


def test_half_a_translation_is_refused() -> None:
    with pytest.raises(CatalogueError, match="only one language has: b"):
        Catalogue({"en": {"a": "A", "b": "B"}, "zh-CN": {"a": "甲"}}).compare()


def test_other_places_in_the_other_language_are_refused() -> None:
    with pytest.raises(CatalogueError, match="'a' has other places"):
        Catalogue({"en": {"a": "{x}"}, "zh-CN": {"a": "{y}"}}).compare()


def test_a_script_gets_its_branch_alone() -> None:
    catalogue = Catalogue({"en": {"form.go": "Go", "page.x": "X"}, "zh-CN": {}})
    assert catalogue.branch("en", "form") == {"go": "Go"}


def test_a_sentence_that_stands_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "twice" / "locales"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "en.json").write_text('{"a": {"b": "one", "b": "two"}}')
    (folder / "zh-CN.json").write_text('{"a": {"b": "一"}}')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(CatalogueError, match="twice in one catalogue: b"):
        Catalogue.load("twice")
