"""The certificates of a folder, found by the names inside them, and kept up to date while files change.

Three layouts are known, each a chain and its key: `NAME/fullchain.pem` and `NAME/privkey.pem` as certbot has them,
`NAME/tls.crt` and `NAME/tls.key` as Kubernetes mounts them, and `NAME.pem` with `NAME.key`. NAME is for people, but for
`default`: that one is presented to clients that ask for no name, or for one that no certificate is for.

`refresh` looks at the folder, reads what has changed, and puts everything in place by one assignment: a handshake sees
all of the old or all of the new. New files that are wrong (half written, of another key) leave what was read before
where it is, and are told as a `Fault`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.edge.clock import Clock
from proxy.edge.configuration.settings import SettingsError
from proxy.edge.tls.certificate import Fault, Unusable, read
from proxy.edge.tls.handshake import listening
from proxy.errors import Severity

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from proxy.edge.tls.certificate import Certificate

DEFAULT: Final = "default"
IN_FOLDERS: Final = (("fullchain.pem", "privkey.pem"), ("tls.crt", "tls.key"))
READY_AT_START: Final = 64
"""So many certificates are made ready before the first client comes, which takes a tenth of a second. Where there are
more, each is made ready when it is first asked for."""

Signature = tuple[int, ...] | None
"""What tells one state of a file from another; `None` where there is no file."""


class _Pair(NamedTuple):
    """Two files that belong together, as they are now."""

    chain: str
    key: str
    signatures: tuple[Signature, Signature]
    is_default: bool


@dataclass(slots=True)
class _Entry:
    """What is known of two files."""

    pair: _Pair
    certificate: Certificate | None
    """The last good one."""
    fault: Fault | None
    is_missing: bool = False
    """Whether they were not there at the last look."""


class _Known(NamedTuple):
    """Everything that handshakes go by."""

    certificates: tuple[Certificate, ...] = ()
    named: Mapping[bytes, tuple[Certificate, ...]] = MappingProxyType({})
    """By name; those of a wildcard by what follows its asterisk."""
    default: Certificate | None = None


class Certificates:
    """The certificates of `folder` as of the last `refresh`. `now` tells the time for which they have to be valid."""

    def __init__(
        self, folder: Path, *, now: Callable[[], float] | None = None, ready_at_start: int = READY_AT_START
    ) -> None:
        self.folder = folder
        self.listener = listening(self.context_for)
        """What every listener's handshakes begin in; processes that are to take each other's tickets inherit it."""
        self.faults: tuple[Fault, ...] = ()
        """All that is wrong with the files, and with the dates of what is in them."""
        self._now = Clock().timestamp if now is None else now  # a rehearsal's clock is not the clients'
        self._ready_at_start = ready_at_start
        self._entries: dict[str, _Entry] = {}
        self._refused: dict[Certificate, Fault] = {}
        self._known = _Known()
        self._looking = Lock()

    @property
    def all(self) -> tuple[Certificate, ...]:
        """Those that may be presented, in the order of their files."""
        return self._known.certificates

    @property
    def default(self) -> Certificate | None:
        """The one for clients that ask for no name, or an unknown one."""
        return self._known.default

    def of(self, host: bytes) -> Certificate | None:
        """The certificate for a host.

        Of several it is one that is valid now, of those one that is not self-signed, of those one that has the name
        itself, and of those the one that is valid for longest.
        """
        named = self._known.named
        exact = named.get(host, ())
        candidates = exact + named.get(b"." + host.partition(b".")[2], ())
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        now = self._now()
        return max(candidates, key=lambda each: (each.is_valid(now), not each.is_self_signed, each in exact, each.ends))

    def context_for(self, name: str) -> ssl.SSLContext | None:
        """What a handshake for a name goes on with; the name is empty where the client gave none."""
        host = name.lower().removesuffix(".").encode()
        while (certificate := self.of(host) or self._known.default) is not None:
            try:
                return certificate.context
            except Unusable as unusable:
                self._withdraw(certificate, unusable.fault)
            except OSError:  # no descriptor is left to make it ready with; the next handshake may have one
                break
        return None

    def is_misdirected(self, host: bytes, presented: Certificate) -> bool:
        """Whether a request for a host came over a connection that is another's (RFC 9110 section 15.5.20)."""
        if presented.covers(host):
            return False
        chosen = self.of(host) or self._known.default
        return chosen is None or chosen.file != presented.file

    def expiries(self) -> dict[str, float]:
        """When the certificate that is presented for each name expires."""
        names = dict.fromkeys(name for certificate in self.all for name in certificate.names)
        presented = {name: self.of(name.replace("*", "any").encode()) for name in names}
        return {name: certificate.ends for name, certificate in presented.items() if certificate is not None}

    def lacking(self, hosts: Iterable[str]) -> list[str]:
        """Those hosts of a rulebook that no certificate is for; `*.po.co` wants one for every name in that place."""
        return [host for host in hosts if self.of(host.replace("*", "any").encode()) is None]

    def refresh(self) -> bool:
        """Look at the folder and read what has changed; says whether anything has. Any thread may do it."""
        with self._looking:
            try:
                pairs = list(_pairs(self.folder))
            except OSError as error:
                self.faults = (_unreadable(self.folder, error), *self._faults())
                return False
            there = {pair.chain for pair in pairs}
            gone = [entry for file, entry in self._entries.items() if file not in there and self._is_gone(entry)]
            for entry in gone:
                del self._entries[entry.pair.chain]
            makes_ready = bool(self._entries) or len(pairs) <= self._ready_at_start
            read_anew = [pair for pair in pairs if self._look(pair, makes_ready=makes_ready)]
            if gone or read_anew:
                self._entries = {file: self._entries[file] for file in sorted(self._entries)}
                self._know()
            self.faults = tuple(self._faults())
            return bool(gone or read_anew)

    def make_ready(self) -> None:
        """Make all of them ready now, and find out which of them OpenSSL refuses."""
        for certificate in self._known.certificates:
            try:
                certificate.context  # noqa: B018 - made when it is asked for
            except Unusable as unusable:
                self._withdraw(certificate, unusable.fault)

    def _look(self, pair: _Pair, *, makes_ready: bool) -> bool:
        """Read two files, if they are new or have changed. Says whether they have."""
        entry = self._entries.get(pair.chain)
        if entry is not None:
            entry.is_missing = False
            if entry.pair.signatures == pair.signatures:
                return False
        certificate, fault = None if entry is None else entry.certificate, None
        try:
            new = read(Path(pair.chain), Path(pair.key))
            if makes_ready:
                new.context  # noqa: B018 - made when it is asked for: here, and not while a client waits
            certificate = new
        except Unusable as unusable:
            fault = unusable.fault
            if certificate is not None:
                fault = replace(fault, message=f"{fault.message}; what was read before stays in use")
        self._entries[pair.chain] = _Entry(pair, certificate, fault)
        return True

    def _know(self) -> None:
        """Let handshakes go by what was read."""
        read_well = {
            entry.certificate: entry.pair.is_default
            for entry in self._entries.values()
            if entry.certificate is not None
        }
        self._refused = {certificate: fault for certificate, fault in self._refused.items() if certificate in read_well}
        usable = {
            certificate: is_default for certificate, is_default in read_well.items() if certificate not in self._refused
        }
        default = next((certificate for certificate, is_default in usable.items() if is_default), None)
        self._known = _index(usable, default)

    def _is_gone(self, entry: _Entry) -> bool:
        """Whether files that are not there were not there before either: some put new ones there by way of none."""
        was_missing, entry.is_missing = entry.is_missing, True
        return was_missing

    def _withdraw(self, certificate: Certificate, fault: Fault) -> None:
        """Do without a certificate that turned out to be unusable.

        A handshake cannot wait for the lock while files are read. Where a `refresh` has not seen this, the next
        handshake finds out once more.
        """
        known = self._known
        self._refused = {**self._refused, certificate: fault}
        self._known = _index(
            [other for other in known.certificates if other is not certificate],
            None if known.default is certificate else known.default,
        )
        self.faults = (fault, *self.faults)

    def _faults(self) -> Iterator[Fault]:
        now = self._now()
        for entry in self._entries.values():
            if entry.fault is not None:
                yield entry.fault
            if (certificate := entry.certificate) is None:
                continue
            if (refused := self._refused.get(certificate)) is not None:
                yield refused
            elif (concern := certificate.concern(now)) is not None:
                yield concern
            if not certificate.names and not entry.pair.is_default:
                message = f"names no host (a DNS name under subjectAltName); only as {DEFAULT} could it be presented"
                yield Fault(certificate.file, message, Severity.WARNING)


