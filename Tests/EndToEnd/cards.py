"""Development cards, and more of them than an instance makes: renewed, expired, revoked, of strangers."""

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

import contract
from instance import shirushi

# Of PKCS#12 files.
PASSWORD = "card"


@dataclass(frozen=True)
class Card:
    """A certificate and its key, each in a PEM file."""

    certificate: Path
    key: Path

    @property
    def x509(self):
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    @property
    def pair(self):
        return str(self.certificate), str(self.key)

    def pkcs12(self, out):
        """The card as a PKCS#12 file, for an NSS database."""
        subprocess.run(
            ["openssl", "pkcs12", "-export", "-in", self.certificate, "-inkey", self.key, "-out", out]
            + ["-passout", f"pass:{PASSWORD}", "-name", out.stem],
            check=True,
            capture_output=True,
            timeout=60,
        )
        return out


def development(instance, holder, kind):
    return Card(*contract.card(instance.home, holder, kind))


@dataclass(frozen=True)
class Authority:
    """A certification authority whose key is in our hands."""

    certificate: x509.Certificate
    key: object

    @classmethod
    def of(cls, home, certificate):
        """The development authority that issued the certificate: two of one name are told apart by their keys."""
        for authority in cls.all(home):
            try:
                certificate.verify_directly_issued_by(authority.certificate)
                return authority
            except (ValueError, TypeError, InvalidSignature):
                continue
        raise AssertionError(f"no development authority of {home} issued {certificate.subject.rfc4514_string()}")

    @classmethod
    def all(cls, home):
        """Every authority in the files of `development/`, wherever in them it stands."""
        found = []

        def look(value):
            if isinstance(value, dict):
                if {"certificate", "privateKey"} <= value.keys():
                    key = serialization.load_pem_private_key(value["privateKey"].encode(), None)
                    found.append(cls(x509.load_pem_x509_certificate(value["certificate"].encode()), key))
                value = list(value.values())
            if isinstance(value, list):
                for each in value:
                    look(each)

        for file in sorted((home / "development").rglob("*.json")):
            look(json.loads(file.read_text()))
        return found

    @classmethod
    def stranger(cls, like):
        """An authority nobody knows that bears the name of one that all know."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(copy(like.certificate, like.certificate.subject, key.public_key(), key, like.certificate), key)

    @classmethod
    def of_servers(cls, home):
        """The authority of the instance's own TLS certificates."""
        wanted = x509.load_pem_x509_certificate(contract.server_ca(home).read_bytes())
        return next(each for each in cls.all(home) if each.certificate == wanted)


def identifier(certificate):
    """The key identifier of an authority's certificate."""
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value


def copy(like, subject, public_key, signer, issuer):
    """A certificate with all that `like` says, but for the arguments."""
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(like.not_valid_after_utc)
    )
    for extension in like.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(public_key)
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            if subject == issuer.subject:
                continue
            value = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier(issuer))
        builder = builder.add_extension(value, extension.critical)
    hash_ = hashes.SHA384() if getattr(signer, "key_size", 0) == 384 else hashes.SHA256()
    return builder.sign(signer, hash_)


class Maker:
    """Makes cards after the pattern of an instance's own, below a folder."""

    def __init__(self, instance, folder):
        self.home, self.folder = instance.home, folder
        folder.mkdir(parents=True, exist_ok=True)

    def like(self, card, name, holder=None, authority=None, common_name=None):
        """Another card as `card` is, with a key and a serial number of its own."""
        pattern = card.x509
        authority = authority or Authority.of(self.home, pattern)
        old = serialization.load_pem_private_key(card.key.read_bytes(), None)
        key = rsa.generate_private_key(65537, 2048) if isinstance(old, rsa.RSAPrivateKey) else fresh(old.curve)
        changed = {NameOID.SERIAL_NUMBER: holder, NameOID.COMMON_NAME: common_name}
        subject = x509.Name(
            x509.NameAttribute(each.oid, changed.get(each.oid) or each.value, each._type) for each in pattern.subject
        )
        certificate = copy(pattern, subject, key.public_key(), authority.key, authority.certificate)
        made = Card(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return made


def issue(instance, holder, kind, folder, *options):
    """Another card of the holder by the binary's own authority."""
    shirushi("dev-ca", "card", "--home", instance.home, "--holder", holder, "--kind", kind, "--out", folder, *options)
    return Card(folder / f"{kind}.pem", folder / f"{kind}.key")


def revoke(instance, card):
    """Revokes a card of the binary's own authority and publishes the list."""
    shirushi("dev-ca", "revoke-card", "--home", instance.home, card.certificate)


def link(instance, holder, card):
    """Links a My Number card to a holder, as the operator does."""
    shirushi("holders", "link-card", holder, "--home", instance.home, "--certificate", card.certificate)


def follows(instance, new, old):
    """Lets the link service say that `new` is the card that was renewed from `old`."""
    words = []
    for certificate in (new.x509, old.x509):
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        size = certificate.serial_number.bit_length() // 8 + 1
        serial = certificate.serial_number.to_bytes(size, "big").hex()
        words += [issuer.hex(), serial]
    file = contract.succession(instance.home)
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a") as lines:
        lines.write(" ".join(words) + "\n")


def fresh(curve):
    return ec.generate_private_key(curve)


def server_certificate(home, names, folder):
    """A TLS server certificate for these host names, of the instance's own authority: certificate and key files."""
    authority = Authority.of_servers(home)
    key, now = fresh(ec.SECP256R1()), datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(authority.key, hashes.SHA256())
    )
    made = Card(folder / "server.pem", folder / "server.key")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made
