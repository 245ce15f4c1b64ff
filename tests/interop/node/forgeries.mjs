// Access tokens that the node must refuse: made with `jose` where it agrees to make them, by hand where it does not.
// Each starts from a genuine token, so that only the forged part can be the reason for the refusal.

import { createHmac, createPublicKey } from 'node:crypto';
import * as jose from 'jose';
import { decode, encode } from './provider.mjs';

/** `[name, token]` pairs. `genuine` is a live access token, `other` another one, `idToken` a live ID token. */
export async function forgeries({ genuine, other, idToken, jwks }) {
  const facts = { ...decode(genuine), jwks, ours: jwks.keys.find((key) => key.kid === decode(genuine).header.kid) };
  return [
    ...unsigned(facts),
    ...(await hmac(facts)),
    ...(await foreignKeys(facts)),
    ...(await claims(facts)),
    ...tampered(facts, decode(other)),
    ...headers(facts),
    ...(await keysInTheHeader(facts)),
    ...otherShapes(facts, idToken),
  ];
}

function unsigned({ header, claims, parts }) {
  const spellings = ['none', 'None', 'NONE', 'nOnE', ''].map((alg) => [
    `alg "${alg}" without a signature`,
    `${encode({ ...header, alg })}.${parts[1]}.`,
  ]);
  return [
    ...spellings,
    ['alg none as jose makes it', new jose.UnsecuredJWT(claims).encode()],
    ['alg none over the genuine signature', `${encode({ ...header, alg: 'none' })}.${parts[1]}.${parts[2]}`],
    ['no signature under the genuine header', `${parts[0]}.${parts[1]}.`],
    ['only header and claims', `${parts[0]}.${parts[1]}`],
  ];
}

/** The classic confusion: a verifier that takes the published key for an HMAC secret. */
async function hmac({ header, claims, parts, ours }) {
  const key = createPublicKey({ key: ours, format: 'jwk' });
  const secrets = {
    'the raw public key': Buffer.from(ours.x ?? ours.n, 'base64url'),
    'the public key in base64url': Buffer.from(ours.x ?? ours.n),
    'the JWK text': Buffer.from(JSON.stringify(ours)),
    'the PEM text': Buffer.from(key.export({ format: 'pem', type: 'spki' })),
    'the DER bytes': key.export({ format: 'der', type: 'spki' }),
    'the kid': Buffer.from(header.kid),
  };
  const made = [];
  for (const [name, secret] of Object.entries(secrets)) {
    const token = await new jose.SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret);
    made.push([`HS256 keyed with ${name}`, token]);
  }
  for (const bits of [384, 512]) {
    const input = `${encode({ ...header, alg: `HS${bits}` })}.${parts[1]}`;
    const tag = createHmac(`sha${bits}`, secrets['the JWK text']).update(input).digest('base64url');
    made.push([`HS${bits} keyed with the JWK text`, `${input}.${tag}`]);
  }
  const empty = `${encode({ ...header, alg: 'HS256' })}.${parts[1]}`;
  made.push(['HS256 with an empty key', `${empty}.${createHmac('sha256', '').update(empty).digest('base64url')}`]);
  return made;
}

/** Well-formed tokens of somebody else's keys: of every algorithm, under every key id that the node publishes. */
async function foreignKeys({ header, claims, jwks }) {
  const made = [];
  for (const alg of ['EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256', 'ES384']) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    const sign = (kid) => new jose.SignJWT(claims).setProtectedHeader({ ...header, alg, kid }).sign(privateKey);
    for (const { kid, alg: theirs } of jwks.keys) made.push([`${alg} of a foreign key under the kid of our ${theirs} key`, await sign(kid)]);
    const thumbprint = await jose.calculateJwkThumbprint(await jose.exportJWK(publicKey));
    made.push([`${alg} of a foreign key under its own kid`, await sign(thumbprint)]);
    made.push([`${alg} of a foreign key without a kid`, await sign(undefined)]);
  }
  return made;
}

/** Wrong claims under our kid. Only a broken signature check would let them come as far as their claims. */
async function claims({ header, claims, ours }) {
  const { privateKey } = await jose.generateKeyPair(header.alg);
  const now = Math.floor(Date.now() / 1000);
  const wrong = {
    'long expired': { iat: now - 7200, exp: now - 3600 },
    'without an expiry': { exp: undefined },
    'issued in the future': { iat: now + 3600, exp: now + 7200 },
    'not valid before the future': { nbf: now + 3600 },
    'for another audience': { aud: 'https://elsewhere.example' },
    'of another issuer': { iss: 'https://elsewhere.example' },
    'with an expiry that is text': { exp: String(now + 3600) },
    'with an expiry beyond every integer': { exp: 1e300 },
  };
  const made = [];
  for (const [name, change] of Object.entries(wrong)) {
    const jwt = new jose.SignJWT({ ...claims, ...change }).setProtectedHeader({ ...header, kid: ours.kid });
    made.push([`forged and ${name}`, await jwt.sign(privateKey)]);
  }
  return made;
}

