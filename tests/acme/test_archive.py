"""Certificates as they are written, and what else is kept in files: whole, and for the right eyes alone."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.acme.archive import Archive
from proxy.acme.attempts import FIRST_PAUSE, LONGEST_PAUSE, Attempts
from proxy.acme.authority import Authority
from proxy.acme.hosts import Hosts
from proxy.acme.lock import alone
from proxy.acme.private import write_private
from proxy.edge.tls.certificates import Certificates
from proxy.errors import RulebookErrors, SunsetError
from tests.tls.authority import issue

TOP = Path(__file__).parent.parent.parent
RULEBOOK = "targets: [new.example]\n"
SITE = "site: {name}\nhosts: [{name}.example, www.{name}.example]\nmoves_to: https://new.example\n"


def test_a_certificate_is_swapped_by_one_rename(certs: Path) -> None:
    archive = Archive(certs, "authority")
    certificates = Certificates(certs)
    one, two, three = (issue("po.co") for _ in range(3))
    for number, files in enumerate((one, two, three), 1):
        archive.put("po.co", files.chain, files.key)
        assert certificates.refresh()
        [certificate] = certificates.all
        assert (certificate.chain, certificate.key, certificates.faults) == (files.chain, files.key, ())
        assert archive.file("po.co") == certificate.file
        assert archive.is_ours(certificate.file)
        assert archive.has("po.co")
        assert (certs / "acme-po.co").readlink() == Path(f".acme/authority/po.co/{number:06}")
    assert [path.name for path in sorted((certs / ".acme/authority/po.co").iterdir())] == ["000002", "000003"]
    assert stat.S_IMODE((certs / "acme-po.co/privkey.pem").stat().st_mode) == 0o600


def test_a_certificate_of_another_authority_is_not_this_ones(certs: Path) -> None:
    files = issue("po.co")
    Archive(certs, "staging").put("po.co", files.chain, files.key)
    archive = Archive(certs, "authority")
    assert archive.is_ours(archive.file("po.co"))
    assert not archive.has("po.co")
    archive.put("po.co", files.chain, files.key)
    assert archive.has("po.co")


def test_what_others_have_put_there_is_theirs(certs: Path) -> None:
    issue("po.co").certbot(certs, "po.co")
    archive = Archive(certs, "authority")
    assert not archive.is_ours(f"{certs}/po.co/fullchain.pem")
    assert not archive.has("po.co")


def test_what_a_crash_has_left_behind_is_in_nobodys_way(certs: Path) -> None:
    archive = Archive(certs, "authority")
    (certs / ".acme/authority/po.co/000007").mkdir(parents=True)
    (certs / ".acme-po.co.new").symlink_to("nowhere")
    files = issue("po.co")
    archive.put("po.co", files.chain, files.key)
    assert (certs / "acme-po.co").readlink().name == "000008"


def test_pauses_double_up_to_a_day_and_end_with_a_success(tmp_path: Path) -> None:
    attempts = Attempts.read(tmp_path / "attempts.json")
    pauses = []
    for _ in range(9):
        attempts.begin("po.co", 1000.0)
        pauses.append(attempts.of("po.co").not_before - 1000.0)
        attempts.fail("po.co", "no", 0.0)
        attempts = Attempts.read(tmp_path / "attempts.json")
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert attempts.of("po.co").error == "no"
    attempts.succeed("po.co")
    assert Attempts.read(tmp_path / "attempts.json").of_hosts == {}


def test_a_host_that_has_failed_every_day_for_years_pauses_no_longer_than_a_day(tmp_path: Path) -> None:
    attempts = Attempts.read(tmp_path / "attempts.json")
    attempts.of("po.co").failures = 5000
    attempts.begin("po.co", 1000.0)
    assert attempts.of("po.co").not_before == 1000.0 + LONGEST_PAUSE


def test_an_attempt_in_which_the_process_was_killed_counts(tmp_path: Path) -> None:
    Attempts.read(tmp_path / "attempts.json").begin("po.co", 1000.0)
    assert Attempts.read(tmp_path / "attempts.json").of("po.co").not_before == 1000.0 + FIRST_PAUSE


def test_hosts_that_are_no_more_are_forgotten(tmp_path: Path) -> None:
    attempts = Attempts.read(tmp_path / "attempts.json")
    for host in ("po.co", "old.example"):
        attempts.begin(host, 0.0)
    attempts.forget({"po.co"})
    assert set(Attempts.read(tmp_path / "attempts.json").of_hosts) == {"po.co"}


@pytest.mark.parametrize("contents", [b"", b"{", b"[]", b'{"po.co": 1}', b'{"po.co": {"unknown": 1}}', b"\xff"])
def test_a_file_that_cannot_be_read_is_a_new_beginning(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "attempts.json").write_bytes(contents)
    assert Attempts.read(tmp_path / "attempts.json").of_hosts == {}


def test_a_private_file_is_put_in_place_whole(tmp_path: Path) -> None:
    file = tmp_path / "new/folder/key"
    for contents in (b"one", b"two"):
        write_private(file, contents)
        assert file.read_bytes() == contents
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found.name for found in file.parent.iterdir()] == ["key"]


def test_only_one_process_asks(tmp_path: Path) -> None:
    with alone(tmp_path / "lock"), pytest.raises(SunsetError, match="one is enough"), alone(tmp_path / "lock"):
        pass
    with alone(tmp_path / "lock"):
        pass


def test_an_account_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "account.key").write_text("nonsense")
    with pytest.raises(SunsetError, match=r"account\.key: is no account key"):
        Authority("https://127.0.0.1:1/dir", tmp_path / "account.key")


def test_hosts_are_those_of_the_rule_files_also_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "rulebook.yaml").write_text(RULEBOOK)
    (tmp_path / "a.yaml").write_text(SITE.format(name="a"))
    hosts = Hosts(tmp_path)
    assert hosts.current() == ("a.example", "www.a.example")
    (tmp_path / "b.yaml").write_text(SITE.format(name="b"))
    assert hosts.current() == ("a.example", "www.a.example", "b.example", "www.b.example")
    (tmp_path / "b.yaml").write_text("site: [\n")
    assert len(hosts.current()) == 4
    (tmp_path / "b.yaml").unlink()
    assert len(hosts.current()) == 2


def test_rule_files_that_cannot_be_used_are_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RulebookErrors):
        Hosts(tmp_path)


def test_without_the_extra_it_is_told_what_to_install() -> None:
    program = "import sys; sys.modules['acme'] = None; from proxy.cli.app import app; app(['acme'], prog_name='sunset')"
    ran = subprocess.run([sys.executable, "-c", program], check=False, cwd=TOP, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "sunset-proxy[acme]" in ran.stderr
    assert "Traceback" not in ran.stderr
