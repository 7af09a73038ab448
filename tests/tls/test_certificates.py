"""The certificates of a folder: found, chosen, and kept up to date while their files change (threats T17 and T18)."""

import resource
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proxy.edge.tls.certificate import Presenting
from proxy.edge.tls.certificates import Certificates
from proxy.edge.tls.self_signed import make
from proxy.errors import Severity
from tests.tls.authority import Files, issue, weak

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ONE, TWO = issue("po.co"), issue("po.co")


def read(folder: Path, now: datetime = NOW) -> Certificates:
    certificates = Certificates(folder, now=now.timestamp)
    certificates.refresh()
    return certificates


def file_for(certificates: Certificates, host: bytes) -> str | None:
    """Where the certificate of a host was read, below the folder."""
    chosen = certificates.of(host)
    return None if chosen is None else str(Path(chosen.file).relative_to(certificates.folder))


def told(certificates: Certificates) -> list[str]:
    return [str(fault).removeprefix(f"{certificates.folder}/") for fault in certificates.faults]


def of_days(*names: str, begins: timedelta, days: int) -> Files:
    """A certificate that is valid from some time before or after now on."""
    return Files(*make(names, now=NOW + begins, days=days))


def test_three_layouts_are_known_and_the_rest_is_left_alone(certs: Path) -> None:
    issue("a.example").certbot(certs, "one")
    issue("b.example").kubernetes(certs, "two")
    issue("c.example").plain(certs, "three")
    (certs / "README.md").write_text("not a certificate")
    (certs / "empty").mkdir()
    (certs / "..data").mkdir()
    issue("d.example").plain(certs, ".hidden")
    certificates = read(certs)
    assert [file_for(certificates, b"%c.example" % letter) for letter in b"abcd"] == [
        "one/fullchain.pem",
        "two/tls.crt",
        "three.pem",
        None,
    ]
    assert certificates.faults == ()


def test_a_name_goes_before_a_wildcard(certs: Path) -> None:
    issue("*.po.co").plain(certs, "all")
    issue("www.po.co").plain(certs, "one")
    certificates = read(certs)
    assert file_for(certificates, b"www.po.co") == "one.pem"
    assert file_for(certificates, b"shop.po.co") == "all.pem"
    assert file_for(certificates, b"po.co") is None
    assert file_for(certificates, b"") is None


def test_of_several_for_a_name_a_valid_one_and_the_longest_is_chosen(certs: Path) -> None:
    of_days("po.co", begins=-10 * DAY, days=40).plain(certs, "a-shorter")
    of_days("po.co", begins=-20 * DAY, days=60).plain(certs, "b-longer")
    of_days("po.co", begins=5 * DAY, days=90).plain(certs, "c-to-come")
    of_days("po.co", begins=-90 * DAY, days=80).plain(certs, "d-expired")
    certificates = read(certs)
    assert file_for(certificates, b"po.co") == "b-longer.pem"
    assert file_for(read(certs, NOW + 6 * DAY), b"po.co") == "c-to-come.pem"
    assert file_for(read(certs, NOW + 200 * DAY), b"po.co") == "c-to-come.pem"


def test_one_that_is_not_self_signed_goes_before_one_that_is(certs: Path) -> None:
    of_days("po.co", begins=-1 * DAY, days=999).plain(certs, "a-self-signed")
    issue("po.co", begins=NOW - DAY, ends=NOW + 9 * DAY).plain(certs, "b-issued")
    assert file_for(read(certs), b"po.co") == "b-issued.pem"
    assert file_for(read(certs, NOW + 10 * DAY), b"po.co") == "a-self-signed.pem"


def test_an_expired_or_self_signed_name_stands_back_behind_a_good_wildcard(certs: Path) -> None:
    """As where a wildcard is bought later: a certificate that came by ACME is then renewed no more."""
    of_days("www.po.co", begins=-90 * DAY, days=80).plain(certs, "a-expired")
    of_days("shop.po.co", begins=-1 * DAY, days=80).plain(certs, "b-self-signed")
    issue("blog.po.co", begins=NOW - DAY, ends=NOW + 9 * DAY).plain(certs, "c-shorter")
    issue("*.po.co", begins=NOW - DAY, ends=NOW + 90 * DAY).plain(certs, "wildcard")
    certificates = read(certs)
    assert file_for(certificates, b"www.po.co") == "wildcard.pem"
    assert file_for(certificates, b"shop.po.co") == "wildcard.pem"
    assert file_for(certificates, b"blog.po.co") == "c-shorter.pem"
    assert file_for(read(certs, NOW + 10 * DAY), b"blog.po.co") == "wildcard.pem"
    assert file_for(read(certs, NOW + 100 * DAY), b"www.po.co") == "wildcard.pem"
    assert certificates.expiries()["www.po.co"] == (NOW + 90 * DAY).timestamp()


