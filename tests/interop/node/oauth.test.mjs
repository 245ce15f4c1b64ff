// `openid-client` and `oauth4webapi`, unmodified: discovery, tokens, introspection, revocation, errors.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { bearer, decode, discover, newAgent, node, tokenFor } from './provider.mjs';

const plainHttp = { [oauth.allowInsecureRequests]: true };
let agent;
before(async () => { agent = await newAgent('oauth'); });

describe('openid-client', () => {
  for (const algorithm of ['oidc', 'oauth2']) {
    it(`discovers the node through the ${algorithm} document`, async () => {
      const metadata = (await discover(agent, undefined, algorithm)).serverMetadata();
      assert.equal(metadata.issuer, node.issuer);
      assert.equal(metadata.token_endpoint, `${node.issuer}/oauth2/token`);
      assert.equal(metadata.jwks_uri, `${node.issuer}/.well-known/jwks.json`);
      assert.ok(metadata.grant_types_supported.includes('client_credentials'));
    });
  }

  for (const [method, authentication] of [['client_secret_basic', openid.ClientSecretBasic], ['client_secret_post', openid.ClientSecretPost]]) {
    it(`gets, introspects and revokes a token with ${method}`, async () => {
      const config = await discover(agent, authentication(agent.clientSecret));
      assert.ok(config.serverMetadata().token_endpoint_auth_methods_supported.includes(method));
      const token = await openid.clientCredentialsGrant(config, { scope: 'agents:read tokens:read' });
      assert.equal(token.token_type, 'bearer');
      assert.equal(token.expires_in, 3600);
      assert.equal(token.scope, 'agents:read tokens:read');

      const live = await openid.tokenIntrospection(config, token.access_token, { token_type_hint: 'access_token' });
      const { claims } = decode(token.access_token);
      assert.equal(live.active, true);
      assert.equal(live.client_id, agent.clientId);
      assert.equal(live.iss, node.issuer);
      assert.equal(live.organization_id, node.organizationId);
      for (const name of ['sub', 'exp', 'iat', 'jti', 'aud', 'scope']) assert.deepEqual(live[name], claims[name], name);

      await openid.tokenRevocation(config, token.access_token);
      assert.deepEqual(await openid.tokenIntrospection(config, token.access_token), { active: false });
      assert.equal((await bearer(token.access_token)).status, 401);
      await openid.tokenRevocation(config, token.access_token);
    });
  }

  it('takes a bare token when no scope is asked for', async () => {
    const token = await openid.clientCredentialsGrant(await discover(agent));
    assert.equal(decode(token.access_token).claims.scope, 'agents:read');
  });

  it('accepts the ID token and finds the agent behind the access token', async () => {
    const config = await discover(agent);
    const token = await openid.clientCredentialsGrant(config, { scope: 'openid', nonce: 'n-0S6_WzA2Mj' });
    const claims = token.claims();
    assert.equal(claims.sub, agent.clientId);
    assert.equal(claims.aud, agent.clientId);
    assert.equal(claims.nonce, 'n-0S6_WzA2Mj');
    const info = await openid.fetchUserInfo(config, token.access_token, agent.clientId);
    assert.equal(info.sub, agent.clientId);
  });

  it('leaves the other tokens of the client alive when one is revoked', async () => {
    const config = await discover(agent);
    const [dead, alive] = [await tokenFor(agent, 'tokens:read'), await tokenFor(agent, 'tokens:read')];
    await openid.tokenRevocation(config, dead.access_token);
    assert.equal((await openid.tokenIntrospection(config, dead.access_token)).active, false);
    assert.equal((await openid.tokenIntrospection(config, alive.access_token)).active, true);
  });

  it('is not told whether a token to revoke existed', async () => {
    await openid.tokenRevocation(await discover(agent), 'no-such-token');
  });

  const refusals = [
    ['a wrong secret by Basic', () => discover(agent, openid.ClientSecretBasic('sk_live_wrong')), {}, 'invalid_client', 401],
    ['a wrong secret in the form', () => discover(agent, openid.ClientSecretPost('sk_live_wrong')), {}, 'invalid_client', 401],
    ['an unknown client', () => discover({ ...agent, clientId: crypto.randomUUID() }), {}, 'invalid_client', 401],
    ['a client id that is no UUID', () => discover({ ...agent, clientId: 'somebody' }), {}, 'invalid_client', 401],
    ['an unknown scope', () => discover(agent), { scope: 'agents:destroy' }, 'invalid_scope', 400],
    ['a relative resource', () => discover(agent), { resource: '/relative' }, 'invalid_target', 400],
  ];
  for (const [name, configuration, parameters, error, status] of refusals) {
    it(`hears ${error} for ${name}`, async () => {
      const attempt = openid.clientCredentialsGrant(await configuration(), parameters);
      await assert.rejects(attempt, (caught) => {
        // A challenge in WWW-Authenticate comes before the body in the library's reading.
        assert.equal(caught.status ?? caught.response?.status, status);
        if (caught.error !== undefined) assert.equal(caught.error, error);
        return caught instanceof openid.ResponseBodyError || caught instanceof openid.WWWAuthenticateChallengeError;
      });
    });
  }

  it('hears unsupported_grant_type for a grant that the node does not have', async () => {
    const attempt = openid.genericGrantRequest(await discover(agent), 'password', { username: 'a', password: 'b' });
    await assert.rejects(attempt, { error: 'unsupported_grant_type', status: 400 });
  });
});

