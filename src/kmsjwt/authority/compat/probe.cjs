// Shows tokens to aws-jwt-verify and tells which it refuses, and why. Reads one JSON object from
// standard input and writes one to standard output; running.py says what they hold.
'use strict';

const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

const told = JSON.parse(readFileSync(0, 'utf8'));
const there = createRequire(join(told.modules, 'probe.cjs'));
const { JwtVerifier } = there('aws-jwt-verify');
const { SimpleJwksCache } = there('aws-jwt-verify/jwk');
const { version } = JSON.parse(
  readFileSync(join(told.modules, 'aws-jwt-verify', 'package.json'), 'utf8'),
);

// It reads the published bytes itself, as it would those that it fetched.
const fetcher = { fetch: async () => new TextEncoder().encode(told.jwks).buffer };

async function refusal({ token, aud }) {
  try {
    const verifier = JwtVerifier.create(
      {
        issuer: told.issuer,
        audience: aud.length ? aud : 'nobody',
        ...(told.jwksUri ? { jwksUri: told.jwksUri } : {}),
      },
      { jwksCache: new SimpleJwksCache({ fetcher }) },
    );
    await verifier.verify(token);
    return null;
  } catch (error) {
    return { name: error.constructor.name, message: error.message.slice(0, 300) };
  }
}

(async () => {
  const refusals = [];
  for (const trial of told.trials) refusals.push(await refusal(trial));
  process.stdout.write(JSON.stringify({ version, refusals }));
})();
