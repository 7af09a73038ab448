"""The authority that is asked for certificates: an ACME server (RFC 8555), spoken to by the library `acme`.

Every no of its is translated here, once, by whose fault it is: a `HostRefused` is about one host (its DNS does not lead
here, CAA forbids it), an `AuthorityFailed` about the authority or the way there, and no host is to blame.
"""

from __future__ import annotations

from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from acme import challenges as kinds
from acme import client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from josepy.util import ComparableECKey

from proxy import __version__
from proxy.acme.private import write_private
from proxy.errors import SunsetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from requests import Response

    from proxy.edge.tls.challenges import Challenges

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING: Final = "https://acme-staging-v02.api.letsencrypt.org/directory"

TIMEOUT: Final = 30
"""Seconds for one answer of the authority."""
LONGEST_WAIT: Final = 7 * 24 * 3600.0
"""Seconds for which an authority is left alone where it asks for that, however long it asks for."""

_NO_HOSTS_FAULT: Final = frozenset({"serverInternal", "badNonce", "accountDoesNotExist", "unauthorized"})


class NotIssuedError(SunsetError):
    """There is no certificate. For `wait` seconds the authority does not want to be asked again."""

    wait: float = 0.0


class HostRefused(NotIssuedError):
    """The authority gives no certificate for a host, and says why."""


class AuthorityFailed(NotIssuedError):
    """The authority cannot be asked now, by no fault of a host."""


class Issued(NamedTuple):
    """A new certificate with its chain, and its key, in PEM."""

    chain: bytes
    key: bytes


class Authority:
    """An ACME server, and the account that asks it. Raises `AuthorityFailed` where it cannot be reached."""

    def __init__(self, directory: str, account: Path, *, email: str = "", agrees: bool = False) -> None:
        self._key = _account_key(account)
        self._wait = 0.0
        """For how long the last answer wants none to be asked for, in seconds."""
        network = client.ClientNetwork(self._key, alg=ES256, user_agent=f"sunset/{__version__}", timeout=TIMEOUT)
        network.session.hooks["response"].append(self._hear)
        with self._asking():
            self._client = client.ClientV2(client.ClientV2.get_directory(directory, network), network)
            self._register(email, agrees=agrees)

    def issue(self, host: str, challenges: Challenges, deadline: datetime) -> Issued:
        """A certificate for a host. Raises `HostRefused` and `AuthorityFailed`."""
        key = _pem(ec.generate_private_key(ec.SECP256R1()))
        tokens = []
        try:
            with self._asking():
                order = self._client.new_order(crypto_util.make_csr(key, [host]))
                for challenge in _challenges(order):
                    response, answer = challenge.response_and_validation(self._key)
                    token = challenge.chall.encode("token")
                    tokens.append(token)
                    challenges.put(token, answer)
                    self._client.answer_challenge(challenge, response)
                order = self._client.poll_and_finalize(order, deadline)
        finally:
            for token in tokens:
                challenges.remove(token)
        return Issued(order.fullchain_pem.encode(), key)

    def renewal_time(self, chain: bytes) -> tuple[float | None, float]:
        """When a certificate should be renewed, if the authority says so, and when to ask again (RFC 9773 section 4.2).

        Raises `AuthorityFailed`.
        """
        with self._asking():
            renew_at, ask_again_at = self._client.renewal_time(chain)
        return None if renew_at is None else renew_at.timestamp(), ask_again_at.timestamp()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What the library raises, by whose fault it is, and with what the authority wants."""
        try:
            with _translated():
                yield
        except NotIssuedError as error:
            error.wait = self._wait
            raise

    def _hear(self, response: Response, **_: object) -> None:
        """Every answer, before the library reads it."""
        self._wait = 0.0 if response.ok else min(_wait(response), LONGEST_WAIT)

    def _register(self, email: str, *, agrees: bool) -> None:
        """Make an account, or find the one that the key has."""
        terms = getattr(self._client.directory.meta, "terms_of_service", None)
        network = self._client.net
        try:
            wanted = messages.NewRegistration.from_data(email=email or None, terms_of_service_agreed=True)
            known = messages.NewRegistration(only_return_existing=True)
            self._client.new_account(wanted if agrees or not terms else known)
        except errors.ConflictError as found:
            network.account = messages.RegistrationResource(uri=found.location, body=messages.Registration())
        except messages.Error as error:
            if error.code != "accountDoesNotExist":
                raise
            raise SunsetError(f"there is no account yet: read the terms, {terms}, and agree by --agree-terms") from None


def _challenges(order: Any) -> Iterator[Any]:  # noqa: ANN401 - the library's types say no more
    """The challenges to answer, one a name that is not proved yet."""
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_VALID:
            continue
        fitting = [each for each in authorization.body.challenges if isinstance(each.chall, kinds.HTTP01)]
        if not fitting:
            raise HostRefused("the authority offers no challenge of the kind HTTP-01")
        yield fitting[0]


@contextmanager
def _translated() -> Iterator[None]:
    """What the library raises, by whose it is."""
    try:
        yield
    except errors.ValidationError as error:
        raise HostRefused(_validation(error)) from None
    except errors.IssuanceError as error:
        raise _of_problem(error.error) from None
    except messages.Error as error:
        raise _of_problem(error) from None
    except errors.TimeoutError:
        raise AuthorityFailed("it took too long") from None
    except (errors.Error, JoseError) as error:
        raise AuthorityFailed(f"its answer makes no sense: {error}") from None
    except OSError as error:  # what the library's own client raises, too
        raise AuthorityFailed(f"it cannot be reached: {error}") from None


def _of_problem(problem: messages.Error) -> HostRefused | AuthorityFailed:
    """A problem document (RFC 8555 section 6.7)."""
    text = problem.detail or problem.description or str(problem.typ)
    return AuthorityFailed(text) if problem.code in _NO_HOSTS_FAULT else HostRefused(text)


def _wait(response: Response) -> float:
    """Seconds that an answer asks for (RFC 8555 section 6.6, RFC 9110 section 10.2.3); a date is by its own clock."""
    said, date = response.headers.get("Retry-After", ""), response.headers.get("Date", "")
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return (parsedate_to_datetime(said) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _validation(error: errors.ValidationError) -> str:
    details = [
        challenge.error.detail or str(challenge.error.typ)
        for authorization in error.failed_authzrs
        for challenge in authorization.body.challenges
        if challenge.error is not None
    ]
    return "; ".join(details) or "it could not be proved to be ours"


def _account_key(file: Path) -> JWKEC:
    """The key of the account; a new one where there is none."""
    if not file.exists():
        write_private(file, _pem(ec.generate_private_key(ec.SECP256R1())))
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SunsetError(f"{file}: is no account key that can be read; move it away, and a new account is made")
    return JWKEC(key=ComparableECKey(key))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