function tampered({ header, claims, parts }, other) {
  const [head, body, signature] = parts;
  const changed = (change) => `${head}.${encode({ ...claims, ...change })}.${signature}`;
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = (at) => Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))).toString('base64url');
  return [
    ['more scope under the old signature', changed({ scope: 'admin:orgs agents:write' })],
    ['another subject under the old signature', changed({ sub: crypto.randomUUID() })],
    ['another organization under the old signature', changed({ organization_id: crypto.randomUUID() })],
    ['a later expiry under the old signature', changed({ exp: claims.exp + 86400 })],
    ['another jti under the old signature', changed({ jti: crypto.randomUUID() })],
    ['the claims of another token', `${head}.${other.parts[1]}.${signature}`],
    ['the signature of another token', `${head}.${body}.${other.parts[2]}`],
    ['the first bit of the signature flipped', `${head}.${body}.${flipped(0)}`],
    ['a middle bit of the signature flipped', `${head}.${body}.${flipped(bytes.length >> 1)}`],
    ['the last bit of the signature flipped', `${head}.${body}.${flipped(bytes.length - 1)}`],
    ['the signature cut short', `${head}.${body}.${signature.slice(0, -4)}`],
    ['the signature with bytes after it', `${head}.${body}.${Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url')}`],
    ['a signature of zeros', `${head}.${body}.${Buffer.alloc(bytes.length).toString('base64url')}`],
    ['the kid changed', `${encode({ ...header, kid: 'elsewhere' })}.${body}.${signature}`],
    ['the typ changed', `${encode({ ...header, typ: 'JWT' })}.${body}.${signature}`],
  ];
}

function headers({ header, parts }) {
  const under = (changed) => `${encode(changed)}.${parts[1]}.${parts[2]}`;
  return [
    ['a critical extension nobody knows', under({ ...header, crit: ['exp'], exp: 1 })],
    ['an unencoded payload announced', under({ ...header, b64: false, crit: ['b64'] })],
    ['compressed claims announced', under({ ...header, zip: 'DEF' })],
    ['a header that is an array', under([header])],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${parts[1]}.${parts[2]}`],
    ['two alg members', `${Buffer.from(`{"alg":"none","alg":"${header.alg}","kid":"${header.kid}","typ":"at+jwt"}`).toString('base64url')}.${parts[1]}.${parts[2]}`],
  ];
}

/** A forger sends the key along, or says where it is to be had (RFC 7515 §4.1.2–4.1.6). */
async function keysInTheHeader({ header, claims, ours }) {
  const { privateKey, publicKey } = await jose.generateKeyPair(header.alg, { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  const places = {
    'in the header': { jwk },
    'in the header, and no kid': { jwk, kid: undefined },
    'in the header, named like ours': { jwk: { ...jwk, kid: ours.kid } },
    'behind an address': { jku: 'http://127.0.0.1:9/jwks.json' },
    'in a certificate': { x5c: [Buffer.alloc(64).toString('base64')] },
    'in a file': { kid: '/dev/null' },
    'in a database': { kid: "' OR '1'='1" },
  };
  const made = [];
  for (const [name, change] of Object.entries(places)) {
    const jwt = new jose.SignJWT(claims).setProtectedHeader({ ...header, ...change });
    made.push([`a foreign key ${name}`, await jwt.sign(privateKey)]);
  }
  return made;
}

function otherShapes({ parts }, idToken) {
  const [head, body, signature] = parts;
  const last = signature.at(-1);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return [
    ['a genuine ID token', idToken],
    ['the JSON form of the token', JSON.stringify({ protected: head, payload: body, signature })],
    ['five parts', `${head}.${body}.${signature}.${body}.${signature}`],
    ['four parts', `${head}.${body}.${signature}.`],
    ['padding after the signature', `${head}.${body}.${signature}==`],
    ['unused bits set in the signature', `${head}.${body}.${signature.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`],
    ['nothing but dots', '..'],
    ['no token at all', 'not-a-token'],
    ['4,000 characters after the signature', `${head}.${body}.${signature}${'A'.repeat(4_000)}`],
  ];
}
