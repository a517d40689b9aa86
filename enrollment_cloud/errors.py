"""Why the cloud refuses something, as one tree.

- CloudError
    - NotFound: `community-unknown`, `envelope-unknown`, `invitation-unknown`, `page-unknown`
    - Gone: `invitation-expired`, `invitation-used`, `invitation-withdrawn`
    - Forbidden: `unsealed-uploads-off`
    - Conflict: `envelope-conflict`, `invitation-wrong`
    - Malformed: `identifier-malformed`, `suite-unknown`, `envelope-size-wrong`,
      `form-malformed`, `consent-missing`, `request-malformed`
    - TooLarge: `body-too-large`
    - WrongMediaType: `media-type-wrong`
    - TooSlow: `body-too-slow`
    - TooMany: `rate-limited`, `invitation-exhausted`
    - Busy: `cloud-busy`, `community-full`, `community-not-ready`

The code is stable and for programs; `enrollment_cloud.refusals` turns it into a status and a
sentence in the person's language. No error carries what the person sent.
"""


class CloudError(Exception):
    """Something the cloud refuses."""

    def __init__(self, code: str, *, retry_after: int | None = None) -> None:
        """Refuse.

        Args:
            code: the stable reason, kebab-case.
            retry_after: seconds after which trying again makes sense.
        """
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class NotFound(CloudError):
    """There is no such thing, or none any more."""


class Gone(CloudError):
    """It was there and is over."""


class Forbidden(CloudError):
    """The community does not allow that."""


class Conflict(CloudError):
    """Another thing already has that name."""


class Malformed(CloudError):
    """The request does not follow the API's rules."""


class TooLarge(CloudError):
    """More bytes than any allowed request has."""


class WrongMediaType(CloudError):
    """The body is of another kind than this address takes."""


class TooSlow(CloudError):
    """The body did not arrive in time."""


class TooMany(CloudError):
    """More requests than one address or one invitation may make."""


class Busy(CloudError):
    """The cloud or the community cannot take it right now."""
