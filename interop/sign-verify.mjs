// COUNT bodies for /verify, one a line: payments to PAY_TO of PAYERS plain wallets, signed by the official client. The wallets are funded
// on the Anvil at RPC_URL first.
import { execFileSync } from "node:child_process";
import { x402Client } from "@x402/core/client";
import { registerExactEvmScheme } from "@x402/evm/exact/client";
import { mnemonicToAccount } from "viem/accounts";
import { env } from "./lib.mjs";

const mnemonic = "test test test test test test test test test test test junk";
const wallets = Array.from({ length: Number(env("PAYERS")) }, (_, addressIndex) => mnemonicToAccount(mnemonic, { addressIndex: 100 + addressIndex }));
execFileSync(process.execPath, [new URL("fund.mjs", import.meta.url).pathname], {
  env: { ...process.env, BUYERS: wallets.map((wallet) => wallet.address).join(",") },
});

const paymentRequirements = {
  scheme: "exact",
  network: "eip155:84532",
  amount: "10000",
  asset: "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
  payTo: env("PAY_TO"),
  maxTimeoutSeconds: 3600,
  extra: { name: "USDC", version: "2" },
};
const clients = wallets.map((signer) => registerExactEvmScheme(new x402Client(), { signer }));
for (let made = 0; made < Number(env("COUNT")); made++) {
  const required = { x402Version: 2, resource: { url: "http://127.0.0.1/paid" }, accepts: [paymentRequirements] };
  const paymentPayload = await clients[made % clients.length].createPaymentPayload(required);
  console.log(JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements }));
}