def demand_certificate(certificates: Certificates) -> None:
    """Look at the folder, and see to it that TLS can be spoken. Raises `SettingsError`."""
    certificates.refresh()
    if not certificates.all:
        raise SettingsError(_no_certificate(certificates))


def _no_certificate(certificates: Certificates) -> str:
    """Why TLS cannot be spoken, and what to do about it."""
    faults = "".join(f"\n  {fault}" for fault in certificates.faults)
    found = f" can be used:{faults}\n" if faults else " is there; "
    return (
        f"--listen-tls needs a certificate, and none in {certificates.folder}{found}"
        "put it there as certs/README.md says, or let `sunset certs self-signed` make one to try out"
    )


def _index(certificates: Iterable[Certificate], default: Certificate | None) -> _Known:
    every = tuple(certificates)
    named: dict[bytes, tuple[Certificate, ...]] = {}
    for certificate in every:
        for name in certificate.names:
            key = name.removeprefix("*").encode()
            named[key] = (*named.get(key, ()), certificate)
    return _Known(every, named, default)


def _pairs(folder: Path) -> Iterator[_Pair]:
    """What belongs together in a folder. Raises `OSError` where it cannot be read."""
    with os.scandir(folder) as scanned:
        entries = {entry.name: entry for entry in scanned if not entry.name.startswith(".")}
    for name, entry in entries.items():
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - here and below no paths: thousands, every few seconds
        if suffix == ".pem" or (suffix == ".key" and f"{stem}.pem" not in entries):
            yield _pair(f"{folder}/{stem}.pem", f"{folder}/{stem}.key", is_default=stem == DEFAULT)
        elif entry.is_dir():
            for chain, key in IN_FOLDERS:
                pair = _pair(f"{folder}/{name}/{chain}", f"{folder}/{name}/{key}", is_default=name == DEFAULT)
                if any(pair.signatures):
                    yield pair
                    break


def _pair(chain: str, key: str, *, is_default: bool) -> _Pair:
    return _Pair(chain, key, (_signature(chain), _signature(key)), is_default)


def _signature(file: str) -> Signature:
    try:
        status = os.stat(file)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return (error.errno or 0,)
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _unreadable(folder: Path, error: OSError) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault(str(folder), "is not there; make the folder, or name another one with --certs")
    return Fault(str(folder), f"cannot be read: {error.strerror}")
