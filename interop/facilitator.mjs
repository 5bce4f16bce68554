// The official TypeScript facilitator on RPC_URL, settling with PRIVATE_KEY: /verify, /settle, /supported.
import express from "express";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import { chainClient, env, listen } from "./lib.mjs";

const network = env("NETWORK", "eip155:84532");
const client = chainClient(Number(network.split(":")[1]));
const signer = toFacilitatorEvmSigner({
  address: client.account.address,
  readContract: (args) => client.readContract(args),
  verifyTypedData: (args) => client.verifyTypedData(args),
  writeContract: (args) => client.writeContract(args),
  sendTransaction: (args) => client.sendTransaction(args),
  waitForTransactionReceipt: (args) => client.waitForTransactionReceipt(args),
  getCode: (args) => client.getCode(args),
});
const facilitator = new x402Facilitator();
registerExactEvmScheme(facilitator, { signer, networks: network });

const answer = (run) => async (request, response) => {
  try {
    const answer = await run(request.body.paymentPayload, request.body.paymentRequirements);
    if (answer.success === false || answer.isValid === false) console.error(request.path, JSON.stringify(answer));
    response.json(answer);
  } catch (error) {
    console.error(request.path, error);
    response.status(500).json({ error: String(error?.message ?? error) });
  }
};
const app = express();
app.use(express.json());
app.post("/verify", answer((payload, requirements) => facilitator.verify(payload, requirements)));
app.post("/settle", answer((payload, requirements) => facilitator.settle(payload, requirements)));
app.get("/supported", (_, response) => response.json(facilitator.getSupported()));
listen(app);
