"""What the rules and mappings of a site need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.core.target import HOST_CAPTURE, Target
from proxy.rulebook.base import lies_in
from proxy.rulebook.host import WILDCARD
from proxy.rulebook.refusal import Refusal, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from proxy.core.schedule import Schedule
    from proxy.rulebook.calendar import Calendar
    from proxy.rulebook.keys import Keys


@dataclass(frozen=True, slots=True)
class Setting:
    """A site without its rules. `moves_to` is `None` where the site has none, or none that can be read."""

    keys: Keys
    calendar: Calendar
    schedule: Schedule
    hosts: tuple[str, ...]
    base: bytes
    match_case: bool
    match_slash: bool
    moves_to: Target | None

    @property
    def has_no_moves_to(self) -> bool:
        """Whether no `moves_to` is written at all; one that cannot be read is reported where it is written."""
        return self.keys.sure("moves_to") and self.keys.of("moves_to").form.moves_to is None

    def lies_in_base(self, path: bytes) -> bool:
        """Whether a path (normal form) is the site's."""
        return lies_in(path, self.base, match_case=self.match_case)

    def owns_host(self, host: str) -> bool:
        """Whether a host is one of the site's."""
        return any(host == own or (own.startswith(WILDCARD) and host.endswith(own[1:])) for own in self.hosts)

    def outside_base(self, what: str) -> Refusal:
        """Something that does not lie in the base."""
        return Refusal("outside-base", f'{what} does not lie in the base "{self.base.decode()}" of this site')

    def parse_target(self, text: str, captures: Collection[str] = ()) -> Target:
        """A target of this site, whose captures are all among `captures`. Raises `Refusal`."""
        if text.startswith("/") and not text.startswith("//") and self.moves_to is None:
            raise Refusal("moves-to-missing", 'a path is on the host of "moves_to", which this site does not have')
        target = self.keys.frame.parse_target(text, self.moves_to)
        check_captures(target, text, captures, self.hosts)
        return target


def check_captures(target: Target, text: str, captures: Collection[str], hosts: Sequence[str]) -> None:
    """Refuse a target that needs a capture which is not there. Raises `Refusal`."""
    for name in sorted(target.names - frozenset(captures)):
        offset = max(text.find(f"{{{name}}}"), 0)
        if name != HOST_CAPTURE:
            hint = did_you_mean(name, captures)
            raise Refusal("unknown-capture", f'there is no capture "{{{name}}}" here{hint}', offset)
        plain = next((host for host in hosts if not host.startswith(WILDCARD)), None)
        if plain is not None:
            message = f'"{{{HOST_CAPTURE}}}" is what stands for the "*" of a host, and "{plain}" has none'
            raise Refusal("host-capture", message, offset)
