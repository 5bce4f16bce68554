// The official TypeScript client of x402 v2 pays TARGET_URL, COUNT times, CONCURRENCY at a time.
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { account, env, outcome, payMany } from "./lib.mjs";

const client = new x402Client();
registerExactEvmScheme(client, { signer: account() });
const pay = wrapFetchWithPayment(fetch, client);

await payMany(async () => {
  const response = await pay(env("TARGET_URL"));
  const header = response.headers.get("PAYMENT-RESPONSE");
  return outcome(response, header && decodePaymentResponseHeader(header));
});
