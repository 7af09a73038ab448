"""The keys of one site: what its own file says, and behind that the defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.rulebook.form import UNTOUCHED

if TYPE_CHECKING:
    from proxy.rulebook.filled import Filled
    from proxy.rulebook.form import DefaultsForm, SiteForm
    from proxy.rulebook.frame import Frame


@dataclass(frozen=True, slots=True)
class Keys:
    """A site's own form, and the frame that it stands in."""

    own: Filled[SiteForm]
    frame: Frame

    def of(self, key: str) -> Filled[SiteForm] | Filled[DefaultsForm]:
        """The form that has the say on a key; the site's own where none does."""
        defaults = self.frame.defaults
        if self.own.has(key) or defaults is None or not defaults.has(key):
            return self.own
        if self.own.form.pass_through and key not in UNTOUCHED:
            return self.own
        return defaults

    def sure(self, key: str) -> bool:
        """Whether the key says what it was meant to say: nothing was wrong in it, here or in the defaults."""
        return key not in self.own.broken_keys and key not in self.frame.unsure
