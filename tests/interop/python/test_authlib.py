"""`authlib`, unmodified: metadata, tokens, introspection, revocation, errors."""

import uuid
from dataclasses import replace

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oidc.discovery import OpenIDProviderMetadata
from authlib.oidc.discovery import get_well_known_url as get_openid_url

METHODS = ["client_secret_basic", "client_secret_post"]


def metadata(admin, kind, locate):
    answer = requests.get(locate(admin.issuer, external=True), timeout=10)
    assert answer.status_code == 200
    return kind(answer.json())


def test_oauth_metadata_is_valid(admin):
    found = metadata(admin, AuthorizationServerMetadata, get_well_known_url)
    found.validate()
    assert found.issuer == admin.issuer
    assert found.token_endpoint == f"{admin.issuer}/oauth2/token"
    assert "client_credentials" in found.grant_types_supported
    assert set(METHODS) <= set(found.token_endpoint_auth_methods_supported)
    assert {*METHODS, "Bearer"} == set(found.introspection_endpoint_auth_methods_supported)
    assert set(METHODS) <= set(found.revocation_endpoint_auth_methods_supported)


def test_openid_metadata_is_valid(admin):
    found = metadata(admin, OpenIDProviderMetadata, get_openid_url)
    found.validate()
    assert found.issuer == admin.issuer
    assert found.jwks_uri == f"{admin.issuer}/.well-known/jwks.json"
    assert "openid" in found.scopes_supported


@pytest.mark.parametrize("method", METHODS)
def test_a_token_is_issued_introspected_and_revoked(agent, method):
    with agent.session(method, scope="agents:read tokens:read") as session:
        token = session.fetch_token(f"{agent.issuer}/oauth2/token", grant_type="client_credentials")
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] == 3600
        assert token["scope"] == "agents:read tokens:read"

        seen = agent.introspect(token["access_token"], method)
        assert seen["active"] is True
        assert seen["client_id"] == agent.client_id
        assert seen["organization_id"] == agent.organization_id
        assert seen["iss"] == agent.issuer
        assert seen["scope"] == token["scope"]

        # The session itself is a bearer now.
        info = session.get(f"{agent.issuer}/agent-info", withhold_token=False)
        assert info.status_code == 200
        assert info.json()["sub"] == agent.client_id

        for _ in range(2):
            answer = session.revoke_token(f"{agent.issuer}/oauth2/revoke", token=token["access_token"])
            assert answer.status_code == 200
    assert agent.introspect(token["access_token"], method) == {"active": False}
    assert agent.bearer(token["access_token"]).status_code == 401


def test_revoking_an_unknown_token_succeeds(agent):
    with agent.session() as session:
        assert session.revoke_token(f"{agent.issuer}/oauth2/revoke", token="unknown").status_code == 200


def test_a_token_of_one_agent_is_introspected_by_another(agent, admin):
    token = agent.token("agents:read")["access_token"]
    assert admin.introspect(token)["sub"] == agent.client_id


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_secret_and_an_unknown_client_hear_the_same(agent, method):
    heard = []
    for client in (replace(agent, client_secret="sk_live_wrong"), replace(agent, client_id=str(uuid.uuid4()))):
        with client.session(method) as session, pytest.raises(OAuthError) as caught:
            session.fetch_token(f"{agent.issuer}/oauth2/token", grant_type="client_credentials")
        heard.append((caught.value.error, caught.value.description))
    assert heard[0][0] == "invalid_client"
    assert heard[0] == heard[1]


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"scope": "agents:destroy"}, "invalid_scope"),
        ({"resource": "/relative"}, "invalid_target"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
    ],
)
def test_a_bad_request_is_named(agent, parameters, error):
    request = {"grant_type": "client_credentials", **parameters}
    with agent.session() as session, pytest.raises(OAuthError) as caught:
        session.fetch_token(f"{agent.issuer}/oauth2/token", **request)
    assert caught.value.error == error


def test_introspection_wants_to_know_who_asks(agent):
    token = agent.token("agents:read")["access_token"]
    with replace(agent, client_secret="sk_live_wrong").session() as session:
        answer = session.introspect_token(f"{agent.issuer}/oauth2/introspect", token=token)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
