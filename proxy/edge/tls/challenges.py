"""Answers to ACME challenges (RFC 8555 section 8.3), in a folder: whoever asks for certificates writes them there.

That is another process, so that nothing of it can hold up a redirect; all that the two share is this folder. Each
answer is a file, called like its token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 1024
"""An answer is the token, a dot, and a digest."""


class Challenges:
    """The challenges that are open. Tokens have been judged by `token_of`."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "acme" / "challenges"

    def has(self, token: str) -> bool:
        """Whether a token is one of ours."""
        return (self.folder / token).is_file()

    def answer(self, token: str) -> bytes | None:
        """What an authority expects at a token; `None` where it is not one of ours."""
        try:
            with (self.folder / token).open("rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return None

    def put(self, token: str, answer: str) -> None:
        """Answer a token from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f".{token}.new"
        new.write_text(answer, "ascii")
        new.chmod(0o644)  # the server may run as another user, and this is public
        new.replace(self.folder / token)

    def remove(self, token: str) -> None:
        """Answer a token no more."""
        (self.folder / token).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a process that was killed has left."""
        for file in self.folder.glob("*"):
            file.unlink(missing_ok=True)
