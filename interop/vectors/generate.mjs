// Test vectors for the protocol crate, made by the official npm and PyPI packages.
//
//   node vectors/generate.mjs            writes crates/x402/testdata/vectors.json
//   node vectors/generate.mjs --check    compares instead, exit code 1 where they differ
//
// Keys, time and nonces are fixed, so two runs give the same bytes. PYTHON names the interpreter that has the
// `x402` package (default: the one `cargo xtask` installs).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { x402Client } from "@x402/core/client";
import * as http from "@x402/core/http";
import { PaymentPayloadV1Schema, PaymentPayloadV2Schema, PaymentRequiredV1Schema, PaymentRequiredV2Schema } from "@x402/core/schemas";
import { authorizationTypes, DEFAULT_ASSETS } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { EVM_NETWORK_CHAIN_ID_MAP } from "@x402/evm/v1";
import { hashDomain, hashStruct, hashTypedData, keccak256, parseSignature, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { createPaymentHeader } from "x402/client";
import { EvmNetworkToChainId, PaymentRequirementsSchema, settleResponseHeader } from "x402/types";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const target = join(root, "crates", "x402", "testdata", "vectors.json");
const python = process.env.PYTHON ?? join(root, "target", "interop-venv", "bin", "python");
const inputs = JSON.parse(readFileSync(join(here, "inputs.json"), "utf8"));
const accounts = inputs.keys.map((key) => privateKeyToAccount(key));

// The clients take time and nonces from these two.
Date.now = () => inputs.now * 1000;
let draws = 0;
globalThis.crypto.getRandomValues = (bytes) => {
  bytes.set(Buffer.from(keccak256(toHex(`draw ${draws++}`)).slice(2), "hex").subarray(0, bytes.length));
  return bytes;
};

const versionOf = (name) => JSON.parse(readFileSync(join(here, "..", "node_modules", name, "package.json"), "utf8")).version;
const decode = (encoded) => JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
const header = (by, name, encoded, more = {}) => ({ by, header: name, ...more, encoded, json: decode(encoded) });

async function digest(domainFields, message, index) {
  const account = accounts[index % accounts.length];
  const domain = { ...domainFields, chainId: BigInt(domainFields.chainId) };
  const typed = {
    domain,
    types: authorizationTypes,
    primaryType: "TransferWithAuthorization",
    message: { from: account.address, to: message.to, value: BigInt(message.value), validAfter: BigInt(message.validAfter), validBefore: BigInt(message.validBefore), nonce: message.nonce },
  };
  const EIP712Domain = [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
  ];
  const signature = await account.signTypedData(typed);
  const { r, s, v } = parseSignature(signature);
  return {
    domain: domainFields,
    authorization: { from: account.address, ...message },
    privateKey: inputs.keys[index % accounts.length],
    domainSeparator: hashDomain({ domain, types: { EIP712Domain } }),
    structHash: hashStruct({ data: typed.message, primaryType: typed.primaryType, types: typed.types }),
    digest: hashTypedData(typed),
    signature,
    r,
    s,
    v: Number(v),
  };
}

async function digests() {
  const pairs = inputs.domains.flatMap((domain) => inputs.messages.map((message) => [domain, message]));
  return Promise.all(pairs.map(([domain, message], index) => digest(domain, message, index)));
}

async function headers() {
  const client = new x402Client();
  registerExactEvmScheme(client, { signer: accounts[0] });
  const core = `@x402/core ${versionOf("@x402/core")}`;
  const legacy = `x402 ${versionOf("x402")}`;
  const all = [];
  for (const required of inputs.paymentRequired) {
    PaymentRequiredV2Schema.parse(required);
    all.push(header(core, "PAYMENT-REQUIRED", http.encodePaymentRequiredHeader(required)));
    const payload = await client.createPaymentPayload(required);
    PaymentPayloadV2Schema.parse(payload);
    all.push(header(core, "PAYMENT-SIGNATURE", http.encodePaymentSignatureHeader(payload), { payer: accounts[0].address }));
  }
  for (const required of inputs.paymentRequiredV1) {
    PaymentRequiredV1Schema.parse(required);
    const payload = await client.createPaymentPayload(required);
    PaymentPayloadV1Schema.parse(payload);
    all.push(header(core, "X-PAYMENT", http.encodePaymentSignatureHeader(payload), { payer: accounts[0].address, paymentRequired: required }));
    const requirements = PaymentRequirementsSchema.parse(required.accepts[0]);
    all.push(header(legacy, "X-PAYMENT", await createPaymentHeader(accounts[1], 1, requirements), { payer: accounts[1].address, paymentRequired: required }));
  }
  for (const settled of inputs.settleResponses) all.push(header(core, "PAYMENT-RESPONSE", http.encodePaymentResponseHeader(settled)));
  for (const settled of inputs.settleResponsesV1) all.push(header(legacy, "X-PAYMENT-RESPONSE", settleResponseHeader(settled)));
  return all;
}

const ours = { digests: await digests(), headers: await headers() };
const theirs = JSON.parse(
  execFileSync(python, [join(here, "generate.py")], { input: JSON.stringify(inputs), encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] }),
);
for (const [index, pair] of ours.digests.entries()) {
  for (const field of ["domainSeparator", "structHash", "digest", "signature"]) {
    if (pair[field] !== theirs.digests[index][field]) throw new Error(`digest ${index}: npm and PyPI disagree on ${field}`);
  }
}
const vectors = {
  about: "Made by interop/vectors/generate.mjs with the official packages named in `packages`. Do not edit.",
  packages: { npm: { "@x402/core": versionOf("@x402/core"), "@x402/evm": versionOf("@x402/evm"), x402: versionOf("x402"), viem: versionOf("viem") }, pypi: theirs.packages },
  now: inputs.now,
  keys: inputs.keys.map((privateKey, index) => ({ privateKey, address: accounts[index].address })),
  digests: ours.digests,
  headers: [...ours.headers, ...theirs.headers],
  // The names that v1 gives to chains. The packages differ: a name is only safe where all that know it agree.
  networksV1: { "x402 (npm)": Object.fromEntries(EvmNetworkToChainId), "@x402/evm (npm)": EVM_NETWORK_CHAIN_ID_MAP, "x402 (pypi)": theirs.networks },
  assets: { npm: DEFAULT_ASSETS, pypi: theirs.assets },
};
const text = `${JSON.stringify(vectors, null, 2)}\n`;
if (process.argv.includes("--check")) {
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`${target} is not what the official packages make: run \`node interop/vectors/generate.mjs\` and look at the difference`);
    process.exit(1);
  }
  console.log(`${vectors.digests.length} digests and ${vectors.headers.length} headers agree with the official packages`);
} else {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`wrote ${vectors.digests.length} digests and ${vectors.headers.length} headers to ${target}`);
}
