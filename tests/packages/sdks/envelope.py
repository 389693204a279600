"""Envelopes with PyPI's `securesystemslib`: envelope.py verify ENVELOPE PUBLIC_KEY | sign STATEMENT PRIVATE_KEY ENVELOPE"""

import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey


def named(public):
    """The key under its hint, by which an envelope names it."""
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(public, keyid=hashlib.sha256(spki).hexdigest())


command, first, second, *rest = sys.argv[1:]
if command == "verify":
    key = named(serialization.load_pem_public_key(Path(second).read_bytes()))
    accepted = Envelope.from_dict(json.loads(Path(first).read_text())).verify([key], 1)
    assert list(accepted) == [key.keyid], accepted
else:
    private = serialization.load_pem_private_key(Path(second).read_bytes(), None)
    envelope = Envelope(Path(first).read_bytes(), "application/vnd.in-toto+json", {})
    envelope.sign(CryptoSigner(private, named(private.public_key())))
    Path(rest[0]).write_text(json.dumps(envelope.to_dict()))
