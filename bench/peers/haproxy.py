"""HAProxy: redirects by prefix, `map_str` for exact paths, `map_regm` for regular expressions."""

from __future__ import annotations

from typing import assert_never

from bench.peers.peer import Peer, Place, said_by
from bench.rules import Forward, Mappings, Prefixes, Regexes, Rules
from bench.server import Command

FRAME = """
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout http-keep-alive 75s
frontend redirects
  bind 127.0.0.1:{port}{tls}
{rules}
"""
MAPPED = """
  http-request set-var(txn.new) path,{map}({file})
  http-request redirect code 301 location %[var(txn.new)]?%[query] if {{ var(txn.new) -m found }} {{ query -m found }}
  http-request redirect code 301 location %[var(txn.new)] if {{ var(txn.new) -m found }}
"""
BACKEND = """
  default_backend old
backend old
  http-reuse always
  server old 127.0.0.1:{origin}
"""


class Haproxy(Peer):
    """One process of one thread."""

    name = "HAProxy"
    program = "haproxy"
    package = "haproxy"

    def version(self) -> str:
        """As `haproxy -v` has it."""
        return said_by(self.path() or "", "-v").split()[2].partition("-")[0]

    def command(self, rules: Rules, place: Place) -> Command:
        """In the foreground."""
        certificate, tls = place.certificate, ""
        if certificate:
            both = place.folder / "both.pem"
            both.write_bytes(certificate.chain.read_bytes() + certificate.key.read_bytes())
            tls = f" ssl crt {both}"
        file = place.folder / "haproxy.cfg"
        file.write_text(FRAME.format(port=place.port, tls=tls, rules=written(rules, place)))
        return Command([self.path() or "", "-db", "-f", str(file)])


def written(rules: Rules, place: Place) -> str:
    """The rules, as lines of a frontend."""
    file = place.folder / "mappings.map"
    match rules:
        case Prefixes(targets):
            return "".join(
                f"  http-request redirect code 301 prefix {new} if {{ path_beg {old}/ }}\n" for old, new in targets
            )
        case Mappings():
            rows, kind = rules.rows(), "map_str"
        case Regexes():
            rows, kind = rules.rows(r"\1"), "map_regm"
        case Forward(origin):
            return BACKEND.format(origin=origin)
        case _:
            assert_never(rules)
    with file.open("w") as lines:
        lines.writelines(f"{old} {new}\n" for old, new in rows)
    return MAPPED.format(map=kind, file=file)
