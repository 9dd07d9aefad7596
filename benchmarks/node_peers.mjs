// Libraries for Node, driven by node.py: `node node_peers.mjs FOLDER-WITH-NODE_MODULES`.
// First line in: the work. First line out: what each contender accepts. Then, for each line
// {contender, passes} in, a line out: nanoseconds of wall time for that many passes over the tokens.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { createPublicKey } from "node:crypto";

const required = createRequire(process.argv[2] + "/");
const REQUIRED = ["iss", "aud", "exp", "nbf", "iat"];

const MAKERS = {
  "aws-jwt-verify, verifySync": (work) => {
    const { JwtVerifier } = required("aws-jwt-verify");
    const verifier = JwtVerifier.create({
      issuer: work.issuer,
      audience: work.audience,
      jwksUri: "https://tokens.example.com/jwks.json", // never asked: the set is given
      graceSeconds: 30,
      customJwtCheck: requireExp,
    });
    verifier.cacheJwks(work.jwks);
    return sync((token) => verifier.verifySync(token));
  },
  "fast-jwt, no cache": (work) => {
    const { createVerifier } = required("fast-jwt");
    const key = createPublicKey({ key: work.jwks.keys[0], format: "jwk" });
    const verify = createVerifier({
      key: key.export({ type: "spki", format: "pem" }),
      algorithms: [work.alg],
      allowedIss: work.issuer,
      allowedAud: work.audience,
      requiredClaims: REQUIRED,
      checkTyp: work.typ,
      clockTolerance: 30_000,
      cache: false,
    });
    return sync(verify);
  },
  "jose, local JWKS": (work) => {
    const { createLocalJWKSet, jwtVerify } = required("jose");
    const keys = createLocalJWKSet(work.jwks);
    const options = {
      algorithms: [work.alg],
      issuer: work.issuer,
      audience: work.audience,
      typ: work.typ,
      requiredClaims: REQUIRED,
      clockTolerance: 30,
    };
    return async (tokens) => {
      for (const token of tokens) await jwtVerify(token, keys, options);
    };
  },
};

// aws-jwt-verify takes a token without exp; its own hook makes it as strict as the others.
function requireExp({ payload }) {
  if (payload.exp === undefined) throw new Error("exp is missing");
}

function sync(verify) {
  return (tokens) => {
    for (const token of tokens) verify(token);
  };
}

async function accepts(run, token) {
  try {
    await run([token]);
    return true;
  } catch {
    return false;
  }
}

async function examine(run, { tokens, forgeries }) {
  await run(tokens);
  const accepted = [];
  for (const [name, token] of Object.entries(forgeries))
    if (await accepts(run, token)) accepted.push(name);
  return accepted;
}

async function timed(run, tokens, passes) {
  const begun = process.hrtime.bigint();
  for (let pass = 0; pass < passes; pass++) await run(tokens);
  return Number(process.hrtime.bigint() - begun);
}

const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const work = JSON.parse((await lines.next()).value);
const runs = {};
const accepted = { version: process.versions.node };
for (const [name, make] of Object.entries(MAKERS)) {
  try {
    runs[name] = make(work);
    accepted[name] = { accepted: await examine(runs[name], work) };
  } catch (error) {
    accepted[name] = { error: String(error) };
  }
}
say(accepted);
for await (const line of lines) {
  const { contender, passes } = JSON.parse(line);
  say(await timed(runs[contender], work.tokens, passes));
}
