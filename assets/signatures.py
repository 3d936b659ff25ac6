"""Ed25519 signatures: public keys in a folder of the home, private keys of whoever signs, and whether one holds."""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas.errors import Worded


def raw_key(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key, to compare keys by."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def read_public_keys(folder: Path, shown_as: str) -> dict[str, Ed25519PublicKey]:
    """Read the public keys of a folder, `<name>.pub` in PEM, by name; none where the folder is not there.

    Parameters
    ----------
    shown_as : str
        The folder as messages call it, relative to the home.

    Raises
    ------
    Worded
        If a file is no Ed25519 public key.
    """
    found = {}
    for path in sorted(folder.glob("*.pub")):
        try:
            key = load_pem_public_key(path.read_bytes())
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise Worded("no_public_key", file=f"{shown_as}/{path.name}")
        found[path.stem] = key
    return found


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key in PEM.

    Raises
    ------
    Worded
        If the file is no Ed25519 private key, or one with a password.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Worded("no_private_key", file=path.name)
    return key


def is_signed_by(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether a signature over these bytes was made with the private half of a key."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
