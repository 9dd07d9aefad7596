// The article's two Lambda functions, written anew from their description: one signs a token by
// hand with kms:Sign, the other has kms:Verify check it. Run as
//   node article_functions.mjs '[["issue", {}], ["authorize", {"authorizationToken": …}]]'
// it prints what each call returned, or the name of the error that the function died of.
import { createRequire } from "node:module";

// The SDK is installed beside the other JavaScript tests.
const require = createRequire(new URL("../js/package.json", import.meta.url));
const { KMSClient, SignCommand, VerifyCommand } = require("@aws-sdk/client-kms");

const kms = new KMSClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_KMS,
});
const DAY = 86_400;
const signing = {
  KeyId: process.env.KMS_KEY_ID,
  MessageType: "RAW",
  SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
};
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function issue() {
  const iat = Math.floor(Date.now() / 1000);
  const header = { alg: "RS256", typ: "JWT", kid: process.env.KMS_KEY_ID };
  const payload = { user_name: "ala", iat, exp: iat + DAY };
  const message = `${encoded(header)}.${encoded(payload)}`;
  const { Signature } = await kms.send(
    new SignCommand({ ...signing, Message: Buffer.from(message) }),
  );
  const token = `${message}.${Buffer.from(Signature).toString("base64")}`;
  return { isBase64Encoded: false, statusCode: 200, body: JSON.stringify(token) };
}

async function authorize(event) {
  const token = event.authorizationToken.replace("Bearer ", "");
  const [header, payload, signature] = token.split(".");
  const { SignatureValid } = await kms.send(
    new VerifyCommand({
      ...signing,
      Message: Buffer.from(`${header}.${payload}`),
      Signature: Buffer.from(signature, "base64"),
    }),
  );
  const Effect = SignatureValid ? "Allow" : "Deny";
  const statement = { Action: "execute-api:Invoke", Effect, Resource: event.methodArn };
  return {
    principalId: "user",
    policyDocument: { Version: "2012-10-17", Statement: [statement] },
  };
}

const functions = { issue, authorize };
const outcome = (call) => call.catch((error) => ({ diedOf: error.name }));
const calls = JSON.parse(process.argv[2]);
const answers = calls.map(([name, event]) => outcome(functions[name](event)));
console.log(JSON.stringify(await Promise.all(answers)));
