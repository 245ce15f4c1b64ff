// `jose`, unmodified: our tokens verify against the published keys, and what it forges the node refuses.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { forgeries } from './forgeries.mjs';
import { bearer, decode, discover, newAgent, node, tokenFor } from './provider.mjs';

const jwksUrl = new URL('/.well-known/jwks.json', node.issuer);
let agent, config, genuine, other, idToken;
before(async () => {
  agent = await newAgent('jose');
  config = await discover(agent);
  ({ access_token: genuine, id_token: idToken } = await tokenFor(agent, 'openid agents:read', { nonce: 'seen-once' }));
  ({ access_token: other } = await tokenFor(agent, 'agents:read tokens:read'));
});

describe('jose verifies', () => {
  const remote = jose.createRemoteJWKSet(jwksUrl);

  it('an access token from the remote key set', async () => {
    const { payload, protectedHeader } = await jose.jwtVerify(genuine, remote, {
      issuer: node.issuer,
      audience: node.issuer,
      subject: agent.clientId,
      typ: 'at+jwt',
      algorithms: [process.env.INTEROP_ALGORITHM],
      requiredClaims: ['client_id', 'scope', 'jti', 'iat', 'exp', 'organization_id'],
    });
    assert.equal(payload.organization_id, node.organizationId);
    assert.equal(payload.exp - payload.iat, 3600);
    assert.ok(protectedHeader.kid);
  });

  it('an ID token from the remote key set', async () => {
    const { payload } = await jose.jwtVerify(idToken, remote, { issuer: node.issuer, audience: agent.clientId, typ: 'JWT', algorithms: [process.env.INTEROP_ALGORITHM], requiredClaims: ['exp', 'iat', 'sub'] });
    assert.equal(payload.nonce, 'seen-once');
  });

  it('no token with a changed claim', async () => {
    const { parts, claims } = decode(genuine);
    const changed = Buffer.from(JSON.stringify({ ...claims, scope: 'admin:orgs' })).toString('base64url');
    await assert.rejects(jose.jwtVerify(`${parts[0]}.${changed}.${parts[2]}`, remote), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });

  it('that the key set is public, and every key names its use, its algorithm and its thumbprint', async () => {
    const response = await fetch(jwksUrl);
    assert.match(response.headers.get('content-type'), /^application\/(jwk-set\+)?json/);
    const { keys } = await response.json();
    assert.ok(keys.length >= 1);
    for (const key of keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.equal(key[secret], undefined, secret);
      assert.equal(key.use, 'sig');
      assert.ok(['EdDSA', 'ES256', 'RS256'].includes(key.alg), key.alg);
      assert.equal(key.kid, await jose.calculateJwkThumbprint(key));
    }
  });
});

describe('the node refuses what jose forges', async () => {
  it('but not the genuine token that the forgeries are made from', async () => {
    assert.equal((await openid.tokenIntrospection(config, genuine)).active, true);
    assert.equal((await bearer(genuine, `/api/v1/agents/${agent.clientId}`)).status, 200);
    assert.equal((await bearer(genuine, '/agent-info')).status, 200);
  });

  it('in every forged form', async (context) => {
    const jwks = await (await fetch(jwksUrl)).json();
    for (const [name, token] of await forgeries({ genuine, other, idToken, jwks })) {
      await context.test(name, () => assertRefused(token));
    }
  });

  it('and still takes the genuine one afterwards', async () => {
    assert.equal((await openid.tokenIntrospection(config, genuine)).active, true);
    assert.equal((await bearer(genuine, '/agent-info')).status, 200);
  });
});

/** What RFC 6750 §2.1 allows in the header; anything else is a malformed request, and not a token that is invalid. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

async function assertRefused(token) {
  const [status, error] = B64TOKEN.test(token) ? [401, 'invalid_token'] : [400, 'invalid_request'];
  assert.deepEqual(await openid.tokenIntrospection(config, token), { active: false });
  for (const path of [`/api/v1/agents/${agent.clientId}`, '/agent-info']) {
    const url = new URL(path, node.issuer);
    const attempt = oauth.protectedResourceRequest(token, 'GET', url, undefined, undefined, { [oauth.allowInsecureRequests]: true });
    await assert.rejects(attempt, (caught) => {
      assert.ok(caught instanceof oauth.WWWAuthenticateChallengeError, `${path} answered without a challenge: ${caught}`);
      assert.equal(caught.status, status);
      assert.equal(caught.cause[0].scheme, 'bearer');
      assert.equal(caught.cause[0].parameters.error, error);
      return true;
    });
  }
}
