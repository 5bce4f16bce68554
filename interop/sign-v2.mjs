// The official client answers one 402 of TARGET_URL with COUNT signed payments, and sends none of them: one JSON line each,
// {header, value, payer, nonce, payload}.
import { x402Client, x402HTTPClient } from "@x402/core/client";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { account, env } from "./lib.mjs";

const client = new x402Client();
registerExactEvmScheme(client, { signer: account() });
const http = new x402HTTPClient(client);
const response = await fetch(env("TARGET_URL"));
if (response.status !== 402) throw new Error(`expected a 402, got ${response.status}`);
const required = http.getPaymentRequiredResponse((name) => response.headers.get(name), undefined);
for (let made = 0; made < Number(env("COUNT", "1")); made++) {
  const payload = await client.createPaymentPayload(required);
  const [[header, value]] = Object.entries(http.encodePaymentSignatureHeader(payload));
  const { from, nonce } = payload.payload.authorization;
  console.log(JSON.stringify({ header, value, payer: from, nonce, payload }));
}
