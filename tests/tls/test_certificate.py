"""One certificate: what is taken, what is refused and how that is told (threat T18)."""

import base64
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.tls.certificate import Certificate, Unusable, read
from proxy.edge.tls.self_signed import make
from tests.tls.authority import ROOT, Files, issue

GOOD = issue("po.co", "*.po.co", "10.0.0.1")
OTHER = issue("po.co")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def written(folder: Path, chain: bytes, key: bytes) -> tuple[Path, Path]:
    files = folder / "a.pem", folder / "a.key"
    files[0].write_bytes(chain)
    files[1].write_bytes(key)
    return files


def certificate(folder: Path, files: Files) -> Certificate:
    return read(*written(folder, files.chain, files.key))


def test_names_are_the_dns_names_inside_and_addresses_are_none(tmp_path: Path) -> None:
    assert certificate(tmp_path, GOOD).names == ("po.co", "*.po.co")


def test_names_are_compared_in_lower_case(tmp_path: Path) -> None:
    chain, key = make(["WWW.Po.Co"], now=NOW, days=1)
    assert read(*written(tmp_path, chain, key)).covers(b"www.po.co")


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        (b"po.co", True),
        (b"www.po.co", True),
        (b"a.b.po.co", False),
        (b".po.co", False),
        (b"co", False),
        (b"", False),
        (b"poxco", False),
        (b"10.0.0.1", False),
    ],
)
def test_a_wildcard_stands_for_one_label(tmp_path: Path, host: bytes, covered: bool) -> None:
    assert certificate(tmp_path, GOOD).covers(host) is covered


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, passphrase: bytes = b""
) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def locked() -> bytes:
    key = load_pem_private_key(GOOD.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return pem(key, b"secret")


def blocks(chain: bytes) -> list[bytes]:
    return [block + b"-----END CERTIFICATE-----\n" for block in chain.split(b"-----END CERTIFICATE-----\n")[:-1]]


def signed_by_itself(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + DAY)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()).public_bytes(
        Encoding.PEM
    )


LEAF, INTERMEDIATE = blocks(GOOD.chain)
DER = x509.load_pem_x509_certificate(LEAF).public_bytes(Encoding.DER)
ROOT_PEM = ROOT.cert_pem.bytes()

REFUSED = {
    "no certificate": (b"hello", GOOD.key, "a.pem: holds no certificate"),
    "an empty file": (b"", GOOD.key, "a.pem: holds no certificate"),
    "a key in place of it": (GOOD.key, GOOD.key, "a.pem: holds no certificate"),
    "one of bytes that are none": (LEAF.replace(b"MII", b"AAA", 1), GOOD.key, "a.pem: holds no certificate"),
    "half of the chain": (GOOD.chain[: len(LEAF) + 300], GOOD.key, "a.pem: breaks off"),
    "the chain in another order": (LEAF + ROOT_PEM, GOOD.key, "a.pem: is out of order"),
    "the issuer first": (INTERMEDIATE + ROOT_PEM + LEAF, GOOD.key, "a.pem: is out of order"),
    "a chain without its leaf": (INTERMEDIATE, GOOD.key, "a.key: is not the key of a.pem"),
    "another certificate's key": (GOOD.chain, OTHER.key, "a.key: is not the key of a.pem"),
    "no key": (GOOD.chain, b"", "a.key: holds no key"),
    "half a key": (GOOD.chain, GOOD.key[:100], "a.key: holds no key"),
    "a certificate in place of the key": (GOOD.chain, GOOD.chain, "a.key: holds no key"),
    "a passphrase": (GOOD.chain, locked(), "a.key: wants a passphrase"),
    "too large": (b"x" * 2**20, GOOD.key, "a.pem: is larger than 256 KiB"),
}


