"""`PyJWT`, unmodified: our tokens verify against the published keys, and what it forges the node refuses."""

import os

import jwt
import pytest
from forgeries import forgeries

ALGORITHMS = ["EdDSA", "ES256", "RS256"]


@pytest.fixture(scope="module")
def tokens(agent):
    """A live access token and ID token, and another access token."""
    first = agent.token("openid agents:read", nonce="seen-once")
    return first["access_token"], first["id_token"], agent.token("tokens:read")["access_token"]


def verify(agent, token, audience, **options):
    key = jwt.PyJWKClient(f"{agent.issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    required = {"require": ["exp", "iat", "iss", "aud", "sub"]}
    return jwt.decode(token, key, algorithms=[os.environ["INTEROP_ALGORITHM"]], audience=audience, issuer=agent.issuer, options=required, **options)


def test_an_access_token_verifies(agent, tokens):
    claims = verify(agent, tokens[0], agent.issuer)
    assert claims["sub"] == claims["client_id"] == agent.client_id
    assert claims["organization_id"] == agent.organization_id
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(tokens[0])["typ"] == "at+jwt"


def test_an_id_token_verifies(agent, tokens):
    claims = verify(agent, tokens[1], agent.client_id)
    assert claims["sub"] == agent.client_id
    assert claims["nonce"] == "seen-once"


def test_a_token_for_another_resource_names_it(agent):
    resource = "https://tools.example/search"
    token = agent.token("agents:read", resource=resource)["access_token"]
    assert verify(agent, token, resource)["sub"] == agent.client_id
    with pytest.raises(jwt.InvalidAudienceError):
        verify(agent, token, "https://tools.example/other")
    assert agent.bearer(token).status_code == 401


def test_a_changed_token_does_not_verify(agent, tokens):
    head, _, signature = tokens[0].split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verify(agent, f"{head}.{tokens[2].split('.')[1]}.{signature}", agent.issuer)


def test_published_keys_are_public(jwks):
    for key in jwks["keys"]:
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}
        assert key["alg"] in ALGORITHMS
        jwt.PyJWK(key)


def test_what_is_forged_is_refused(agent, tokens, jwks, subtests):
    genuine, id_token, other = tokens
    assert_alive(agent, genuine)
    for name, token in forgeries(genuine, other, id_token, jwks):
        with subtests.test(name):
            assert agent.introspect(token) == {"active": False}
            for path in ("/agent-info", f"/api/v1/agents/{agent.client_id}"):
                answer = agent.bearer(token, path)
                assert answer.status_code == 401
                challenge = answer.headers["WWW-Authenticate"]
                assert challenge.startswith("Bearer ")
                assert 'error="invalid_token"' in challenge
    # Refused for what was forged, and not because the agent was locked out meanwhile.
    assert_alive(agent, genuine)


def assert_alive(agent, token):
    assert agent.introspect(token)["active"] is True
    assert agent.bearer(token).status_code == 200
