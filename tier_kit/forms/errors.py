"""Why the public pages and their interface refuse something, as one tree.

- FormRefused
    - NotFound: `community-unknown`, `envelope-unknown`, `invitation-unknown`, `page-unknown`
    - Gone: `invitation-expired`, `invitation-used`, `invitation-withdrawn`
    - Forbidden: `unsealed-uploads-off`
    - Conflict: `envelope-conflict`, `invitation-wrong`
    - Malformed: `identifier-malformed`, `suite-unknown`, `envelope-size-wrong`,
      `envelope-unreadable`, `form-malformed`, `consent-missing`, `request-malformed`,
      `confirmation-wrong`
    - TooLarge: `body-too-large`
    - WrongMediaType: `media-type-wrong`
    - TooSlow: `body-too-slow`
    - TooMany: `rate-limited`, `invitation-exhausted`
    - Busy: `cloud-busy`, `community-full`, `community-not-ready`

The code is stable and for programs; `tier_kit.forms.refusals` has a status and a sentence in the
person's language for each. No error carries what the person sent.
"""


class FormRefused(Exception):
    """Something that whoever serves the forms refuses."""

    def __init__(self, code: str, *, retry_after: int | None = None) -> None:
        """Refuse.

        Args:
            code: the stable reason, kebab-case.
            retry_after: seconds after which trying again makes sense.
        """
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class NotFound(FormRefused):
    """There is no such thing, or none any more."""


class Gone(FormRefused):
    """It was there and is over."""


class Forbidden(FormRefused):
    """The community does not allow that."""


class Conflict(FormRefused):
    """Another thing already has that name."""


class Malformed(FormRefused):
    """The request does not follow the API's rules."""


class TooLarge(FormRefused):
    """More bytes than any allowed request has."""


class WrongMediaType(FormRefused):
    """The body is of another kind than this address takes."""


class TooSlow(FormRefused):
    """The body did not arrive in time."""


class TooMany(FormRefused):
    """More requests than one address or one invitation may make."""


class Busy(FormRefused):
    """Whoever serves the forms cannot take it right now, or the community cannot."""