def test_an_expired_certificate_is_better_than_none_and_is_told(certs: Path) -> None:
    of_days("po.co", begins=-90 * DAY, days=80).plain(certs, "old")
    certificates = read(certs)
    assert file_for(certificates, b"po.co") == "old.pem"
    assert told(certificates) == ["old.pem: expired on 2026-05-22; renew it"]
    assert certificates.faults[0].severity is Severity.WARNING


@pytest.mark.parametrize("put", [Files.certbot, Files.plain, Files.kubernetes])
def test_the_default_is_called_so(certs: Path, put: Callable[[Files, Path, str], None]) -> None:
    issue("po.co").plain(certs, "po.co")
    assert read(certs).default is None
    put(issue("fallback.example"), certs, "default")
    default = read(certs).default
    assert default is not None
    assert default.names == ("fallback.example",)


def test_a_certificate_that_names_no_host_is_good_as_the_default_alone(certs: Path) -> None:
    issue("10.0.0.1").plain(certs, "address")
    issue("10.0.0.1").plain(certs, "default")
    certificates = read(certs)
    assert certificates.default is not None
    assert len(certificates.faults) == 1
    assert told(certificates)[0].startswith("address.pem: names no host")


def test_every_problem_is_told_at_once_and_the_rest_is_used(certs: Path) -> None:
    issue("good.example").plain(certs, "good")
    issue("a.example").plain(certs, "no-key")
    (certs / "no-key.key").unlink()
    issue("b.example").certbot(certs, "no-chain")
    (certs / "no-chain/fullchain.pem").unlink()
    Files(ONE.chain, TWO.key).plain(certs, "mixed")
    issue("c.example").plain(certs, "alone")
    (certs / "alone.pem").unlink()
    certificates = read(certs)
    assert [certificate.names for certificate in certificates.all] == [("good.example",)]
    assert [line.partition(";")[0] for line in told(certificates)] == [
        "alone.pem: is missing",
        "mixed.key: is not the key of mixed.pem",
        "no-chain/fullchain.pem: is missing",
        "no-key.key: is missing",
    ]


def test_a_folder_that_is_not_there_is_told_and_comes_later(tmp_path: Path) -> None:
    certificates = read(tmp_path / "certs")
    assert [str(fault) for fault in certificates.faults] == [
        f"{tmp_path}/certs: is not there; make the folder, or name another one with --certs"
    ]
    (tmp_path / "certs").mkdir()
    ONE.plain(tmp_path / "certs", "po.co")
    assert certificates.refresh()
    assert (file_for(certificates, b"po.co"), certificates.faults) == ("po.co.pem", ())


def test_a_folder_that_goes_away_leaves_everything_in_place(certs: Path) -> None:
    ONE.plain(certs, "po.co")
    certificates = read(certs)
    shutil.rmtree(certs)
    for _ in range(3):
        assert not certificates.refresh()
        assert len(certificates.faults) == 1
    assert file_for(certificates, b"po.co") == "po.co.pem"


def test_new_files_are_taken(certs: Path) -> None:
    ONE.certbot(certs, "po.co")
    certificates = read(certs)
    before = certificates.of(b"po.co")
    assert not certificates.refresh()
    assert certificates.of(b"po.co") is before
    TWO.certbot(certs, "po.co")
    assert certificates.refresh()
    after = certificates.of(b"po.co")
    assert after is not None
    assert after.chain == TWO.chain


def test_links_are_followed_as_certbot_and_kubernetes_swap_them(certs: Path, tmp_path: Path) -> None:
    for version, files in ((1, ONE), (2, TWO)):
        (tmp_path / f"v{version}").mkdir()
        files.kubernetes(tmp_path, f"v{version}")
    (certs / "po.co").symlink_to(tmp_path / "v1")
    certificates = read(certs)
    (certs / ".next").symlink_to(tmp_path / "v2")
    (certs / ".next").replace(certs / "po.co")
    assert certificates.refresh()
    chosen = certificates.of(b"po.co")
    assert chosen is not None
    assert chosen.chain == TWO.chain


@pytest.mark.parametrize(
    "new", [Files(TWO.chain, ONE.key), Files(TWO.chain[:-200], TWO.key), Files(b"", TWO.key), Files(TWO.chain, b"")]
)
def test_new_files_that_are_wrong_leave_the_last_good_one_in_place(certs: Path, new: Files) -> None:
    ONE.certbot(certs, "po.co")
    certificates = read(certs)
    before = certificates.of(b"po.co")
    new.certbot(certs, "po.co")
    assert certificates.refresh()
    assert certificates.of(b"po.co") is before
    assert len(certificates.faults) == 1
    assert told(certificates)[0].endswith("; what was read before stays in use")
    assert not certificates.refresh()
    TWO.certbot(certs, "po.co")
    assert certificates.refresh()
    assert certificates.of(b"po.co") is not before
    assert told(certificates) == []


