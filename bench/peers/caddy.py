"""Caddy: `redir` by prefix, and `reverse_proxy`. It has nothing for a notice, and no table for long lists."""

from __future__ import annotations

from bench.peers.peer import Peer, Place, said_by
from bench.rules import HOST, Forward, Prefixes, Rules
from bench.server import Command

FRAME = """
{{
  admin off
  auto_https off
  storage file_system {folder}/storage
  log default {{
    level ERROR
  }}
}}
{scheme}://{host}:{port} {{
  bind 127.0.0.1
{tls}{rules}}}
"""


class Caddy(Peer):
    """One process; pinned to a core, Go runs on that one alone."""

    name = "Caddy"
    program = "caddy"
    package = "caddy"

    def version(self) -> str:
        """As `caddy version` has it."""
        return said_by(self.path() or "", "version").split()[0].removeprefix("v")

    def command(self, rules: Rules, place: Place) -> Command:
        """In the foreground, with a home of its own."""
        certificate = place.certificate
        file = place.folder / "Caddyfile"
        file.write_text(
            FRAME.format(
                folder=place.folder,
                scheme="https" if certificate else "http",
                host=HOST,
                port=place.port,
                tls=f"  tls {certificate.chain} {certificate.key}\n" if certificate else "",
                rules=written(rules),
            )
        )
        arguments = [self.path() or "", "run", "--config", str(file), "--adapter", "caddyfile"]
        return Command(arguments, {"HOME": str(place.folder), "XDG_CONFIG_HOME": str(place.folder)})


def written(rules: Rules) -> str:
    """The rules, as directives of a site."""
    match rules:
        case Prefixes(targets):
            return "".join(f"  redir {old}/* {new}{{uri}} 301\n" for old, new in targets)
        case Forward(origin):
            return f"  reverse_proxy 127.0.0.1:{origin}\n"
        case _:
            raise ValueError(f"Caddy is not asked for {rules}")