@pytest.mark.parametrize(("chain", "key", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_told_with_the_file_and_what_to_do(
    tmp_path: Path, chain: bytes, key: bytes, told: str
) -> None:
    with pytest.raises(Unusable) as refused:
        read(*written(tmp_path, chain, key))
    assert str(refused.value).startswith(f"{tmp_path}/{told}")
    assert ";" in str(refused.value) or "?" in str(refused.value)


def test_keys_that_browsers_refuse_are_refused(tmp_path: Path) -> None:
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is wrong with it
    edwards = ed25519.Ed25519PrivateKey.generate()
    for key, told in ((small, "an RSA key of 1024 bits"), (edwards, "a kind that browsers refuse")):
        chain = signed_by_itself(key)
        with pytest.raises(Unusable, match=told):
            read(*written(tmp_path, chain, pem(key)))


@pytest.mark.parametrize("key_type", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_what_is_taken_can_be_presented(tmp_path: Path, key_type: trustme.KeyType) -> None:
    taken = certificate(tmp_path, issue("po.co", key_type=key_type))
    assert taken.context.certificate is taken
    assert taken.issuer.startswith("trustme")
    assert not taken.is_self_signed


def test_files_are_not_looked_at_again_once_they_were_read(tmp_path: Path) -> None:
    taken = certificate(tmp_path, GOOD)
    for file in tmp_path.iterdir():
        file.unlink()
    assert taken.context.certificate is taken


def test_a_file_that_is_missing_or_none_is_told(tmp_path: Path) -> None:
    chain, key = written(tmp_path, GOOD.chain, GOOD.key)
    key.unlink()
    with pytest.raises(Unusable, match=r"a\.key: is missing; put the key of a\.pem there"):
        read(chain, key)
    key.mkdir()
    with pytest.raises(Unusable, match=r"a\.key: is no file"):
        read(chain, key)
    key.rmdir()
    os.mkfifo(key)
    with pytest.raises(Unusable, match=r"a\.key: is no file"):
        read(chain, key)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    chain, key = written(tmp_path, GOOD.chain, GOOD.key)
    key.chmod(0)
    with pytest.raises(Unusable, match=r"a\.key: may not be read"):
        read(chain, key)


def test_cut_anywhere_it_is_refused_or_is_what_it_was(tmp_path: Path) -> None:
    whole = certificate(tmp_path, GOOD)
    for cut in range(len(GOOD.chain)):
        _taken_or_refused(tmp_path, GOOD.chain[:cut], GOOD.key, whole)
    for cut in range(len(GOOD.key)):
        _taken_or_refused(tmp_path, GOOD.chain, GOOD.key[:cut], whole)


def _taken_or_refused(folder: Path, chain: bytes, key: bytes, whole: Certificate) -> None:
    try:
        taken = read(*written(folder, chain, key))
    except Unusable:
        return
    assert taken.names == whole.names
    # Of a chain only what ends at the end of a certificate can be taken for a whole one.
    assert chain.rstrip() in {LEAF.rstrip(), GOOD.chain.rstrip()}


@pytest.mark.filterwarnings("ignore")  # of numbers that should not be, as the library reads them
@given(places=st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]) -> None:
    changed = bytearray(DER)
    for place, byte in places:
        changed[place] = byte
    chain = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(changed) + b"-----END CERTIFICATE-----\n"
    with suppress(Unusable):
        read(*written(tmp_path_factory.getbasetemp(), chain, GOOD.key))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (-1 * DAY, "valid only from 2026-05-31 on"),
        (1 * DAY, None),
        (70 * DAY, None),
        (80 * DAY, "expires on 2026-08-30"),
        (90 * DAY, "expired on 2026-08-30"),
    ],
)
def test_dates_are_told_before_they_matter(tmp_path: Path, after: timedelta, told: str | None) -> None:
    chain, key = make(["po.co"], now=NOW, days=90)
    concern = read(*written(tmp_path, chain, key)).concern((NOW + after).timestamp())
    assert (concern is None) if told is None else (concern is not None and told in concern.message)


def test_a_short_lived_certificate_is_not_told_from_its_first_day_on(tmp_path: Path) -> None:
    chain, key = make(["po.co"], now=NOW, days=6)
    taken = read(*written(tmp_path, chain, key))
    assert taken.concern((NOW + 4 * DAY).timestamp()) is None
    assert taken.concern((NOW + 5 * DAY).timestamp()) is not None


def test_a_key_behind_the_chain_is_told_where_it_belongs(tmp_path: Path) -> None:
    """As HAProxy wants them: all in one file."""
    with pytest.raises(Unusable, match=r"a\.pem: has a key behind the chain; put that into a\.key, and take"):
        read(*written(tmp_path, GOOD.chain + GOOD.key, GOOD.key))
    assert read(*written(tmp_path, GOOD.key + GOOD.chain, GOOD.key)).names == certificate(tmp_path, GOOD).names


def test_a_certificate_without_chain_is_taken(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("po.co")
    taken = read(*written(tmp_path, issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()))
    assert taken.names == ("po.co",)


def test_where_nothing_is_kept_in_memory_alone_the_key_is_on_disk_for_an_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    taken = certificate(tmp_path, GOOD)
    assert taken.context.certificate is taken
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.key", "a.pem"]
