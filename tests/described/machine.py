"""Sends what a description allows, and more, to an application in the test's own process."""

import warnings
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import (
    not_a_server_error,
)
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.limits.tables import Caller

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


@dataclass
class Machine:
    """Sends cases to one application, and counts what came of them.

    Attributes:
        caller: who asks.
        document: the description, as the application hands it out.
        headers: given with every request; made anew for each, since some end what they prove.
        known: what exists, by the name of a path's or query's parameter: two of three cases are
            about that, whatever else they say.
    """

    caller: Caller
    document: Mapping[str, Any]
    headers: Callable[[], dict[str, str]] = dict
    known: Mapping[str, str] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)

    def operations(self) -> Iterator[tuple[str, Any]]:
        """Yield the description's operations by `METHOD path`."""
        schema = schemathesis.openapi.from_dict(dict(self.document))
        for result in schema.get_all_operations():
            if not isinstance(result, Ok):
                raise result.err()
            operation = result.ok()
            yield f"{operation.method.upper()} {operation.path}", operation

    def run_all(self, examples: int, *, skipped: Container[str] = (), random: bool = False) -> None:
        """Send so many cases of each operation; tell of all that fail at once, and how many ran.

        Raises:
            ExceptionGroup: with what failed, operation by operation.
        """
        failed = []
        for key, operation in self.operations():
            if key in skipped:
                continue
            try:
                self.run(key, operation, examples, random=random)
            except Exception as failure:  # noqa: BLE001 -- whatever came up in the application
                failure.add_note(key)
                failed.append(failure)
        print(f"{self.sent.total()} cases of {len(self.sent)} operations: {dict(self.answers)}")
        if failed:
            raise ExceptionGroup(f"{len(failed)} operations", failed)

    def run(self, key: str, operation: Any, examples: int, *, random: bool) -> None:
        """Send so many cases of one operation, the same ones each time unless `random`."""

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=not random,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            self.send(key, case)

        send()

    def send(self, key: str, case: Any) -> httpx.Response:
        """Send one case and hold its answer against the description."""
        if self.sent[key] % 3:
            for given_ in (case.path_parameters, case.query):
                for name in given_ or ():
                    if name in self.known:
                        given_[name] = self.known[name]
        with quiet():
            asked = case.as_transport_kwargs(base_url=self.caller.base)
        asked["headers"] = {
            **{name: _plain(value) for name, value in asked.get("headers", {}).items()},
            **self.headers(),
        }
        response = self.caller.ask(asked.pop("method"), asked.pop("url"), **_for_httpx(asked))
        response.request.read()  # the check looks into what was sent
        self.sent[key] += 1
        self.answers[response.status_code] += 1
        with quiet():
            case.validate_response(response, checks=CHECKS)
        return response


@contextmanager
def quiet() -> Iterator[None]:
    """Let Schemathesis use what others of its libraries deprecate; our own warnings stay errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _plain(value: Any) -> str:
    return str(value).encode("latin-1", "replace").decode("latin-1")


def _file(value: Any) -> Any:
    """A part of a form: bytes, or a name with them; whatever else was drawn as its text."""
    if isinstance(value, tuple):
        return (value[0], _bytes(value[1]), *value[2:])
    return _bytes(value)


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _for_httpx(asked: dict[str, Any]) -> dict[str, Any]:
    more = {name: asked[name] for name in ("headers", "params", "cookies") if asked.get(name)}
    if "json" in asked:
        more["json"] = asked["json"]
    data, files = asked.get("data"), asked.get("files")
    if isinstance(data, (bytes, str)):
        more["content"] = data
    elif data:
        more["data"] = data
    if files:
        more["files"] = [(name, _file(value)) for name, value in files]
    return more
