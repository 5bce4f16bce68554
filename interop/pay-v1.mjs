// The official TypeScript client of x402 v1 pays TARGET_URL, COUNT times, CONCURRENCY at a time.
import { decodeXPaymentResponse, wrapFetchWithPayment } from "x402-fetch";
import { account, env, outcome, payMany } from "./lib.mjs";

const pay = wrapFetchWithPayment(fetch, account());

await payMany(async () => {
  const response = await pay(env("TARGET_URL"));
  const header = response.headers.get("X-PAYMENT-RESPONSE");
  return outcome(response, header && decodeXPaymentResponse(header));
});
