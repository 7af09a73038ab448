"""Sockets that systemd hands over (sd_listen_fds(3)): it has bound them, and holds them while Sunset is restarted.

Their names say what is spoken on them: http, https or admin (`FileDescriptorName=`), the first two perhaps with
`+proxy`. The variables that tell of them are taken out of the environment: the sockets are for this process, and for
those that it gives them to.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Final

from proxy.edge.configuration.settings import SettingsError
from proxy.edge.sockets import Listening, Sockets

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FIRST: Final = 3
INTRODUCED: Final = "+proxy"
"""Behind a name: its clients come with a header of the PROXY protocol."""


def handed_over(environment: MutableMapping[str, str]) -> Sockets:
    """What was handed to this process: nothing, mostly. Raises `SettingsError` for sockets that are of no use."""
    for_whom, number, names = (environment.pop(f"LISTEN_{what}", "") for what in ("PID", "FDS", "FDNAMES"))
    if for_whom != str(os.getpid()) or not number.isdigit():
        return Sockets()
    public: dict[str, list[Listening]] = {"http": [], "https": []}
    admin: list[socket.socket] = []
    named = names.split(":")
    for index in range(int(number)):
        name = named[index] if index < len(named) else ""
        scheme = name.removesuffix(INTRODUCED)
        if name == "admin":
            admin.append(_listening(FIRST + index, name))
        elif scheme in public:
            public[scheme].append(Listening(_listening(FIRST + index, name), introduced=scheme != name))
        else:
            raise SettingsError(
                f'a socket was handed over by the name of "{name}": let FileDescriptorName= say http, https or admin'
            )
    if len(admin) > 1:
        raise SettingsError("more than one socket was handed over for admin")
    return Sockets(tuple(public["http"]), tuple(public["https"]), admin[0] if admin else None)


def _listening(descriptor: int, name: str) -> socket.socket:
    """The socket that is there. Raises `SettingsError`."""
    try:
        sock = socket.socket(fileno=descriptor)
        listens = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError as error:
        raise SettingsError(f"what was handed over for {name} is no socket: {error.strerror}") from error
    if sock.family not in {socket.AF_INET, socket.AF_INET6} or sock.type != socket.SOCK_STREAM or not listens:
        raise SettingsError(f"what was handed over for {name} is no socket that listens for TCP connections")
    sock.setblocking(False)
    sock.set_inheritable(False)
    return sock
