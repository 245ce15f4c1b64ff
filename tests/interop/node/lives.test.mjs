// Tokens that are genuine to the last bit, at the wrong time or place: one data directory lives several times, under
// shifted clocks (libfaketime) and under another issuer. No forger is needed, so only the claims can be the reason.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import * as openid from 'openid-client';
import { bearer, discover, tokenFor } from './provider.mjs';

const HOUR = 3600;
const scratch = mkdtempSync(join(tmpdir(), 'agentidp-lives-'));
const dataDir = join(scratch, 'data');
const log = join(scratch, 'node.log');
let running;
after(async () => {
  await stop();
  rmSync(scratch, { recursive: true });
});

/** Starts the node on the one data directory; `shift` seconds are added to its clock. */
async function live({ listen = '127.0.0.1:0', shift = 0, env = {} }) {
  await stop();
  const command = [process.env.AGENTIDP_BIN, 'dev', '--listen', listen, '--operator-listen', '127.0.0.1:0', '--data-dir', dataDir, '--json'];
  running = spawn(command[0], command.slice(1), {
    env: { ...process.env, AGENTIDP_LIMITS__REQUESTS_PER_MINUTE: '0', ...(shift ? shifted(shift) : {}), ...env },
    stdio: ['ignore', 'pipe', openSync(log, 'a')],
  });
  const line = await Promise.race([
    once(createInterface(running.stdout), 'line').then(([text]) => text),
    once(running, 'exit').then(([code]) => { throw new Error(`the node ended with ${code} before it was ready:\n${readFileSync(log, 'utf8')}`); }),
  ]);
  return JSON.parse(line);
}

/** What makes libfaketime move a process's wall clock, and only that. The `faketime` command would stand between us and it. */
function shifted(seconds) {
  return { LD_PRELOAD: process.env.INTEROP_FAKETIME, FAKETIME: `+${seconds}s`, DONT_FAKE_MONOTONIC: '1' };
}

async function stop() {
  if (!running || running.exitCode !== null || running.signalCode !== null) return;
  const ended = once(running, 'exit');
  running.kill('SIGTERM');
  await ended;
}

async function fate(client, token) {
  const answer = await openid.tokenIntrospection(await discover(client), token);
  const used = await bearer(token, '/agent-info', client.issuer);
  return { active: answer.active, status: used.status, challenge: used.headers.get('www-authenticate') };
}

async function assertAlive(client, token) {
  const { active, status } = await fate(client, token);
  assert.deepEqual({ active, status }, { active: true, status: 200 });
}

async function assertDead(client, token) {
  const { active, status, challenge } = await fate(client, token);
  assert.deepEqual({ active, status }, { active: false, status: 401 });
  assert.match(challenge, /^Bearer .*error="invalid_token"/);
}

test('a genuine token is refused outside its time and by another issuer', async (context) => {
  const first = await live({});
  const client = { issuer: first.issuer, clientId: first.clientId, clientSecret: first.clientSecret };
  const listen = new URL(first.issuer).host;
  const early = (await tokenFor(client, 'openid')).access_token;
  await context.test('it lives in its own time', () => assertAlive(client, early));

  await live({ listen, shift: 2 * HOUR });
  const late = (await tokenFor(client, 'openid')).access_token;
  await context.test('two hours later it has expired', () => assertDead(client, early));
  await context.test('while one issued then is alive', () => assertAlive(client, late));

  await live({ listen });
  // The issuer's clock may have been ahead: `nbf` would say that it must not be used yet, `iat` does not (RFC 7519 §4.1.6).
  await context.test('one issued by a clock that was ahead is alive', () => assertAlive(client, late));
  await context.test('and the first one lives again', () => assertAlive(client, early));

  const issuer = `http://localhost:${new URL(first.issuer).port}`;
  await live({ listen, env: { AGENTIDP_SERVER__PUBLIC_URL: issuer } });
  const renamed = { ...client, issuer };
  await context.test('the same node under another name refuses it', () => assertDead(renamed, early));
  const native = (await tokenFor(renamed, 'openid')).access_token;
  await context.test('and takes its own', () => assertAlive(renamed, native));
});
