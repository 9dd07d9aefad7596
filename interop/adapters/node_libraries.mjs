// Four JavaScript libraries behind one line protocol; `interop/adapters/__init__.py` says what the
// lines are. Run it in a folder that has the node_modules.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const here = createRequire(`${process.cwd()}/`);
const { JwtVerifier } = here('aws-jwt-verify');
const { createSigner, createVerifier } = here('fast-jwt');
const jose = here('jose');
const jsonwebtoken = here('jsonwebtoken');

const publicKey = (jwk) => createPublicKey({ key: jwk, format: 'jwk' });
const privateKey = (jwk) => createPrivateKey({ key: jwk, format: 'jwk' });

const LIBRARIES = {
  jose: {
    async verify({ token, jwk, alg, issuer, audience }) {
      const keys = jose.createLocalJWKSet({ keys: [jwk] });
      const { payload } = await jose.jwtVerify(token, keys, { algorithms: [alg], issuer, audience });
      return payload;
    },
    async sign({ claims, jwk, alg, kid }) {
      const key = await jose.importJWK(jwk, alg);
      return new jose.SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(key);
    },
  },
  jsonwebtoken: {
    verify: ({ token, jwk, alg, issuer, audience }) =>
      jsonwebtoken.verify(token, publicKey(jwk), { algorithms: [alg], issuer, audience }),
    sign: ({ claims, jwk, alg, kid }) =>
      jsonwebtoken.sign(claims, privateKey(jwk), { algorithm: alg, keyid: kid }),
  },
  'fast-jwt': {
    verify: ({ token, pem, alg, issuer, audience }) =>
      createVerifier({ key: pem, algorithms: [alg], allowedIss: issuer, allowedAud: audience })(
        token,
      ),
    sign: ({ claims, pem, alg, kid }) => createSigner({ key: pem, algorithm: alg, kid })(claims),
  },
  'aws-jwt-verify': {
    verify({ token, jwk, issuer, audience }) {
      const verifier = JwtVerifier.create({
        issuer,
        audience,
        jwksUri: `${issuer}/.well-known/jwks.json`,
      });
      verifier.cacheJwks({ keys: [jwk] });
      return verifier.verifySync(token);
    },
  },
};

function version(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
}

async function answer(ask) {
  if (ask.op === 'about') {
    const libraries = Object.fromEntries(
      Object.keys(LIBRARIES).map((name) => [name, version(name)]),
    );
    return { ok: true, runtime: process.versions.node, libraries };
  }
  const library = LIBRARIES[ask.library];
  try {
    if (ask.op === 'verify') return { ok: true, claims: await library.verify(ask) };
    if (!library.sign) return { ok: false, error: 'it verifies only' };
    return { ok: true, token: await library.sign(ask) };
  } catch (error) {
    return { ok: false, error: `${error.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
