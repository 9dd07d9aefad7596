// aws-jwt-verify with a JWKS on disk.
const { readFileSync, writeSync } = require("node:fs");
const { JwtVerifier } = require("aws-jwt-verify");

const verifier = JwtVerifier.create({
  issuer: "https://tokens.example.com",
  audience: "https://orders.example.com",
});
verifier.cacheJwks(JSON.parse(readFileSync(`${process.argv[2]}/jwks.json`, "utf8")));
const token = readFileSync(`${process.argv[2]}/token`, "utf8");
writeSync(1, `${verifier.verifySync(token).sub}\n`);
process.exit(0);
