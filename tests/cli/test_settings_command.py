"""`sunset settings`, and settings as `sunset serve` takes them."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.cli.settings_page import page

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[Any]]

TOP = Path(__file__).parent.parent.parent


def test_the_page_is_what_the_settings_say_of_themselves() -> None:
    assert (TOP / "docs" / "settings.md").read_text("utf-8") == page(), (
        "write it anew: sunset settings --markdown > docs/settings.md"
    )


def test_the_example_of_the_page_can_be_used(sunset: Run, here: Path) -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page(), re.MULTILINE | re.DOTALL)
    (here / "sunset.toml").write_text(example, "utf-8")
    shown = {setting["name"]: setting for setting in json.loads(sunset("settings", "--json").stdout)}
    assert shown["timeouts.keep_alive"]["value"] == "30s"
    assert re.fullmatch(r"sunset\.toml:\d+", shown["timeouts.keep_alive"]["source"])


def test_a_setting_is_shown_with_its_source_and_a_secret_is_not(sunset: Run, here: Path) -> None:
    (here / "mine.toml").write_text("[limits]\nfields = 64\n", "utf-8")
    ran = sunset(
        "settings", SUNSET_CONFIG="mine.toml", SUNSET_ADMIN_TOKEN="x" * 32, SUNSET_TIMEOUTS_STOP="600", NO_COLOR="1"
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line.split() for line in ran.stdout.splitlines()]
    for line in (
        ["limits.fields", "64", "mine.toml:2"],
        ["admin_token", "set", "SUNSET_ADMIN_TOKEN"],
        ["timeouts.stop", "10m", "SUNSET_TIMEOUTS_STOP"],
        ["timeouts.body", "1m", "default"],
    ):
        assert line in lines
    assert "xxxx" not in ran.stdout


def test_a_server_takes_options_then_variables_then_the_file(start: Start, here: Path) -> None:
    (here / "sunset.toml").write_text(
        'listen = ["127.0.0.1:1"]\nadmin = "127.0.0.1:1"\npreview_suffix = ".f"\n[timeouts]\nstop = "7s"\n', "utf-8"
    )
    process = start("serve", "--listen", "127.0.0.1:0", variables={"SUNSET_ADMIN": "127.0.0.1:0"})
    assert process.stderr is not None
    said = ""
    while "metrics on" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    assert "answers under way have 7 s" in process.stderr.read()


def test_a_server_does_not_start_with_a_mistake_and_tells_all_of_them(sunset: Run, here: Path) -> None:
    (here / "sunset.toml").write_text("[timeouts]\nstopp = 1\nbody = 0\n", "utf-8")
    ran = sunset("serve", SUNSET_LISTEN="80")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert all(text in ran.stderr for text in ("SUNSET_LISTEN: ", "sunset.toml:2: ", "sunset.toml:3: ", '"stop"?'))


@pytest.mark.parametrize(
    "arguments",
    [("--config", "nowhere.toml"), ("--config", "."), ("--listen", "80"), ("--preview-suffix", "localhost")],
)
def test_wrong_use_is_told_as_such(sunset: Run, arguments: tuple[str, ...]) -> None:
    ran = sunset("serve", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert arguments[0] in ran.stderr


def test_two_forms_at_once_are_wrong_use(sunset: Run) -> None:
    ran = sunset("settings", "--json", "--markdown")
    assert (ran.returncode, ran.stdout) == (2, "")
