"""Certificates for trying out."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.edge.tls.certificate import Unusable
from proxy.edge.tls.certificates import Certificates
from proxy.edge.tls.self_signed import lacking, write
from tests.tls.authority import issue, signed_by_itself

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def names_in(folder: Path) -> set[str]:
    certificates = Certificates(folder, now=NOW.timestamp)
    certificates.refresh()
    assert certificates.faults == ()
    certificates.make_ready()
    assert certificates.faults == ()
    return {name for certificate in certificates.all for name in certificate.names}


def test_the_key_is_for_its_owner_alone_and_nothing_else_is_left(certs: Path) -> None:
    assert write(certs, ["po.co", "*.po.co"], now=NOW, days=9) == [certs / "self-signed.pem"]
    assert stat.S_IMODE((certs / "self-signed.key").stat().st_mode) == 0o600
    assert sorted(file.name for file in certs.iterdir()) == ["self-signed.key", "self-signed.pem"]
    assert names_in(certs) == {"po.co", "*.po.co"}


def test_the_folder_is_made(tmp_path: Path) -> None:
    write(tmp_path / "new/certs", ["po.co"], now=NOW, days=9)
    assert names_in(tmp_path / "new/certs") == {"po.co"}


def test_many_names_take_more_than_one_and_fewer_take_their_place(certs: Path) -> None:
    names = [f"n{number}.example" for number in range(250)]
    assert [file.name for file in write(certs, names, now=NOW, days=9)] == [
        "self-signed.pem",
        "self-signed-2.pem",
        "self-signed-3.pem",
    ]
    assert names_in(certs) == set(names)
    write(certs, ["po.co"], now=NOW, days=9)
    assert names_in(certs) == {"po.co"}


def test_names_of_other_certificates_are_left_to_them(certs: Path) -> None:
    issue("po.co", "*.po.co").certbot(certs, "po.co")
    write(certs, ["po.co.id"], now=NOW, days=9)
    hosts = ["po.co", "www.po.co", "*.po.co", "a.b.po.co", "po.co.id"]
    assert lacking(certs, hosts) == ["a.b.po.co", "po.co.id"]


def test_a_self_signed_one_of_somebody_else_keeps_its_files_too(certs: Path) -> None:
    by_themselves = signed_by_itself("po.co")
    by_themselves.plain(certs, "self-signed-of-ops")
    before = {file.name: file.read_bytes() for file in certs.iterdir()}
    assert lacking(certs, ["po.co", "po.co.id"]) == ["po.co.id"]
    write(certs, ["po.co.id"], now=NOW, days=9)
    assert before.items() <= {file.name: file.read_bytes() for file in certs.iterdir()}.items()
    by_themselves.plain(certs, "self-signed")
    with pytest.raises(Unusable, match="give it another name"):
        lacking(certs, ["po.co"])


def test_a_certificate_of_somebody_else_keeps_its_files(certs: Path) -> None:
    issue("po.co").plain(certs, "self-signed")
    with pytest.raises(Unusable, match="give it another name"):
        lacking(certs, ["po.co"])
