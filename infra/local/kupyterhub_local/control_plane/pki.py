"""The certificates of the control plane: one authority, made once, that everybody in the local cluster trusts."""

import base64
import hashlib
import ipaddress
import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kupyterhub_local.state import write_private

VALID = timedelta(days=3650)
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Identity:
    """Who a certificate speaks for: Kubernetes takes the common name for the user and organizations for groups."""

    common_name: str
    organizations: Collection[str] = ()
    hosts: Collection[str] = ()


@dataclass(frozen=True)
class KeyPair:
    """Paths of a certificate and its key (PEM)."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Pki:
    """What lies in the folder `root`."""

    root: Path

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.root / "ca.crt"

    @property
    def service_account_key(self) -> Path:
        """What ServiceAccount tokens are signed with."""
        return self.root / "service-account.key"

    @property
    def jwks(self) -> Path:
        """The public half of it, as OIDC publishes keys."""
        return self.root / "jwks.json"

    def pair(self, name: str) -> KeyPair:
        """Return the certificate and key called `name`."""
        return KeyPair(self.root / f"{name}.crt", self.root / f"{name}.key")


def identities(service_ip: ipaddress.IPv4Address) -> dict[str, Identity]:
    """Everybody who has a certificate; `service_ip` is the ClusterIP of the Service `kubernetes`."""
    kubernetes = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    return {
        "etcd": Identity("etcd", hosts=["127.0.0.1"]),
        "apiserver": Identity("kube-apiserver", hosts=["127.0.0.1", "localhost", str(service_ip), *kubernetes]),
        "kubelet": Identity("kubelet", hosts=["127.0.0.1", "localhost"]),
        "admin": Identity("admin", organizations=["system:masters"]),
        "controller-manager": Identity("system:kube-controller-manager"),
        "scheduler": Identity("system:kube-scheduler"),
        "node": Identity("system:node:local", organizations=["system:nodes"]),
    }


def ensure(folder: Path, service_ip: ipaddress.IPv4Address) -> Pki:
    """Return the certificates in `folder`, made there if it is absent; whole or not at all."""
    if not folder.is_dir():
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _make(Pki(unfinished), identities(service_ip))
        unfinished.rename(folder)
    return Pki(folder)


def _make(pki: Pki, everybody: dict[str, Identity]) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _name(Identity("kupyterhub-local"))
    ca = (
        _certificate(authority, authority, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pki.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for name, identity in everybody.items():
        key = ec.generate_private_key(ec.SECP256R1())
        request = _certificate(_name(identity), authority, key.public_key()).add_extension(
            # Each may be a client too: the API server dials etcd and the kubelet with its own.
            x509.ExtendedKeyUsage([SERVER, CLIENT] if identity.hosts else [CLIENT]),
            critical=False,
        )
        if identity.hosts:
            hosts = x509.SubjectAlternativeName([_general_name(host) for host in identity.hosts])
            request = request.add_extension(hosts, critical=False)
        pair = pki.pair(name)
        certificate = request.sign(authority_key, hashes.SHA256())
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_private(pair.key, _pem(key))
    # RSA, as on GKE: what verifies tokens meets the algorithm that it will meet there.
    service_accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_private(pki.service_account_key, _pem(service_accounts))
    pki.jwks.write_text(json.dumps({"keys": [jwk(service_accounts.public_key())]}))


def jwk(key: rsa.RSAPublicKey) -> dict[str, Any]:
    """Describe a key as Kubernetes does; its id is its SHA-256 (pkg/serviceaccount/jwt.go, keyIDFromPublicKey)."""
    numbers = key.public_numbers()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": _base64url(hashlib.sha256(der).digest()),
        "n": _base64url(numbers.n.to_bytes(key.key_size // 8)),
        "e": _base64url(numbers.e.to_bytes(3)),
    }


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID)
    )


def _name(identity: Identity) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in identity.organizations]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
