"""What the image promises, read from the Dockerfile itself: no engine is needed to see that a promise is broken."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, continued lines joined: `COPY`, `rules /etc/sunset/rules`."""

    name: str
    rest: str

    def words(self) -> list[str]:
        """The words of an exec form, which is JSON."""
        found: Any = json.loads(self.rest)
        assert all(isinstance(word, str) for word in found)
        return list(found)


def read_dockerfile(text: str) -> list[Instruction]:
    """Instructions in order; comments go, also between continued lines."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    split = (line.strip().partition(" ") for line in joined.splitlines())
    return [Instruction(name.upper(), " ".join(rest.split())) for name, _, rest in split]


def stages(instructions: list[Instruction]) -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for one in instructions:
        if one.name == "FROM":
            found.append([])
        found[-1].append(one)
    return found


STAGES = stages(read_dockerfile((TOP / "Dockerfile").read_text("utf-8")))


def only(name: str) -> Instruction:
    """The instruction of this name in the image that is shipped, which is the last stage."""
    [found] = [one for one in STAGES[-1] if one.name == name]
    return found


def health_command() -> list[str]:
    options, _, command = only("HEALTHCHECK").rest.partition(" CMD ")
    assert all(option.startswith("--") for option in options.split())
    return Instruction("CMD", command).words()


def test_a_comment_between_continued_lines_is_none_of_the_instruction() -> None:
    assert read_dockerfile("# a\nRUN a \\\n# b\n    && c\nUSER 1\n") == [
        Instruction("RUN", "a && c"),
        Instruction("USER", "1"),
    ]


def test_what_builds_is_not_what_ships() -> None:
    assert len(STAGES) > 1
    assert any(one.name == "COPY" and one.rest.startswith("--from=build ") for one in STAGES[-1])
    assert not any(one.name == "RUN" for one in STAGES[-1])


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage[0].rest)
def test_a_base_is_slim_and_names_its_version(stage: list[Instruction]) -> None:
    assert re.match(r"python:3\.\d+-slim-\w+( AS \w+)?$", stage[0].rest)


def test_nobody_runs_it_and_by_number() -> None:
    user, group = only("USER").rest.split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_user_owns_no_file() -> None:
    assert not any("--chown" in one.rest for one in STAGES[-1])


def test_nothing_is_written_while_it_runs() -> None:
    assert "PYTHONDONTWRITEBYTECODE=1" in only("ENV").rest.split()
    assert not any(one.name == "VOLUME" for one in STAGES[-1])


def test_rules_and_certificates_have_their_place() -> None:
    copied = [one.rest.split() for one in STAGES[-1] if one.name == "COPY"]
    assert ["rules", "/etc/sunset/rules"] in copied
    assert ["certs/README.md", "/etc/sunset/certs/README.md"] in copied


def test_no_key_can_get_into_the_image() -> None:
    lines = (TOP / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line for line in lines if line and not line.startswith("#")}
    assert "*" in kept
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == {
        source
        for stage in STAGES
        for one in stage
        if one.name == "COPY" and "--from" not in one.rest
        for source in one.rest.split()[:-1]
    }


def test_sunset_itself_says_whether_it_is_well() -> None:
    assert health_command()[:2] == ["sunset", "health"]


def test_the_ports_that_are_shown_are_those_it_listens_on() -> None:
    command = only("CMD").words()
    addresses = [word.rpartition(":") for word in command if re.fullmatch(r"[\d.]+:\d+", word)]
    assert [port for host, _, port in addresses if host == "0.0.0.0"] == only("EXPOSE").rest.split()  # noqa: S104 - in a container
    assert all(int(port) >= 1024 for _, _, port in addresses), "nobody may not bind below 1024"
    assert health_command()[-1].rpartition(":")[2] in {port for _, _, port in addresses}


@pytest.mark.parametrize("words", [only("CMD").words(), health_command()[1:]], ids=["serve", "health"])
def test_its_commands_are_those_of_the_command_line(words: list[str]) -> None:
    assert only("ENTRYPOINT").words() == ["sunset"]
    command, *arguments = words
    shown = subprocess.run(
        [sys.executable, "-m", "proxy", command, "--help"],
        cwd=TOP,
        env={"COLUMNS": "200", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    known = set(re.findall(r"--[a-z][a-z-]*", shown.stdout))
    assert {word for word in arguments if word.startswith("--")} <= known
