"""A signer that is not the product: a PKI in the manner of the field, and XAdES in the official form.

It serves as the stranger whose signatures the product must judge, and shows that the judges of `judges.py` can say no.
"""

import base64
import datetime
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def tlv(tag, *contents):
    content = b"".join(contents)
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def hc_role(role):
    """SubjectDirectoryAttributes with one hcRole (ISO 17090; hcRole in the national coding scheme)."""
    scheme = tlv(0xA0, bytes.fromhex("060a2a830886910f01060101"))
    coded = tlv(0x31, scheme, tlv(0xA2, tlv(0x0C, role.encode())))
    actors = tlv(0x31, tlv(0x30, tlv(0xA0, coded)))
    return tlv(0x30, tlv(0x30, bytes.fromhex("0606288185420001"), tlv(0x31, actors)))


@dataclass
class Signer:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


class Authority:
    """A root and one signing CA under it, with a CRL, all made on the spot."""

    def __init__(self, name="STRANGER"):
        self.name = name
        self.now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.root_key, self.ca_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        root = self.dn(f"{name} Root CA")
        ca = self.dn(f"HPKI-01-{name}-forNonRepudiation")
        self.root = self.issue(root, self.root_key, root, self.root_key, ca=True, serial=1)
        self.ca = self.issue(ca, self.ca_key, root, self.root_key, ca=True, serial=2)
        self.serial = 100

    def dn(self, common_name, *more):
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.name),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                *more,
            ]
        )

    def issue(
        self, subject, key, issuer, issuer_key, ca, serial, role=None, days=(-30, 365), usage="content_commitment"
    ):
        names = (
            "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
            "key_cert_sign crl_sign encipher_only decipher_only"
        ).split()
        used = {"key_cert_sign", "crl_sign"} if ca else {usage}
        policy = "1.2.392.100495.1.5.1.1.3.1" if ca else "1.2.392.100495.1.5.1.1.0.1"
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(self.now + datetime.timedelta(days=days[0]))
            .not_valid_after(self.now + datetime.timedelta(days=days[1]))
            .add_extension(x509.KeyUsage(**{name: name in used for name in names}), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
            .add_extension(x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(policy), None)]), True)
        )
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        if role:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.9"), hc_role(role)), False
            )
        return builder.sign(issuer_key, hashes.SHA256())

    def signer(self, role="Medical Doctor", **arguments):
        """A holder's certificate and key."""
        self.serial += 1
        key = rsa.generate_private_key(65537, 2048)
        number = x509.NameAttribute(NameOID.SERIAL_NUMBER, f"T{self.serial}")
        subject = self.dn("Namiko Tadano", number)
        return Signer(
            self.issue(
                subject, key, self.ca.subject, self.ca_key, ca=False, serial=self.serial, role=role, **arguments
            ),
            key,
        )

    def crl(self, revoked=(), hours=(-1, 95)):
        """The signing CA's revocation list in DER."""
        return self.list_of(self.ca.subject, self.ca_key, revoked, hours)

    def list_of(self, issuer, key, revoked=(), hours=(-1, 95)):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(self.now + datetime.timedelta(hours=hours[0]))
            .next_update(self.now + datetime.timedelta(hours=hours[1]))
            .add_extension(x509.CRLNumber(7), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        )
        for signer in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(signer.certificate.serial_number)
                .revocation_date(self.now - datetime.timedelta(days=2))
                .build()
            )
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def install(self, home, crl=None):
        """Makes an instance trust this authority; with its list `crl`, also that its root has revoked nothing."""
        pem = serialization.Encoding.PEM
        (home / "trust" / "anchors" / "stranger.pem").write_bytes(self.root.public_bytes(pem))
        (home / "trust" / "intermediates" / "stranger.pem").write_bytes(self.ca.public_bytes(pem))
        if crl is not None:
            of_root = self.list_of(self.root.subject, self.root_key)
            (home / "trust" / "crls" / "stranger-root.crl").write_bytes(of_root)
            (home / "trust" / "crls" / "stranger.crl").write_bytes(crl)


def sign(document, signer, kind="Prescription", when=None):
    """`document` with a XAdES-BES signature in the official form before the end of its `kind`'s parent."""
    when = when or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    target = "PrescriptionDocument" if kind == "Prescription" else "Dispensing"
    tree = etree.fromstring(document)
    (element,) = tree.xpath("//*[@id=$id]", id=target)
    der = signer.certificate.public_bytes(serialization.Encoding.DER)
    prefix = "id" + hashlib.sha256(document).hexdigest()[:12]

    def digest(content):
        return base64.b64encode(hashlib.sha256(content).digest()).decode()

    def reference(name, uri, value, more="", exclusive=True):
        transforms = f'<xs:Transforms><xs:Transform Algorithm="{EXCLUSIVE}"/></xs:Transforms>' if exclusive else ""
        return (
            f'<xs:Reference Id="{prefix}-{name}"{more} URI="#{uri}">{transforms}<xs:DigestMethod '
            f'Algorithm="{SHA256}"/><xs:DigestValue>{value}</xs:DigestValue></xs:Reference>'
        )

    key_info = (
        f'<xs:KeyInfo Id="{prefix}-KeyInfo"><xs:X509Data><xs:X509Certificate>'
        f"{base64.b64encode(der).decode()}</xs:X509Certificate></xs:X509Data></xs:KeyInfo>"
    )
    properties = (
        f'<xa:SignedProperties Id="{prefix}-SignedProperties"><xa:SignedSignatureProperties><xa:SigningTime>{when}'
        f'</xa:SigningTime><xa:SigningCertificateV2><xa:Cert><xa:CertDigest><xs:DigestMethod Algorithm="{SHA256}"/>'
        f"<xs:DigestValue>{digest(der)}</xs:DigestValue></xa:CertDigest></xa:Cert></xa:SigningCertificateV2>"
        "</xa:SignedSignatureProperties></xa:SignedProperties>"
    )

    def canonical(fragment):
        wrapped = etree.fromstring(f'<r xmlns:xs="{DS}" xmlns:xa="{XADES}">{fragment}</r>'.encode())
        return etree.tostring(wrapped[0], method="c14n", exclusive=True)

    info = (
        f'<xs:SignedInfo Id="{prefix}-SignedInfo"><xs:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<xs:SignatureMethod Algorithm="{RSA_SHA256}"/>'
        + reference("Reference1-Detached", target, digest(etree.tostring(element, method="c14n")), exclusive=False)
        + reference("Reference2-KeyInfo", f"{prefix}-KeyInfo", digest(canonical(key_info)))
        + reference(
            "Reference3-SignedProperties",
            f"{prefix}-SignedProperties",
            digest(canonical(properties)),
            f' Type="{XADES.split("/v1")[0]}#SignedProperties"',
        )
        + "</xs:SignedInfo>"
    )
    value = base64.b64encode(signer.key.sign(canonical(info), padding.PKCS1v15(), hashes.SHA256())).decode()
    signature = (
        f'<{kind}Sign><xs:Signature xmlns:xs="{DS}" Id="{kind}Sign">{info}'
        f'<xs:SignatureValue Id="{prefix}-SignatureValue">'
        f'{value}</xs:SignatureValue>{key_info}<xs:Object xmlns:xa="{XADES}"><xa:QualifyingProperties '
        f'Id="{prefix}-QualifyingProperties" Target="#{kind}Sign">{properties}</xa:QualifyingProperties></xs:Object>'
        f"</xs:Signature></{kind}Sign>"
    ).encode()
    end = b"</Prescription>" if kind == "Prescription" else b"</Document>"
    assert document.count(end) == 1
    return document.replace(end, signature + end)
