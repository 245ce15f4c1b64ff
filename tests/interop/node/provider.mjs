// The node under test as its clients see it: what `tests/interop/run` wrote down about it, and the few plain requests
// that the libraries have no function for.

import { readFileSync } from 'node:fs';
import * as openid from 'openid-client';

/** `{issuer, clientId, clientSecret, organizationId}` of the running node; the client is its first administrator. */
export const node = JSON.parse(readFileSync(process.env.INTEROP_NODE_JSON, 'utf8'));

/** The node speaks plain HTTP on loopback here; the libraries insist on TLS unless told. */
export const insecure = { execute: [openid.allowInsecureRequests] };

/** An `openid-client` configuration found through the OpenID Connect document (or the RFC 8414 one). */
export function discover(client, authentication = openid.ClientSecretBasic(client.clientSecret), algorithm = 'oidc') {
  return openid.discovery(new URL(client.issuer ?? node.issuer), client.clientId, {}, authentication, { ...insecure, algorithm });
}

/** A token of `client` with exactly `scope`; `parameters` are added to the request. */
export async function tokenFor(client, scope, parameters = {}) {
  return openid.clientCredentialsGrant(await discover(client), { scope, ...parameters });
}

/** Registers an agent with a credential of its own, as an administrator does (only `admin:orgs` may do so for others). */
export async function newAgent(name, admin = node) {
  const { access_token } = await tokenFor(admin, 'agents:write admin:orgs');
  const agent = await manage(admin, access_token, '/api/v1/agents', {
    email: `${name}-${crypto.randomUUID()}@interop.test`,
    agentType: 'custom',
    version: '1.0.0',
    capabilities: ['interop:test'],
    owner: 'interop',
    deploymentEnv: 'development',
  });
  const credential = await manage(admin, access_token, `/api/v1/agents/${agent.agentId}/credentials`, {});
  return { issuer: admin.issuer, clientId: credential.clientId, clientSecret: credential.clientSecret };
}

async function manage(admin, token, path, body) {
  const response = await fetch(admin.issuer + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

/** Presents `token` as a bearer to a protected route; the answer is not read. */
export function bearer(token, path = `/api/v1/agents/${node.clientId}`, issuer = node.issuer) {
  return fetch(issuer + path, { headers: { authorization: `Bearer ${token}` } });
}

/** The decoded header and claims of a compact JWS, unverified, and its three parts. */
export function decode(token) {
  const parts = token.split('.');
  const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
  return { header, claims, parts };
}

/** The base64url form of a JSON value. */
export function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
