// What the scripts in this folder share: their environment, and a bounded number of payments at a time.
import { createWalletClient, defineChain, http, nonceManager, publicActions } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** An environment variable, or the default; without one it is demanded. */
export function env(name, fallback) {
  const value = process.env[name] ?? fallback;
  if (value === undefined) {
    console.error(`${name} is not set`);
    process.exit(2);
  }
  return value;
}

export const account = () => privateKeyToAccount(env("PRIVATE_KEY"));

/** A viem client that signs with PRIVATE_KEY and talks to RPC_URL. */
export function chainClient(chainId) {
  const rpc = env("RPC_URL");
  const chain = defineChain({ id: chainId, name: `eip155:${chainId}`, nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 }, rpcUrls: { default: { http: [rpc] } } });
  const signer = privateKeyToAccount(env("PRIVATE_KEY"), { nonceManager });
  return createWalletClient({ account: signer, chain, transport: http(rpc), pollingInterval: 100 }).extend(publicActions);
}

/** Runs `once` COUNT times, CONCURRENCY at a time, and prints one JSON line for each. */
export async function payMany(once) {
  const count = Number(env("COUNT", "1"));
  const concurrency = Math.min(Number(env("CONCURRENCY", "1")), count);
  let next = 0;
  const worker = async () => {
    while (next++ < count) {
      const start = performance.now();
      let line;
      try {
        line = await once();
      } catch (error) {
        line = { status: 0, paid: false, transaction: null, error: String(error?.message ?? error) };
      }
      console.log(JSON.stringify({ ...line, ms: Math.round(performance.now() - start) }));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** The line for one answer; `receipt` is the decoded PAYMENT-RESPONSE or X-PAYMENT-RESPONSE. */
export async function outcome(response, receipt) {
  const body = await response.text();
  const paid = response.status === 200 && receipt?.success === true;
  const error = paid ? null : (receipt?.errorReason ?? body.slice(0, 300));
  return { status: response.status, paid, transaction: receipt?.transaction ?? null, error, bytes: body.length };
}

/** Listens on PORT (0: any), and says where in one JSON line. */
export function listen(app) {
  const server = app.listen(Number(env("PORT", "0")), "127.0.0.1", () => {
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
  });
}
