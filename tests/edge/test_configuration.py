"""Where settings come from, what can be written, and what is said about what cannot."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.configuration.notation import BYTES, SECONDS, Unit
from proxy.edge.configuration.setting import Setting, all_settings
from proxy.edge.configuration.settings import Endpoint, Settings, SettingsError
from proxy.edge.configuration.sources import ConfigurationErrors, Option, configure
from proxy.wire.forwarded import Kind

TOP = Path(__file__).parent.parent.parent
NETWORKS = (ip_network("10.0.0.0/8"), ip_network("::1"))
SETTINGS = {setting.name: setting for setting in all_settings()}

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of settings."""

    def written(text: str) -> Path:
        file = tmp_path / "sunset.toml"
        file.write_text(text, "utf-8")
        return file

    return written


def refused(environment: dict[str, str], file: Path | None = None, **options: Option) -> list[str]:
    """What is said, without the folder of the file."""
    with pytest.raises(ConfigurationErrors) as errors:
        configure(environment, file, options)
    assert str(errors.value) == "\n".join(map(str, errors.value.mistakes))
    return [re.sub(r"^\S*/", "", str(mistake)) for mistake in errors.value.mistakes]


def test_without_a_source_everything_is_as_the_dataclasses_say() -> None:
    configuration = configure({})
    assert configuration.settings == Settings()
    assert set(configuration.sources.values()) == {"default"}


def test_an_option_goes_before_the_environment_that_before_the_file_that_before_the_default(write: Write) -> None:
    file = write('preview_suffix = ".f"\n[timeouts]\nstop = 1\nbody = 1\nkeep_alive = 1\n')
    environment = {"SUNSET_TIMEOUTS_BODY": "2", "SUNSET_PREVIEW_SUFFIX": ".e", "SUNSET_TIMEOUTS_KEEP_ALIVE": ""}
    configuration = configure(environment, file, {"preview_suffix": Option("--preview-suffix", ".o")})
    timeouts = configuration.settings.timeouts
    assert (timeouts.stop, timeouts.body, timeouts.keep_alive, timeouts.connect) == (1, 2, 1, 5)
    assert configuration.settings.preview_suffix == ".o"
    sources = configuration.sources
    assert sources["preview_suffix"] == "--preview-suffix"
    assert sources["timeouts.body"] == "SUNSET_TIMEOUTS_BODY"
    assert (sources["timeouts.stop"], sources["timeouts.keep_alive"]) == (f"{file}:3", f"{file}:5")
    assert sources["timeouts.connect"] == "default"


