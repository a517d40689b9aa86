"""A phone on the network of the module's estate."""

from collections.abc import Iterator

import pytest

from community_server.estate import Estate
from community_server.own_forms.limits import FormLimits
from tests.community_server.own_forms.phone import Phone


@pytest.fixture
def phone(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phone]:
    # One address asks for everything here, and each test has a loop of its own.
    monkeypatch.setitem(estate.__dict__, "form_limits", FormLimits())
    with Phone(estate) as opened:
        yield opened
