"""A mail server that keeps what it is sent."""

from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """A mail server's handler: keeps what comes, refuses what it is told to."""

    mails: list[bytes] = field(default_factory=list)
    refusal: str = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        self.mails.append(envelope.original_content or b"")
        return "250 OK"
