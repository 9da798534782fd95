"""The development CA and the certificates under it, made once at set-up and never committed.

The names are `localhost`, `127.0.0.1`, `::1` and those that are asked for. Source: RFC 5280 for the extensions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.files import private_dir, write_private
from tidings.clock import Clock

_VALID_DAYS = 3650
_BACKDATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the PEM files stand. `broker` and `gate` hold a private key followed by its certificate and the CA's."""

    ca: Path
    broker: Path
    gate: Path


def certificates(
    folder: Path, clock: Clock, broker_names: Sequence[str] = (), gate_names: Sequence[str] = ()
) -> Certificates:
    """The certificates of `folder`, made there (0600 in 0700) where they are not complete.

    Brokers and gate are known by these names too, beside loopback's.
    """
    made = Certificates(folder / "ca.pem", folder / "broker.pem", folder / "gate.pem")
    if all(path.exists() for path in (made.ca, made.broker, made.gate)):
        return made
    private_dir(folder)
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tidings development CA")])
    ca = (
        _builder(name, name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    for path, common_name, more in (
        (made.broker, "Tidings development broker", broker_names),
        (made.gate, "Tidings registry gate", gate_names),
    ):
        write_private(path, _leaf(common_name, more, ca, ca_key, now))
    # The CA's key is not kept: nothing more is signed with it. The certificate goes last: it marks the set as complete.
    write_private(made.ca, ca.public_bytes(serialization.Encoding.PEM))
    return made


def _leaf(
    common_name: str, more: Sequence[str], ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, now: datetime
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        *(x509.DNSName(name) for name in ("localhost", *more)),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    certificate = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]), ca.subject, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (certificate, ca))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + timedelta(days=_VALID_DAYS))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
