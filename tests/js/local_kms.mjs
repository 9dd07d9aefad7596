// The AWS SDK for JavaScript against the local KMS. Node's own crypto checks the signatures.
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import * as sdk from "@aws-sdk/client-kms";

const client = new sdk.KMSClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_KMS,
  maxAttempts: 2,
});
const send = (name, input) => client.send(new sdk[`${name}Command`](input));
const message = Buffer.from("header.payload");

async function refused(name, input, error) {
  await assert.rejects(send(name, input), (thrown) => {
    assert.equal(thrown.name, error);
    if (sdk[error]) assert.ok(thrown instanceof sdk[error], `${error} is the SDK's class`);
    assert.ok(thrown.$metadata.requestId);
    return true;
  });
}

async function signsWith(KeySpec, SigningAlgorithm, check) {
  const { KeyMetadata } = await send("CreateKey", { KeySpec, KeyUsage: "SIGN_VERIFY" });
  assert.ok(KeyMetadata.CreationDate instanceof Date);
  const { Arn: KeyId } = KeyMetadata;
  const { PublicKey, KeyId: arn } = await send("GetPublicKey", { KeyId });
  assert.equal(arn, KeyId);
  const publicKey = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
  const { Signature } = await send("Sign", { KeyId, SigningAlgorithm, Message: message });
  assert.ok(check(publicKey, Signature), `${KeySpec} ${SigningAlgorithm}`);
  const input = { KeyId, SigningAlgorithm, Message: message, Signature };
  assert.equal((await send("Verify", input)).SignatureValid, true);
  const other = Buffer.from("another message");
  await refused("Verify", { ...input, Message: other }, "KMSInvalidSignatureException");
  return KeyId;
}

const rs256 = (key, signature) => verify("sha256", message, key, signature);
const es = (hash) => (key, signature) => verify(hash, message, key, signature); // DER
const pure = (key, signature) => verify(null, message, key, signature);

const rsa = await signsWith("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", rs256);
const ec = await signsWith("ECC_NIST_P256", "ECDSA_SHA_256", es("sha256"));
await signsWith("ECC_NIST_P521", "ECDSA_SHA_512", es("sha512"));
await signsWith("ECC_SECG_P256K1", "ECDSA_SHA_256", es("sha256"));
await signsWith("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", pure);

await send("CreateAlias", { AliasName: "alias/js", TargetKeyId: rsa });
const described = await send("DescribeKey", { KeyId: "alias/js" });
assert.equal(described.KeyMetadata.Arn, rsa);
const { Aliases } = await send("ListAliases", { KeyId: rsa });
assert.deepEqual(Aliases.map((alias) => alias.AliasName), ["alias/js"]);
assert.ok(Aliases[0].LastUpdatedDate instanceof Date);

await send("TagResource", { KeyId: ec, Tags: [{ TagKey: "a", TagValue: "b" }] });
const { Tags } = await send("ListResourceTags", { KeyId: ec });
assert.deepEqual(Tags, [{ TagKey: "a", TagValue: "b" }]);

const listed = [];
for await (const page of sdk.paginateListKeys({ client, pageSize: 2 }, {})) {
  assert.ok(page.Keys.length <= 2);
  listed.push(...page.Keys.map((key) => key.KeyArn));
}
assert.equal(new Set(listed).size, 5);

await refused("DescribeKey", { KeyId: "alias/nobody" }, "NotFoundException");
const sign = { KeyId: ec, SigningAlgorithm: "ECDSA_SHA_256", Message: message };
await refused("Sign", { ...sign, DryRun: true }, "DryRunOperationException");
await refused("Sign", { ...sign, SigningAlgorithm: "ECDSA_SHA_384" }, "InvalidKeyUsageException");
await refused("Sign", { ...sign, Message: Buffer.alloc(4097) }, "ValidationException");
await refused("CreateKey", { KeySpec: "ECC_NIST_P256" }, "ValidationException");
await send("DisableKey", { KeyId: ec });
await refused("GetPublicKey", { KeyId: ec }, "DisabledException");
const deletion = await send("ScheduleKeyDeletion", { KeyId: ec, PendingWindowInDays: 7 });
assert.equal(deletion.KeyState, "PendingDeletion");
assert.ok(deletion.DeletionDate > new Date());

const together = await Promise.all(
  Array.from({ length: 64 }, () =>
    send("Sign", { KeyId: rsa, SigningAlgorithm: "RSASSA_PSS_SHA_256", Message: message })),
);
assert.equal(new Set(together.map((one) => one.$metadata.requestId)).size, 64);

console.log("all good");
