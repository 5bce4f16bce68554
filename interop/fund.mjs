// Puts our token where Base Sepolia has its USDC on the Anvil at RPC_URL, and gives BUYERS (addresses, by comma) a million each.
import { readFileSync } from "node:fs";
import { createTestClient, defineChain, http, parseAbi, publicActions, walletActions } from "viem";
import { env } from "./lib.mjs";

const token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
const owner = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const code = readFileSync(new URL("../contracts/out/Token.bin-runtime", import.meta.url), "utf8").trim();
const abi = parseAbi([
  "function owner() view returns (address)",
  "function initialize(string name, string symbol, string version, uint8 decimals, address owner)",
  "function mint(address to, uint256 value) returns (bool)",
]);

const rpc = env("RPC_URL");
const chain = defineChain({ id: 84532, name: "Base Sepolia", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 }, rpcUrls: { default: { http: [rpc] } } });
const client = createTestClient({ mode: "anvil", chain, transport: http(rpc), account: owner, pollingInterval: 10 }).extend(publicActions).extend(walletActions);

const write = async (functionName, args) => {
  const hash = await client.writeContract({ address: token, abi, functionName, args });
  const { status } = await client.waitForTransactionReceipt({ hash });
  if (status !== "success") throw new Error(`${functionName} failed`);
};
await client.setCode({ address: token, bytecode: code.startsWith("0x") ? code : `0x${code}` });
const present = await client.readContract({ address: token, abi, functionName: "owner" });
if (BigInt(present) === 0n) await write("initialize", ["USDC", "USDC", "2", 6, owner]);
for (const buyer of env("BUYERS").split(",")) await write("mint", [buyer, 1_000_000_000_000n]);
