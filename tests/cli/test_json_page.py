"""What `docs/json.md` says of `--json` is what programs get. For `status` and `reload` see `tests/processes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.json_page import documented, told_keys

PAGES = "https://po.co/uk/product/poco-f5/\nhttps://po.co/uk/unheard/of\nhttps://elsewhere.example/\nnothing\n"
COMMANDS = {
    "check": ["check"],
    "explain": ["explain", "https://po.co/uk/cart", "--at", "2025-01-01"],
    "audit": ["audit", "pages.txt", "empty.txt"],
    "settings": ["settings"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_has_the_keys_that_programs_get(sunset: Run, here: Path, command: str) -> None:
    (here / "pages.txt").write_text(PAGES, "utf-8")
    (here / "empty.txt").write_text("", "utf-8")
    told = [json.loads(sunset(*COMMANDS[command], "--json").stdout)]
    if command == "check":  # a site whose end is to come, and a mistake
        (here / "rules" / "late.yaml").write_text(
            "site: late\nhosts: [late.example]\norigin: http://late.example\nmoves_to: https://www.mi.com/late\n"
            "schedule: {notice: 2098-01-01, cutover: 2099-01-01}\nnotice: {message: Soon., link: More}\n",
            "utf-8",
        )
        told.append(json.loads(sunset("check", "--json").stdout))
        (here / "rules" / "wrong.yaml").write_text("site: [", "utf-8")
        told.append(json.loads(sunset("check", "--json").stdout))
    assert told_keys(command, *told) == documented(command)


def test_the_page_has_the_keys_of_certificates(sunset: Run, here: Path) -> None:
    assert sunset("certs", "self-signed", "po.co", "--certs", "certs").returncode == 0
    (here / "certs" / "wrong.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "utf-8")
    told = json.loads(sunset("certs", "--certs", "certs", "--json").stdout)
    assert told_keys("certs", told) == documented("certs")
