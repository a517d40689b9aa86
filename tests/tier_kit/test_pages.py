import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tier_kit.forms import form_pages
from tier_kit.pages import Pages, PagesNotBuilt
from web.build import FORM_TIERS, ROOT


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "a_tier_with_pages"
    root = tmp_path / name
    for folder in ("templates", "locales"):
        (root / folder).mkdir(parents=True)
    (root / "__init__.py").touch()
    (root / "templates/hello.html.jinja").write_text(
        "<p>{{ t('hi', name=name) }}</p>{% if built %}{{ asset('form.js') }}{% endif %}"
    )
    (root / "locales/en.json").write_text('{"hi": "Hello {name}"}')
    (root / "locales/zh-CN.json").write_text('{"hi": "你好 {name}"}', "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def test_what_a_person_wrote_is_escaped(package: str) -> None:
    page = Pages(package).render("hello.html.jinja", "zh-CN", name="<script>", built=False)
    assert page == "<p>你好 &lt;script&gt;</p>"


def test_pages_that_were_not_built_say_how_to_build_them(package: str) -> None:
    with pytest.raises(PagesNotBuilt, match="make pages"):
        Pages(package).render("hello.html.jinja", "en", name="", built=True)


def test_a_built_file_is_named_by_its_content(package: str) -> None:
    pages = Pages(package)
    pages.static_folder.mkdir()
    manifest = {"form.js": {"file": "form-0123.js", "sha256": "00"}}
    (pages.static_folder / "manifest.json").write_text(json.dumps(manifest))
    assert "/static/form-0123.js" in pages.render("hello.html.jinja", "en", name="", built=True)


def test_pages_that_two_tiers_serve_name_the_files_of_the_one_that_serves(package: str) -> None:
    pages = Pages(package, built_in="community_server")
    assert pages.static_folder.parent.name == "community_server"
    assert pages.render("hello.html.jinja", "en", name="Li", built=False) == "<p>Hello Li</p>"


@pytest.mark.parametrize("tier", FORM_TIERS)
def test_the_forms_are_the_same_to_the_byte_whichever_tier_serves_them(tier: str) -> None:
    for name in ("form.js", "pass.js", "detector.js", "form.css", "yunet.bin"):
        built = form_pages(tier).asset(name)
        assert built == form_pages(FORM_TIERS[0]).asset(name)
        assert (ROOT / tier / built[1:]).is_file()