describe('oauth4webapi', () => {
  const issuer = new URL(node.issuer);
  let server;
  before(async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plainHttp });
    server = await oauth.processDiscoveryResponse(issuer, response);
  });

  it('processes both metadata documents, which agree', async () => {
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...plainHttp });
    const openidServer = await oauth.processDiscoveryResponse(issuer, response);
    for (const [name, value] of Object.entries(server)) assert.deepEqual(openidServer[name], value, name);
  });

  it('gets a token, validates it as a resource server (RFC 9068) and revokes it', async () => {
    const client = { client_id: agent.clientId };
    const authentication = oauth.ClientSecretPost(agent.clientSecret);
    const granted = await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope: 'tokens:read' }, plainHttp);
    const token = await oauth.processClientCredentialsResponse(server, client, granted);
    const request = new Request(`${node.issuer}/api/v1/agents`, { headers: { authorization: `Bearer ${token.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, node.issuer, plainHttp);
    assert.equal(claims.client_id, agent.clientId);
    assert.equal(claims.sub, agent.clientId);

    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token.access_token, plainHttp));
    const answer = await oauth.introspectionRequest(server, client, authentication, token.access_token, plainHttp);
    assert.deepEqual(await oauth.processIntrospectionResponse(server, client, answer), { active: false });
  });

  it('gets a token for another resource (RFC 8707), which is no key to this node', async () => {
    const client = { client_id: agent.clientId };
    const resource = 'https://tools.example/search';
    const token = await tokenFor(agent, 'agents:read', { resource });
    const request = new Request(resource, { headers: { authorization: `Bearer ${token.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, resource, plainHttp);
    assert.ok([claims.aud].flat().includes(resource));
    assert.equal((await bearer(token.access_token)).status, 401);
    const answer = await oauth.introspectionRequest(server, client, oauth.ClientSecretBasic(agent.clientSecret), token.access_token, plainHttp);
    const seen = await oauth.processIntrospectionResponse(server, client, answer);
    assert.equal(seen.active, true);
    assert.deepEqual([seen.aud].flat(), [claims.aud].flat());
  });

  it('reads the challenge of a protected route', async () => {
    const attempt = oauth.protectedResourceRequest('forged', 'GET', new URL('/agent-info', issuer), undefined, undefined, plainHttp);
    await assert.rejects(attempt, (caught) => {
      assert.ok(caught instanceof oauth.WWWAuthenticateChallengeError);
      assert.equal(caught.cause[0].scheme, 'bearer');
      assert.equal(caught.cause[0].parameters.error, 'invalid_token');
      return caught.status === 401;
    });
  });
});
