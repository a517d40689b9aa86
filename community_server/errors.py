"""Everything `community_server` refuses, as one tree; `handlers` turns it into HTTP once.

ServerError
├── StartRefused      the server cannot start: what is wrong and what to do
├── VaultLocked       the master key does not open the vault
├── BackupRefused     a backup, a bundle of keys or a recovery kit cannot be used
├── LetterRefused     what another server of the estate says cannot be believed
├── NotSetUp          the estate has no name, keys and first account yet
├── SignInRefused     no session, a wrong password, a missing or wrong CSRF token
├── NotPermitted      who asks is known, and their role does not allow this
├── TooManyAttempts   back off; carries the seconds to wait
├── NotFound          no such person, door, enrollment, photo
├── Conflict          the thing is not in a state that allows this
├── InputRefused      a value that a person or program gave cannot be used
└── EnrollmentRefused an envelope that is not taken, with the reply's reason
"""


class ServerError(Exception):
    """Base of all errors of this tier; `code` is stable, kebab-case and meant for programs."""

    code = "server-error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Take a sentence for people and, where a class has several, the code."""
        super().__init__(message)
        if code is not None:
            self.code = code


class StartRefused(ServerError):
    """The server cannot start; the message says what to do."""

    code = "start-refused"


class VaultLocked(StartRefused):
    """The master key given does not open this vault."""

    code = "vault-locked"


class BackupRefused(ServerError):
    """A backup, a bundle of keys or a recovery kit cannot be used; nothing was changed.

    Codes: `backup-unreadable`, `backup-foreign`, `backup-damaged`, `backup-newer`,
    `backup-unwritable`, `kit-mistyped`, `keys-older`, `keys-unfit`.
    """

    code = "backup-unreadable"


class LetterRefused(ServerError):
    """What bears to come from the estate's other server does not.

    Codes: `letter-refused`, `server-away`, `standby-clock`, `standby-replaced`.
    """

    code = "letter-refused"


class NotSetUp(ServerError):
    """First-run set-up has not been done."""

    code = "not-set-up"


class SignInRefused(ServerError):
    """Who asks has not shown that they may.

    Codes: `sign-in-needed`, `password-wrong`, `second-factor-needed`, `sign-in-over`,
    `token-wrong`, `link-over`, `proof-needed`, `csrf-wrong`, `origin-wrong`, `setup-code-wrong`.
    """

    code = "sign-in-needed"


class NotPermitted(ServerError):
    """Whoever asks is signed in, and may not do this.

    Codes: `not-permitted`, `second-factor-first`.
    """

    code = "not-permitted"


class TooManyAttempts(ServerError):
    """Too many failures in a row."""

    code = "too-many-attempts"

    def __init__(self, wait: float) -> None:
        """Take the seconds to wait before the next attempt counts."""
        super().__init__("too many attempts; wait a little")
        self.wait = wait


class TooManyRequests(TooManyAttempts):
    """A program asks faster than it may."""

    code = "too-many-requests"


class NotFound(ServerError):
    """Codes: `person-unknown`, `door-unknown`, `enrollment-unknown`, `photo-unknown`, …."""

    code = "not-found"


class Conflict(ServerError):
    """Codes: `already-set-up`, `already-decided`, `cloud-not-paired`, `door-revoked`, …."""

    code = "conflict"


class InputRefused(ServerError):
    """A value cannot be used; `field` names it."""

    code = "input-refused"

    def __init__(self, message: str, *, field: str, code: str | None = None) -> None:
        """Take a sentence, the field it is about and, where it has its own, a code."""
        super().__init__(message, code=code)
        self.field = field


class EnrollmentRefused(ServerError):
    """An envelope is not taken; the code is the reason its sender is told, where it can be."""

    code = "malformed"
