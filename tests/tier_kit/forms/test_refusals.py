import re

import pytest

from tier_kit.catalogue import Catalogue
from tier_kit.forms import errors, refusals
from tier_kit.language import LANGUAGES, Language
from web.build import ROOT

SERVING = ("enrollment_cloud", "community_server/own_forms", "tier_kit/forms")
"""Whoever serves the forms, and what they share."""
RAISED = re.compile(
    rf"\b(?:{'|'.join(kind.__name__ for kind in refusals.STATUSES)})\(\s*\"([a-z-]+)\""
)


def codes_in_the_code() -> set[str]:
    return {
        code
        for package in SERVING
        for file in (ROOT / package).rglob("*.py")
        for code in RAISED.findall(file.read_text())
    }


def test_every_kind_of_error_has_a_status() -> None:
    assert set(errors.FormRefused.__subclasses__()) == set(refusals.STATUSES)


def test_every_code_that_is_raised_is_in_the_tree() -> None:
    listed = set(re.findall(r"`([a-z-]+)`", errors.__doc__ or ""))
    assert codes_in_the_code() == listed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence_in_each_language(language: Language) -> None:
    said = Catalogue.load(refusals.__name__).branch(language, "refusal")
    others = {"title", "internal-error", "method-not-allowed", "storage-failed"}
    assert said.keys() == codes_in_the_code() | others


def test_no_sentence_is_said_the_same_in_both_languages() -> None:
    catalogue = Catalogue.load(refusals.__name__)
    first, second = (catalogue.sentences[language] for language in LANGUAGES)
    assert [key for key in first if first[key] == second[key]] == []
