// The official client of facilitators talks to FACILITATOR_URL: what it supports, then one payment of PRIVATE_KEY to PAY_TO that
// is verified, settled, settled again and verified again, and three that must be refused. One JSON line with all answers.
import { HTTPFacilitatorClient } from "@x402/core/server";
import { x402Client } from "@x402/core/client";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { account, env } from "./lib.mjs";

const facilitator = new HTTPFacilitatorClient({ url: env("FACILITATOR_URL") });
const requirements = {
  scheme: "exact",
  network: env("NETWORK", "eip155:84532"),
  amount: "10000",
  asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
  payTo: env("PAY_TO"),
  maxTimeoutSeconds: 300,
  extra: { name: "USDC", version: "2" },
};
const client = new x402Client();
registerExactEvmScheme(client, { signer: account() });
const sign = () => client.createPaymentPayload({ x402Version: 2, resource: { url: "http://127.0.0.1/paid" }, accepts: [requirements] });
const said = (promise) => promise.catch((error) => ({ threw: String(error?.message ?? error), ...error }));

const supported = await facilitator.getSupported();
const payload = await sign();
const verified = await said(facilitator.verify(payload, requirements));
const settled = await said(facilitator.settle(payload, requirements));
const again = await said(facilitator.settle(payload, requirements));
const used = await said(facilitator.verify(payload, requirements));
const forged = await sign();
forged.payload.signature = `0x${"12".repeat(64)}1b`;
const cheap = await sign();
const elsewhere = { ...requirements, payTo: "0x000000000000000000000000000000000000dEaD" };
console.log(
  JSON.stringify({
    supported,
    verified,
    settled,
    again,
    used,
    forged: await said(facilitator.verify(forged, requirements)),
    dearer: await said(facilitator.verify(cheap, { ...requirements, amount: "10001" })),
    elsewhere: await said(facilitator.settle(cheap, elsewhere)),
  }),
);
