// Compiles src/*.sol into out/: per contract NAME.abi.json, NAME.bin (creation code) and NAME.bin-runtime
// (runtime code), both as bare hex without a newline. `--check` writes nothing and exits 1 where out/ differs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "out");
const check = process.argv.includes("--check");

const names = readdirSync(join(here, "src")).filter((name) => name.endsWith(".sol")).sort();
const sources = Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(here, "src", name), "utf8") }]));

const compiled = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources,
      settings: {
        optimizer: { enabled: true, runs: 1000 },
        evmVersion: "cancun",
        // No metadata hash: the bytecode depends on the code alone, so anybody's build is the same to the byte.
        metadata: { appendCBOR: false },
        outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
      },
    }),
  ),
);

const problems = compiled.errors ?? [];
for (const problem of problems) console.error(problem.formattedMessage);
if (problems.length > 0) process.exit(1);

const artifacts = new Map();
for (const contracts of Object.values(compiled.contracts)) {
  for (const [name, { abi, evm }] of Object.entries(contracts)) {
    if (evm.bytecode.object === "") continue; // an interface or an abstract contract
    artifacts.set(`${name}.abi.json`, JSON.stringify(abi, null, 1) + "\n");
    artifacts.set(`${name}.bin`, evm.bytecode.object);
    artifacts.set(`${name}.bin-runtime`, evm.deployedBytecode.object);
  }
}

mkdirSync(out, { recursive: true });
const stale = readdirSync(out).filter((file) => !artifacts.has(file));
const changed = [...artifacts].filter(([file, text]) => {
  const path = join(out, file);
  return !existsSync(path) || readFileSync(path, "utf8") !== text;
});

if (check) {
  for (const file of [...changed.map(([file]) => file), ...stale]) console.error(`contracts/out/${file} is not what src/ compiles to`);
  process.exit(changed.length + stale.length > 0 ? 1 : 0);
}
for (const file of stale) rmSync(join(out, file));
for (const [file, text] of changed) writeFileSync(join(out, file), text);
console.log(`${artifacts.size / 3} contracts, ${changed.length} files changed (solc ${solc.version()})`);
