// The official client answers one 402 of TARGET_URL with COUNT signed payments, and sends none of them: one JSON line each,
// {header, value, payer, nonce, payment}; `payment` is the id under which Tollway keeps it.
// With SPELLINGS=1 it signs one, and prints the same authorization in many spellings instead: {name, method, query, headers}.
import { x402Client, x402HTTPClient } from "@x402/core/client";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { keccak256, toBytes } from "viem";
import { account, env } from "./lib.mjs";
import { spellings } from "./spellings.mjs";

const client = new x402Client();
registerExactEvmScheme(client, { signer: account() });
const http = new x402HTTPClient(client);
const response = await fetch(env("TARGET_URL"));
if (response.status !== 402) throw new Error(`expected a 402, got ${response.status}`);
const required = http.getPaymentRequiredResponse((name) => response.headers.get(name), undefined);

if (process.env.SPELLINGS) {
  const payload = await client.createPaymentPayload(required);
  for (const spelling of spellings(payload)) console.log(JSON.stringify(spelling));
} else {
  for (let made = 0; made < Number(env("COUNT", "1")); made++) {
    const payload = await client.createPaymentPayload(required);
    const [[header, value]] = Object.entries(http.encodePaymentSignatureHeader(payload));
    const { from, nonce } = payload.payload.authorization;
    const { network, asset } = payload.accepted;
    const key = `${network}/${asset}/${from}/${nonce}`.toLowerCase();
    console.log(JSON.stringify({ header, value, payer: from, nonce, payment: `pay_${keccak256(toBytes(key)).slice(2, 34)}` }));
  }
}