def test_files_that_are_gone_are_missed_at_the_second_look(certs: Path) -> None:
    ONE.plain(certs, "po.co")
    issue("other.example").plain(certs, "other")
    certificates = read(certs)
    for file in certs.glob("po.co.*"):
        file.unlink()
    assert not certificates.refresh()
    assert file_for(certificates, b"po.co") == "po.co.pem"
    assert certificates.refresh()
    assert file_for(certificates, b"po.co") is None
    TWO.plain(certs, "po.co")
    assert certificates.refresh()
    assert file_for(certificates, b"po.co") == "po.co.pem"


def test_what_openssl_refuses_is_told_at_the_start_where_there_are_few(certs: Path) -> None:
    weak("po.co").plain(certs, "weak")
    certificates = read(certs)
    assert certificates.all == ()
    assert told(certificates) == ["weak.pem: is refused by OpenSSL: CA_KEY_TOO_SMALL; have it issued anew"]


def test_and_is_withdrawn_when_it_is_asked_for_where_there_are_many(certs: Path) -> None:
    weak("po.co").plain(certs, "weak")
    of_days("po.co", begins=-1 * DAY, days=10).plain(certs, "worse")
    certificates = Certificates(certs, now=NOW.timestamp, ready_at_start=0)
    certificates.refresh()
    assert file_for(certificates, b"po.co") == "weak.pem"
    context = certificates.context_for("po.co")
    assert isinstance(context, Presenting)
    assert file_for(certificates, b"po.co") == "worse.pem" == Path(context.certificate.file).name
    expected = ["weak.pem: is refused by OpenSSL: CA_KEY_TOO_SMALL; have it issued anew", *told(certificates)[1:]]
    assert told(certificates) == expected
    assert not certificates.refresh()
    assert told(certificates) == expected
    weak("po.co").plain(certs, "weak")
    certificates.refresh()
    assert file_for(certificates, b"po.co") == "worse.pem"


def test_out_of_descriptors_a_handshake_fails_and_no_certificate_is_given_up(certs: Path) -> None:
    ONE.plain(certs, "po.co")
    certificates = Certificates(certs, now=NOW.timestamp, ready_at_start=0)
    certificates.refresh()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        context = certificates.context_for("po.co")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert context is None
    assert certificates.context_for("po.co") is not None


@pytest.mark.parametrize(
    ("host", "presented", "misdirected"),
    [
        (b"a.example", "a", False),
        (b"b.example", "a", True),
        (b"none.example", "a", True),
        (b"none.example", "default", False),
        (b"a.example", "default", True),
    ],
)
def test_a_host_is_misdirected_where_another_certificate_would_be_presented(
    certs: Path, host: bytes, presented: str, misdirected: bool
) -> None:
    issue("a.example").plain(certs, "a")
    issue("b.example").plain(certs, "b")
    issue("fallback.example").plain(certs, "default")
    certificates = read(certs)
    shown = next(certificate for certificate in certificates.all if Path(certificate.file).stem == presented)
    assert certificates.is_misdirected(host, shown) is misdirected


def test_a_connection_from_before_a_swap_is_not_misdirected(certs: Path) -> None:
    ONE.plain(certs, "po.co")
    ONE.plain(certs, "default")
    certificates = read(certs)
    shown, default = certificates.of(b"po.co"), certificates.default
    assert shown is not None
    assert default is not None
    TWO.plain(certs, "po.co")
    TWO.plain(certs, "default")
    certificates.refresh()
    assert not certificates.is_misdirected(b"po.co", shown)
    assert not certificates.is_misdirected(b"unknown.example", default)


def test_hosts_without_certificate_are_found(certs: Path) -> None:
    issue("po.co", "*.po.co.id").plain(certs, "a")
    hosts = ["po.co", "www.po.co", "*.po.co", "*.po.co.id", "shop.po.co.id", "po.co.id"]
    assert read(certs).lacking(hosts) == ["www.po.co", "*.po.co", "po.co.id"]


def test_expiries_are_those_of_the_certificates_that_are_presented(certs: Path) -> None:
    of_days("po.co", "*.po.co", begins=-1 * DAY, days=30).plain(certs, "a")
    of_days("po.co", begins=-1 * DAY, days=60).plain(certs, "b")
    assert read(certs).expiries() == {
        "po.co": (NOW + 59 * DAY).timestamp(),
        "*.po.co": (NOW + 29 * DAY).timestamp(),
    }


def test_thousands_are_read_quickly_and_looked_at_cheaply(
    certs: Path, record_property: Callable[[str, object], None]
) -> None:
    count = 3000
    issue("po.co").plain(certs, "n0")
    for number in range(1, count):
        for suffix in ("pem", "key"):
            (certs / f"n{number}.{suffix}").hardlink_to(certs / f"n0.{suffix}")
    began = time.process_time()
    certificates = read(certs)
    read_in = time.process_time() - began
    assert len(certificates.all) == count
    began = time.process_time()
    assert not certificates.refresh()
    looked_in = time.process_time() - began
    figure = f"T18  CPU seconds to read {count:,} certificates, and to look at them again"
    record_property("figure", f"{figure}: {read_in:.2f}, {looked_in:.3f}")
    assert read_in < 10
    assert looked_in < 1
