"""The node under test, and an agent of its own for each test file."""

import json
import os
import uuid
from dataclasses import dataclass

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session


@dataclass(frozen=True)
class Client:
    """An agent as an OAuth client, and the node that it talks to."""

    issuer: str
    client_id: str
    client_secret: str
    organization_id: str

    def session(self, method="client_secret_basic", secret=None, scope=None):
        """An authlib session that authenticates with `method`."""
        return OAuth2Session(
            self.client_id,
            secret or self.client_secret,
            scope=scope,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )

    def token(self, scope, **parameters):
        """A token response with exactly `scope`."""
        with self.session(scope=scope) as session:
            return session.fetch_token(f"{self.issuer}/oauth2/token", grant_type="client_credentials", **parameters)

    def introspect(self, token, method="client_secret_basic"):
        """What the node says about `token`."""
        with self.session(method) as session:
            answer = session.introspect_token(f"{self.issuer}/oauth2/introspect", token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bearer(self, token, path="/agent-info"):
        """The answer of a protected route to `token`."""
        return requests.get(self.issuer + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)


@pytest.fixture(scope="session")
def admin():
    """The node's first administrator."""
    with open(os.environ["INTEROP_NODE_JSON"], encoding="utf-8") as file:
        node = json.load(file)
    return Client(node["issuer"], node["clientId"], node["clientSecret"], node["organizationId"])


@pytest.fixture(scope="module")
def agent(admin):
    """A freshly registered agent with a credential of its own."""
    token = admin.token("agents:write admin:orgs")["access_token"]

    def create(path, body):
        answer = requests.post(admin.issuer + path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.json()

    registered = create("/api/v1/agents", {
        "email": f"{uuid.uuid4()}@interop.test",
        "agentType": "custom",
        "version": "1.0.0",
        "capabilities": ["interop:test"],
        "owner": "interop",
        "deploymentEnv": "development",
    })
    credential = create(f"/api/v1/agents/{registered['agentId']}/credentials", {})
    return Client(admin.issuer, credential["clientId"], credential["clientSecret"], admin.organization_id)


@pytest.fixture(scope="session")
def jwks(admin):
    """The published key set."""
    return requests.get(f"{admin.issuer}/.well-known/jwks.json", timeout=10).json()
