"""The pages of a running cloud, with the files that the build made."""

import re
from pathlib import Path

import pytest

import enrollment_cloud
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.community_double import CommunityDouble

STATIC = Path(enrollment_cloud.__file__).parent / "static"

pytestmark = pytest.mark.skipif(
    not (STATIC / "manifest.json").is_file(),
    reason="the pages are not built; `make pages` builds them",
)


@pytest.mark.parametrize(("page", "kind"), [("enroll", "resident"), ("visit", "visitor")])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_form_is_shown_in_the_readers_language(
    small_cloud: CloudProcess, small_community: CommunityDouble, page: str, kind: str, language: str
) -> None:
    answer = small_cloud.get(
        f"/c/{small_community.id}/{page}", headers={"accept-language": language}
    )
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert f'data-kind="{kind}"' in answer.text
    assert "阳光小区" in answer.text
    assert answer.headers["content-language"] == language
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_where_the_estate_says_what_it_keeps_is_told_where_no_link_can_lead(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    for page in ("enroll", "visit", "home", "ask"):
        shown = small_cloud.get(f"/c/{small_community.id}/{page}").text
        assert 'data-testid="privacy-there"' in shown, page
        assert 'href="/privacy"' not in shown, page
    assert "privacy-there" not in small_cloud.get("/").text


def test_a_chosen_language_is_remembered(small_cloud: CloudProcess) -> None:
    answer = small_cloud.get("/?lang=en", headers={"accept-language": "zh"})
    assert answer.headers["content-language"] == "en"
    assert answer.cookies["lang"] == "en"
    assert "lang" not in small_cloud.get("/?lang=fr").cookies


def test_every_file_that_a_page_names_is_served_and_may_be_kept(
    small_cloud: CloudProcess, small_community: CommunityDouble
) -> None:
    page = small_cloud.get(f"/c/{small_community.id}/enroll").text
    files = re.findall(r'"(/static/[^"]+)"', page)
    assert files
    for file in files:
        answer = small_cloud.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/..%2Fsettings.py", "/static/nothing.js", "/static/.hidden", "/nothing"]
)
def test_nothing_else_is_served(small_cloud: CloudProcess, path: str) -> None:
    answer = small_cloud.get(path, headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert "page-unknown" in answer.text
    assert "text/html" in answer.headers["content-type"]


def test_a_link_to_nowhere_gets_a_page_that_says_so(small_cloud: CloudProcess) -> None:
    answer = small_cloud.get("/c/nowhere-0000/enroll", headers={"accept-language": "zh-CN"})
    assert answer.status_code == 404
    assert "这里没有该小区" in answer.text
