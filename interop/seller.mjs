// The official Express seller: GET /paid costs PRICE and is settled by FACILITATOR_URL; GET /hits counts how often it was served.
import express from "express";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import { env, listen } from "./lib.mjs";

const network = env("NETWORK", "eip155:84532");
const token = process.env.FACILITATOR_TOKEN;
const authorization = { Authorization: `Bearer ${token}` };
const facilitator = new HTTPFacilitatorClient({
  url: env("FACILITATOR_URL"),
  ...(token && { createAuthHeaders: async () => ({ verify: authorization, settle: authorization, supported: authorization }) }),
});
const server = new x402ResourceServer(facilitator).register(network, new ExactEvmScheme());
const accepts = { scheme: "exact", network, payTo: env("PAY_TO"), price: env("PRICE", "$0.01") };
const body = "x".repeat(1024);
let hits = 0;

const app = express();
app.get("/hits", (_, response) => response.json({ hits }));
app.use(paymentMiddleware({ "GET /paid": { accepts, description: "one KiB", mimeType: "text/plain" } }, server));
app.get("/paid", (_, response) => {
  hits += 1;
  response.type("text/plain").send(body);
});
listen(app);
