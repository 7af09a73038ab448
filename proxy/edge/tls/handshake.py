"""TLS as clients meet it: versions, ciphers, tickets, and a certificate chosen by the name that was asked for.

TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers alone, no compression, no renegotiation (RFC 9325), ALPN
http/1.1 (RFC 7301). A handshake begins in the listener's own context, which has no certificate, and goes on in that of
the certificate for the client's server name (SNI, RFC 6066 section 3); for a name without one it ends in the alert
unrecognized_name.

A session is resumed by a ticket. Tickets are sealed with a key of the context in which a handshake *began*, so they
outlive the swapping of certificates, and processes that were forked from the one that made the listener's context take
each other's tickets. That key lasts as long as the context: a TLS 1.2 session is as secret as the process that has it,
while one of TLS 1.3 has a key exchange of its own all the same.
"""

from __future__ import annotations

import ssl
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; those of 1.3 are all good. The client chooses: a phone without AES in its processor takes ChaCha20."""
PROTOCOLS: Final = ("http/1.1",)
TICKETS: Final = 1
"""A browser comes for one redirect, and each ticket that it uses brings a new one. Two cost 20 µs more, of some 500."""


class Handshake(ssl.SSLObject):
    """A handshake that tells the client why it fails.

    The event loops drop what OpenSSL has to say at a failure, the alert (RFC 8446 section 6.2): the client would see a
    connection that just ends. So the loop is first told that more is wanted, and sends what there is; at the client's
    next bytes, at its end, or when its time is over, the handshake has failed.
    """

    _failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """Go as far as what has come in allows. Raises `ssl.SSLError`."""
        if self._failure is not None:
            raise self._failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as failure:
            self._failure = failure
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "an alert is on its way") from None


class Context(ssl.SSLContext):
    """A server's side of TLS, with all that is the same for every certificate."""

    def __new__(cls) -> Self:
        """Make one, without a certificate."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context.sslobject_class = Handshake
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        context.num_tickets = TICKETS
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(PROTOCOLS)
        return context


def listening(context_for: Callable[[str], ssl.SSLContext | None]) -> ssl.SSLContext:
    """The context of a listener. `context_for` gives the one for a name, which is empty where the client named none."""
    listener = Context()

    def answer(handshake: ssl.SSLObject, name: str | None, _listener: ssl.SSLContext) -> int | None:
        context = context_for(name or "")
        if context is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        handshake.context = context
        return None

    listener.sni_callback = answer
    return listener


def hush_undecodable_names() -> None:
    """Keep names outside ASCII out of the log: Python prints a traceback for each, and every client can send them.

    The handshake of such a name fails, as it should.
    """
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:  # noqa: ANN401 - its type has no name
        if not (isinstance(unraisable.exc_value, UnicodeDecodeError) and isinstance(unraisable.object, bytes)):
            before(unraisable)

    sys.unraisablehook = hook
