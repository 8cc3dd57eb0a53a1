"""A notice as a letter, through an SMTP server. The connection is encrypted, but to a server on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from sync.errors import Outage
from sync.notify.message import Message

PATIENCE = 10.0  # seconds that an answer may take


@dataclass(frozen=True, slots=True)
class Mail:
    """Letters. security: starttls, tls, none.  password: None logs nobody in."""

    host: str
    port: int
    security: str
    sender: str
    to: Sequence[str]
    user: str = ""
    password: Callable[[], str] | None = None

    def send(self, message: Message) -> None:
        """Have it taken by the server. Raises Outage, CredentialFault."""
        password = self.password() if self.password else ""
        try:
            with self._connected() as server:
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if password:
                    server.login(self.user, password)
                server.send_message(self._letter(message), self.sender, list(self.to))
        except smtplib.SMTPAuthenticationError as fault:
            raise Outage(f"{self.host} does not let {self.user} in ({fault.smtp_code})", service="mail") from None
        except (smtplib.SMTPException, OSError, ValueError) as fault:
            raise Outage(f"{self.host} did not take the letter ({_why(fault)})", service="mail") from None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=PATIENCE)

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, ", ".join(self.to), message.subject
        letter["Date"] = formatdate()
        letter["Message-ID"] = f"<zotdrop.{message.id}@{self.sender.partition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text.encode("utf-8", "replace").decode())
        return letter


def _why(fault: Exception) -> str:
    """A fault without the server's own words, which may repeat ours."""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        return "it knows none of the recipients"
    code = getattr(fault, "smtp_code", None)
    return f"it said {code}" if code else getattr(fault, "strerror", None) or type(fault).__name__
