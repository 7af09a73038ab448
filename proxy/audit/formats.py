"""The formats in which a report is written."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import BinaryIO, assert_never

from rich.console import Console

from proxy.audit.format_csv import write_csv
from proxy.audit.format_json import write_json
from proxy.audit.format_markdown import write_markdown
from proxy.audit.format_terminal import show
from proxy.audit.report import Report

_FILE_WIDTH = 120


class Format(StrEnum):
    """The names that `--format` takes."""

    TERMINAL = "terminal"
    CSV = "csv"
    JSON = "json"
    MARKDOWN = "markdown"


def write_report(report: Report, form: Format, stream: BinaryIO) -> None:
    """Writes the report in UTF-8; the stream stays open. For a real terminal use `show`, which knows its width."""
    match form:
        case Format.TERMINAL:
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace")
            try:
                show(report, Console(file=text, width=_FILE_WIDTH, no_color=True, force_terminal=False))
            finally:
                text.detach()
        case Format.CSV:
            write_csv(report, stream)
        case Format.JSON:
            write_json(report, stream)
        case Format.MARKDOWN:
            write_markdown(report, stream)
        case _:
            assert_never(form)
