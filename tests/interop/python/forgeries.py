"""Access tokens that the node must refuse, made with PyJWT where it agrees to make them and by hand where it does not.

Each starts from a genuine token, so that only the forged part can be the reason for the refusal.
"""

import base64
import json
import time
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import HMACAlgorithm
from jwt.api_jws import PyJWS


def encode(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    """A JSON value as one part of a token."""
    return encode(json.dumps(value, separators=(",", ":")).encode())


class Naive(HMACAlgorithm):
    """PyJWT refuses a public key as an HMAC secret; a forger does not."""

    def prepare_key(self, key):
        return key


def naive_hmac():
    """A signer that takes any bytes for an HMAC secret."""
    signer = PyJWS()
    for bits in (256, 384, 512):
        signer.unregister_algorithm(f"HS{bits}")
        signer.register_algorithm(f"HS{bits}", Naive(getattr(HMACAlgorithm, f"SHA{bits}")))
    return signer


def forgeries(genuine, other, id_token, jwks):
    """Yields `(name, token)`."""
    header = jwt.get_unverified_header(genuine)
    claims = jwt.decode(genuine, options={"verify_signature": False})
    ours = next(key for key in jwks["keys"] if key["kid"] == header["kid"])
    yield from unsigned(header, claims, genuine)
    yield from hmac(header, claims, ours)
    yield from foreign_keys(header, claims, jwks)
    yield from wrong_claims(header, claims)
    yield from tampered(header, claims, genuine, other)
    yield "a genuine ID token", id_token


def unsigned(header, claims, genuine):
    yield "alg none as PyJWT makes it", jwt.encode(claims, None, algorithm="none", headers={"typ": "at+jwt", "kid": header["kid"]})
    head, body, signature = genuine.split(".")
    for alg in ("none", "NONE", "nOnE", "", None):
        yield f"alg {alg!r} without a signature", f"{part({**header, 'alg': alg})}.{body}."
    yield "alg none over the genuine signature", f"{part({**header, 'alg': 'none'})}.{body}.{signature}"
    yield "no signature under the genuine header", f"{head}.{body}."


def hmac(header, claims, ours):
    public = jwt.PyJWK(ours).key
    spki = {"format": serialization.PublicFormat.SubjectPublicKeyInfo}
    secrets = {
        "the raw public key": jwt.utils.base64url_decode(ours.get("x") or ours["n"]),
        "the JWK text": json.dumps(ours).encode(),
        "the compact JWK text": json.dumps(ours, separators=(",", ":")).encode(),
        "the PEM text": public.public_bytes(serialization.Encoding.PEM, **spki),
        "the DER bytes": public.public_bytes(serialization.Encoding.DER, **spki),
    }
    signer = naive_hmac()
    payload = json.dumps(claims).encode()
    for name, secret in secrets.items():
        for alg in ("HS256", "HS384", "HS512"):
            yield f"{alg} keyed with {name}", signer.encode(payload, secret, algorithm=alg, headers={**header, "alg": alg})


#: What makes a key for each algorithm.
MAKERS = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def foreign_keys(header, claims, jwks):
    keys = {alg: make() for alg, make in MAKERS.items()}
    for alg, key in keys.items():
        for ours in jwks["keys"]:
            kid = {"kid": ours["kid"], "typ": "at+jwt"}
            yield f"{alg} of a foreign key under the kid of our {ours['alg']} key", jwt.encode(claims, key, algorithm=alg, headers=kid)
        yield f"{alg} of a foreign key under a foreign kid", jwt.encode(claims, key, algorithm=alg, headers={"kid": "foreign", "typ": "at+jwt"})
        yield f"{alg} of a foreign key without a kid", jwt.encode(claims, key, algorithm=alg, headers={"typ": "at+jwt"})
    alg, key = header["alg"], keys[header["alg"]]
    sender = json.loads(jwt.get_algorithm_by_name(alg).to_jwk(key.public_key()))
    yield "a foreign key that comes in the header", jwt.encode(claims, key, algorithm=alg, headers={**header, "jwk": sender})


def wrong_claims(header, claims):
    """Under our kid, so only a broken signature check would let them come as far as their claims."""
    alg, key = header["alg"], MAKERS[header["alg"]]()
    now = int(time.time())
    changes = {
        "long expired": {"iat": now - 7200, "exp": now - 3600},
        "issued in the future": {"iat": now + 3600, "exp": now + 7200},
        "not valid before the future": {"nbf": now + 3600},
        "for another audience": {"aud": "https://elsewhere.example"},
        "of another issuer": {"iss": "https://elsewhere.example"},
    }
    for name, change in changes.items():
        yield f"forged and {name}", jwt.encode({**claims, **change}, key, algorithm=alg, headers={"kid": header["kid"], "typ": "at+jwt"})
    yield "forged as a plain JWT", jwt.encode(claims, key, algorithm=alg, headers={"kid": header["kid"], "typ": "JWT"})


def tampered(header, claims, genuine, other):
    head, body, signature = genuine.split(".")
    raw = jwt.utils.base64url_decode(signature)
    changes = {
        "more scope": {"scope": "admin:orgs agents:write"},
        "another subject": {"sub": str(uuid.uuid4())},
        "another organization": {"organization_id": str(uuid.uuid4())},
        "a later expiry": {"exp": claims["exp"] + 86400},
        "another audience": {"aud": "https://elsewhere.example"},
        "another issuer": {"iss": "https://elsewhere.example"},
    }
    for name, change in changes.items():
        yield f"{name} under the old signature", f"{head}.{part({**claims, **change})}.{signature}"
    for position in (0, len(raw) // 2, len(raw) - 1):
        flipped = bytearray(raw)
        flipped[position] ^= 0x80
        yield f"a bit of byte {position} of the signature flipped", f"{head}.{body}.{encode(bytes(flipped))}"
    yield "the signature of another token", f"{head}.{body}.{other.split('.')[2]}"
    yield "the kid changed", f"{part({**header, 'kid': 'elsewhere'})}.{body}.{signature}"
    yield "the typ changed", f"{part({**header, 'typ': 'JWT'})}.{body}.{signature}"
    for alg in {"EdDSA", "ES256", "RS256"} - {header["alg"]}:
        yield f"the alg changed to {alg}", f"{part({**header, 'alg': alg})}.{body}.{signature}"
