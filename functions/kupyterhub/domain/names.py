"""What is named after a document, or made from the master secret (design: "Exact forms")."""

import hashlib
import hmac


def user_hash(document: str) -> str:
    """The label value by which the objects of one document are found."""
    return hashlib.sha256(document.encode()).hexdigest()[:32]


def token(master_secret: bytes, name: str) -> str:
    """JupyterLab's token of one user."""
    return hmac.new(master_secret, name.encode(), hashlib.sha256).hexdigest()