def test_the_file_of_the_folder_is_read_without_being_named(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert configure({}).settings == Settings()
    write("admin = 'off'")
    assert configure({}).settings.admin is None


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        configure({}, tmp_path / "elsewhere.toml")


WRITTEN: dict[str, tuple[str, str, str, object]] = {
    "number": ("limits.fields", "64", "64", 64),
    "bytes": ("limits.buffer", "8192", "8192", 8192),
    "bytes with a unit": ("limits.buffer", "1MiB", '"1MiB"', 2**20),
    "seconds": ("timeouts.body", "0.5", "0.5", 0.5),
    "seconds as a whole number": ("timeouts.body", "7", "7", 7.0),
    "seconds with a unit": ("timeouts.body", "1.5m", '"1.5m"', 90.0),
    "whole seconds with a unit": ("timeouts.retry_after", "2 h", '"2h"', 7200),
    "one endpoint": ("listen", ":80", '[":80"]', (Endpoint("", 80),)),
    "endpoints": ("listen", "a:1, [::1]:2", '["a:1", "[::1]:2"]', (Endpoint("a", 1), Endpoint("::1", 2))),
    "an endpoint": ("admin", "[::1]:2", '"[::1]:2"', Endpoint("::1", 2)),
    "nothing": ("admin", "off", '"off"', None),
    "a date": ("at", "2024-12-31", "2024-12-31", datetime(2024, 12, 31, tzinfo=UTC)),
    "a time": ("at", "2024-12-31T10:00", "2024-12-31T10:00:00", datetime(2024, 12, 31, 10, tzinfo=UTC)),
    "a time with offset": (
        "at",
        "2024-12-31T10:00+01:00",
        '"2024-12-31T09:00Z"',
        datetime(2024, 12, 31, 9, tzinfo=UTC),
    ),
    "networks": ("trusted_proxies", "10.0.0.0/8 ::1", '["10.0.0.0/8", "::1/128"]', NETWORKS),
    "networks of IPv4 as IPv6": (
        "trusted_proxies",
        "::ffff:10.0.0.0/104 ::ffff:a00:1",
        '["::ffff:0a00:0/104", "::ffff:10.0.0.1"]',
        (ip_network("10.0.0.0/8"), ip_network("10.0.0.1")),
    ),
    "one of several words": ("trusted_fields", "forwarded", '"forwarded"', Kind.FORWARDED),
    "an endpoint with a mark": ("listen", ":80+proxy", '[":80+proxy"]', (Endpoint("", 80, introduced=True),)),
    "text": ("preview_suffix", ".x", '".x"', ".x"),
}


@pytest.mark.parametrize(("name", "text", "toml", "value"), WRITTEN.values(), ids=WRITTEN)
def test_the_same_can_be_written_in_every_place(write: Write, name: str, text: str, toml: str, value: object) -> None:
    setting = SETTINGS[name]
    table = f"[{setting.section}]\n" if setting.section else ""
    for configuration in (
        configure({}, None, {name: Option("--option", text)}),
        configure({setting.variable: text}),
        configure({}, write(f"{table}{setting.field} = {toml}\n")),
    ):
        assert configuration.value(setting) == value
        assert configuration.sources[name] != "default"


@pytest.mark.parametrize("text", ["-1", "inf", "1e300", "nan", ""])
@pytest.mark.parametrize("kind", [int, float])
def test_a_number_without_a_range_is_finite_and_not_negative(kind: type, text: str) -> None:
    setting = Setting("", "number", kind, 1, "", is_secret=False)
    assert setting.read_text("0") == 0
    with pytest.raises(SettingsError):
        setting.read_text(text)


@pytest.mark.parametrize("setting", all_settings(), ids=SETTINGS)
def test_what_is_shown_can_be_written(setting: Setting) -> None:
    if shown := setting.show(setting.default):
        assert setting.read_text(shown) == setting.default
    assert setting.about.endswith("."), "the docstring below the field is its manual"


@pytest.mark.parametrize(
    ("unit", "number", "shown"),
    [
        (SECONDS, 0.25, "0.25s"),
        (SECONDS, 75.0, "75s"),
        (SECONDS, 600, "10m"),
        (SECONDS, 86_400, "1d"),
        (BYTES, 0, "0B"),
        (BYTES, 8190, "8190B"),
        (BYTES, 65_536, "64KiB"),
    ],
)
def test_a_number_is_shown_with_its_unit(unit: Unit, number: float, shown: str) -> None:
    assert unit.show(number) == shown


REFUSED: dict[str, tuple[str, str]] = {
    "a text for a number": ('[limits]\nfields = "64"', '2: limits.fields: "64": a whole number is needed'),
    "a truth value for a number": ("[limits]\nfields = true", '2: limits.fields: "True": a whole number is needed'),
    "a fraction of a thing": ("[limits]\nfields = 64.5", '2: limits.fields: "64.5": a whole number is needed'),
    "a number that is none": ("[timeouts]\nbody = nan", '2: timeouts.body: "nan": the most is 366d'),
    "a number without end": ("[timeouts]\nbody = inf", '2: timeouts.body: "inf": the most is 366d'),
    "a number that no machine counts to": (
        f"[limits]\nfields = {10**30}",
        f'2: limits.fields: "{10**30}": the most is',
    ),
    "an operators' listener with introductions": (
        'admin = ":9900+proxy"',
        '1: admin: ":9900+proxy": only clients are introduced',
    ),
    "an unknown unit": ('[timeouts]\nbody = "1y"', "alone or with s, m, h or d behind it"),
    "a size in seconds": ('[limits]\nbuffer = "8s"', "alone or with B, KiB, MiB or GiB behind it"),
    "no time at all": ("[timeouts]\nbody = 0", '2: timeouts.body: "0": it has to be more than 0s'),
    "less than is sensible": ("[limits]\nbuffer = 1", '2: limits.buffer: "1": the least is 4KiB'),
    "more than is possible": ("[limits]\ntarget = 65536", '2: limits.target: "65536": the most is 8KiB'),
    "a number for a text": ("preview_suffix = 3", '1: preview_suffix: "3": text is needed'),
    "a number for a date": ("at = 2024", '1: at: "2024": text is needed'),
    "a text for a list": ('listen = ":80"', '1: listen: ":80": a list is needed'),
    "an item of a list": ('listen = [":80", "80"]', '1: listen: "80" is no address with a port'),
    "no date": ('at = "soon"', '1: at: "soon" is not a date or time'),
    "a time of day": ("at = 10:00:00", '1: at: "10:00:00" is not a date or time'),
    "another word": ('trusted_fields = "x"', "1: trusted_fields: \"x\": it has to be 'x-forwarded' or 'forwarded'"),
    "an address and more": ('trusted_proxies = ["10.0.0.1/8"]', '1: trusted_proxies: "10.0.0.1/8" is no network'),
    "no network": ('trusted_proxies = ["balancer"]', '1: trusted_proxies: "balancer" is no network; write it as'),
    "an unknown key": ("listne = []", '1: no setting is called "listne"; did you mean "listen"?'),
    "an unknown key of a table": (
        '[limits]\n"buffers" = 1',
        '2: no setting is called "limits.buffers"; did you mean "bu',
    ),
    "an unknown table": ("[timeout]", '1: no section of settings is called "timeout"; did you mean "timeouts"?'),
    "a table that is a key": ("limits = 3", '1: no setting is called "limits"; it is a table'),
    "a key that is a table": ("[listen]", '1: no section of settings is called "listen"'),
    "no TOML": ("listen = ", "sunset.toml: Invalid value (at "),
    "no UTF-8": ("\udcff", "sunset.toml: 'utf-8' codec can't decode"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_a_file_cannot_say_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "sunset.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError) as error:
        configure({}, file)
    assert said in str(error.value)


def test_every_mistake_is_told_at_once(write: Write) -> None:
    file = write('listen = ["80"]\n\n[timeouts]\nbdoy = 3\nstop = "soon"\n')
    environment = {"SUNSET_LIMITS_BUFFER": "x", "SUNSET_TIMEOUTS_BODDY": "1", "SUNSET_ADMIN_TOKN": "x"}
    said = refused(environment, file, admin=Option("--admin", "9900"))
    assert [line.partition(": ")[0] for line in said] == [
        "sunset.toml:1",
        "--admin",
        "SUNSET_LIMITS_BUFFER",
        "sunset.toml:5",
        "SUNSET_ADMIN_TOKN",
        "SUNSET_TIMEOUTS_BODDY",
        "sunset.toml:4",
    ]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SUNSET_TIMEOUTS_KEEPALIVE", "SUNSET_TIMEOUTS_KEEP_ALIVE"),
        ("SUNSET_LISTEN_ON", "SUNSET_LISTEN"),
        ("SUNSET_LIMITS_XYZ", None),
    ],
)
def test_a_variable_that_was_meant_to_be_a_setting_is_told(variable: str, meant: str | None) -> None:
    (said,) = refused({variable: "1"})
    assert said.startswith(f"{variable}: no setting has this variable")
    assert meant is None or said.endswith(f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    "variable",
    ["SUNSET_PORT", "SUNSET_PORT_8080_TCP", "SUNSET_SERVICE_HOST", "SUNSET_ADMIN_SERVICE_PORT_HTTP", "SUNSET_CONFIG"],
)
def test_what_kubernetes_tells_every_container_is_no_mistake(variable: str) -> None:
    configure({variable: "tcp://10.0.0.1:8080", "PATH": "/bin"})


@pytest.mark.parametrize("toml", ["admin_token = 12345678901234567", 'admin_token = ["12345678901234567"]'])
def test_no_secret_is_repeated(write: Write, toml: str) -> None:
    (said,) = refused({}, write(toml))
    assert "1234" not in said
    secret: Any = SETTINGS["admin_token"]
    assert (secret.show("12345678901234567"), secret.show("")) == ("set", "")


def test_the_line_of_a_key_is_found_in_whatever_way_it_is_written(write: Write) -> None:
    file = write("# limits.buffer = 1\nlimits.buffer = 1\n\n [ timeouts ] # of mine\n'body' = 0\n\"stop\"=0\n")
    assert [line.partition(": ")[0] for line in refused({}, file)] == [
        "sunset.toml:2",
        "sunset.toml:5",
        "sunset.toml:6",
    ]


WORDS = '[limits] [timeouts] [at] limits listen at admin target body . = " [ ] { } # , 1 -1 1e999 nan true "off"'
MORE_WORDS = "99999999999999999999 2024-12-31 10:00:00 [[]] {a=1}"


def said_of(environment: dict[str, str], file: Path | None = None) -> str:
    """What is said of a configuration that cannot be used; nothing of another."""
    try:
        configure(environment, file)
    except SettingsError as error:
        return str(error)
    return ""


@given(st.lists(st.sampled_from([*WORDS.split(), *MORE_WORDS.split(), "\n", " "]), max_size=12).map("".join))
def test_whatever_stands_in_a_file_it_is_used_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(text, "utf-8")
    said = said_of({}, file)
    assert not said or said.startswith(str(file))


@given(st.sampled_from(sorted(SETTINGS)), st.text(st.characters(codec="ascii"), max_size=20))
def test_whatever_stands_in_a_variable_it_is_used_or_refused(name: str, text: str) -> None:
    variable = SETTINGS[name].variable
    said = said_of({variable: text})
    assert not said or said.startswith(variable)
