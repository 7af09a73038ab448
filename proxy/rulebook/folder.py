"""The rule folder: which files there are, and what may be read of them.

Whatever a rule file names lies in the folder itself: a path that leads out, by `..` or by a symbolic link, is refused,
so that nobody who may edit rules can publish another file of the machine. Every file that is read goes into the
generation, the name of exactly these contents.
"""

from __future__ import annotations

import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.rulebook.refusal import Refusal
from proxy.rulebook.stream import Stream, TooLongError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB: Final = 1024 * 1024
MAX_YAML_BYTES: Final = 16 * MIB
MAX_CSV_BYTES: Final = 512 * MIB
MAX_PAGE_BYTES: Final = MIB

_GENERATION_DIGITS = 12
_SUFFIXES = (".yaml", ".yml")


@dataclass(slots=True)
class Folder:
    """A rule folder while it is read. `path` is as the user gave it, and so are the places of problems."""

    path: Path
    digests: dict[str, bytes] = field(default_factory=dict)
    _root: Path | None = None

    def rule_files(self) -> list[str]:
        """The names of the YAML files in it, in order. Raises `Refusal`."""
        if not self.path.is_dir():
            what = "a file; the rule folder is needed" if self.path.exists() else "not there"
            raise Refusal("folder-missing", f'"{self.path}" is {what}')
        try:
            names = sorted(entry.name for entry in self.path.iterdir() if not entry.is_dir())
        except OSError as error:
            raise Refusal("file-unreadable", f"this folder cannot be read: {error.strerror}") from None
        return [name for name in names if name.endswith(_SUFFIXES) and not name.startswith(".")]

    def name_of(self, name: str) -> str:
        """A file of the folder as problems name it."""
        return str(self.path / name)

    def read(self, name: str, limit: int) -> bytes:
        """The contents of a file that lies directly in the folder. Raises `Refusal`."""
        return self._read(name, self.path / name, limit)

    def read_below(self, name: str, limit: int) -> bytes:
        """The contents of a file that a rule file names. Raises `Refusal`."""
        return self._read(name, self.path_below(name), limit)

    @contextmanager
    def stream_below(self, name: str, limit: int) -> Iterator[Stream]:
        """The lines of a file that a rule file names, to be read while the context lasts. Raises `Refusal`."""
        path = self.path_below(name)
        with _refusing(name, limit):
            _check(name, path, limit)
            with path.open("rb", buffering=0) as file, Stream(file, limit) as stream:
                yield stream
                stream.skip_rest()
                self.digests[name] = stream.digest()

    def path_below(self, name: str) -> Path:
        """Where a file is that a rule file names. Raises `Refusal`."""
        if self._root is None:
            self._root = self.path.resolve()
        try:
            path = (self._root / name).resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise Refusal("file-unreadable", f'"{name}" cannot be read: {error}') from None
        if not path.is_relative_to(self._root) or Path(name).is_absolute():
            raise Refusal("file-outside", f'"{name}" is outside of the rule folder')
        return path

    @property
    def generation(self) -> str:
        """The name of these contents: the beginning of a SHA-256 over the names and contents of every file read."""
        digest = sha256()
        for name, of_content in sorted(self.digests.items()):
            digest.update(of_content + name.encode("utf-8", "surrogateescape") + b"\n")
        return digest.hexdigest()[:_GENERATION_DIGITS]

    def _read(self, name: str, path: Path, limit: int) -> bytes:
        with _refusing(name, limit):
            _check(name, path, limit)
            content = path.read_bytes()
            if len(content) > limit:
                raise TooLongError
        self.digests[name] = sha256(content).digest()
        return content


def _check(name: str, path: Path, limit: int) -> None:
    """Make sure that it is a file, and not too long already. Raises `Refusal`, `OSError`, `TooLongError`."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Refusal("file-unreadable", f'"{name}" is not a file that can be read')
    if status.st_size > limit:
        raise TooLongError


@contextmanager
def _refusing(name: str, limit: int) -> Iterator[None]:
    """What keeps a file from being read, as a refusal."""
    try:
        yield
    except TooLongError:
        raise Refusal("file-too-large", f'"{name}" is larger than {limit // MIB} MiB') from None
    except FileNotFoundError:
        raise Refusal("file-missing", f'"{name}" is not there') from None
    except OSError as error:
        raise Refusal("file-unreadable", f'"{name}" cannot be read: {error.strerror}') from None


def decode(content: bytes) -> str:
    """The text of a UTF-8 file, without a byte order mark. Raises `Refusal`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(error, content.count(b"\n", 0, error.start) + 1) from None


def not_utf8(error: UnicodeDecodeError, line: int) -> Refusal:
    """A text that is none."""
    return Refusal("not-utf8", f"this is not UTF-8: the byte 0x{error.object[error.start]:02x} in line {line}")


def check_end(content: bytes) -> None:
    """Refuse a text whose last line has no end: it may have been cut off. Raises `Refusal`."""
    if content and not content.endswith(b"\n"):
        message = "the last line has no end, as if the file had been cut short; if it is whole, add a line end"
        raise Refusal("cut-off", message)
