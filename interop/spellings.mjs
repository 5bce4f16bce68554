// One signed payment, written in as many ways as a sloppy reader might take for different payments.
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const clone = (value) => JSON.parse(JSON.stringify(value));
const reversed = (value) =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, reversed(inner)]))
    : value;
const upper = (hex) => `0x${hex.slice(2).toUpperCase()}`;
const base64 = (text) => Buffer.from(text, "utf8").toString("base64");

/** The signature with the other s, which recovers the same signer. */
function mirrored(signature) {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.slice(130) === "1b" ? "1c" : "1b";
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, "0")}${v}`;
}

/** EIP-2098: 64 bytes, the parity in the highest bit of s. */
function compact(signature) {
  const parity = signature.slice(130) === "1c" ? 1n << 255n : 0n;
  return `${signature.slice(0, 66)}${(BigInt(`0x${signature.slice(66, 130)}`) | parity).toString(16).padStart(64, "0")}`;
}

/** Yields {name, method, query, headers}: how one request carries the payment. */
export function* spellings(payload) {
  const text = JSON.stringify(payload);
  const plain = base64(text);
  const send = (name, value, more = {}) => ({ name, method: "GET", query: "", headers: [["PAYMENT-SIGNATURE", value]], ...more });
  const edit = (name, change) => {
    const copy = clone(payload);
    change(copy, copy.payload, copy.payload.authorization);
    return send(name, base64(JSON.stringify(copy)));
  };
  const replaced = (name, from, to) => send(name, base64(text.replace(from, to)));
  const { authorization, signature } = payload.payload;

  yield send("as the client wrote it", plain);
  // The same JSON, other bytes.
  yield send("indented", base64(JSON.stringify(payload, null, 2)));
  yield send("tabs", base64(JSON.stringify(payload, null, "\t")));
  yield send("keys reversed", base64(JSON.stringify(reversed(payload))));
  yield send("a blank before", base64(` ${text}`));
  yield send("a newline behind", base64(`${text}\n`));
  yield send("a byte order mark", base64(`\ufeff${text}`));
  yield send("a zero byte behind", base64(`${text}\0`));
  yield send("two documents", base64(text + text));
  yield replaced("an escaped key", '"nonce"', '"\\u006eonce"');
  yield replaced("an escaped digit", `"value":"${authorization.value}"`, `"value":"\\u003${authorization.value[0]}${authorization.value.slice(1)}"`);
  yield replaced("a nonce twice", '"nonce":', `"nonce":"0x${"11".repeat(32)}","nonce":`);
  yield replaced("a payload twice", '"payload":', '"payload":{},"payload":');
  yield replaced("a version twice", '"x402Version":2', '"x402Version":2,"x402Version":2');
  yield replaced("version 2.0", '"x402Version":2', '"x402Version":2.0');
  yield replaced("version 2e0", '"x402Version":2', '"x402Version":2e0');
  yield edit("version as text", (all) => (all.x402Version = "2"));
  yield edit("version 1 in this header", (all) => (all.x402Version = 1));
  yield edit("version 3", (all) => (all.x402Version = 3));
  // Other base64.
  yield send("base64url", Buffer.from(text).toString("base64url"));
  yield send("without padding", plain.replace(/=+$/, ""));
  yield send("padded too much", `${plain}=`);
  yield send("a blank inside", `${plain.slice(0, 40)} ${plain.slice(40)}`);
  yield send("in two parts", `${plain.slice(0, 40)},${plain.slice(40)}`);
  yield send("quoted", `"${plain}"`);
  yield send("stray bits in the last digit", strayBits(text));
  yield send("JSON without base64", text);
  // The same values, other digits.
  yield edit("nonce in capitals", (all, inner, auth) => (auth.nonce = upper(auth.nonce)));
  yield edit("nonce with 0X", (all, inner, auth) => (auth.nonce = `0X${auth.nonce.slice(2)}`));
  yield edit("nonce without 0x", (all, inner, auth) => (auth.nonce = auth.nonce.slice(2)));
  yield edit("nonce too long", (all, inner, auth) => (auth.nonce = `0x00${auth.nonce.slice(2)}`));
  yield edit("payer in lower case", (all, inner, auth) => (auth.from = auth.from.toLowerCase()));
  yield edit("payer in capitals", (all, inner, auth) => (auth.from = upper(auth.from)));
  yield edit("payee in lower case", (all, inner, auth) => (auth.to = auth.to.toLowerCase()));
  yield edit("value with a zero in front", (all, inner, auth) => (auth.value = `0${auth.value}`));
  yield edit("value with a sign", (all, inner, auth) => (auth.value = `+${auth.value}`));
  yield edit("value in hex", (all, inner, auth) => (auth.value = `0x${BigInt(auth.value).toString(16)}`));
  yield edit("value with a point", (all, inner, auth) => (auth.value = `${auth.value}.0`));
  yield edit("value as a number", (all, inner, auth) => (auth.value = Number(auth.value)));
  yield edit("value with a blank", (all, inner, auth) => (auth.value = ` ${auth.value}`));
  yield edit("validAfter 00", (all, inner, auth) => (auth.validAfter = `0${auth.validAfter}`));
  yield edit("validBefore as a number", (all, inner, auth) => (auth.validBefore = Number(auth.validBefore)));
  // Other forms of the signature.
  yield edit("signature in capitals", (all, inner) => (inner.signature = upper(signature)));
  yield edit("v as 0 or 1", (all, inner) => (inner.signature = signature.slice(0, 130) + (signature.endsWith("1b") ? "00" : "01")));
  yield edit("the other s", (all, inner) => (inner.signature = mirrored(signature)));
  yield edit("compact signature", (all, inner) => (inner.signature = compact(signature)));
  yield edit("a byte behind the signature", (all, inner) => (inner.signature = `${signature}00`));
  yield edit("signature without 0x", (all, inner) => (inner.signature = signature.slice(2)));
  // More than was asked for.
  yield edit("an unknown key", (all) => (all.comment = "the same"));
  yield edit("an unknown key in the authorization", (all, inner, auth) => (auth.comment = "the same"));
  yield edit("an extension", (all) => (all.extensions = { vendor: { info: {} } }));
  yield edit("another resource", (all) => (all.resource = { url: "http://127.0.0.1/elsewhere" }));
  yield edit("no resource", (all) => delete all.resource);
  yield edit("offer in lower case", (all) => (all.accepted.asset = all.accepted.asset.toLowerCase()));
  yield edit("offer with another time", (all) => (all.accepted.maxTimeoutSeconds += 1));
  yield edit("offer without its extra keys", (all) => (all.accepted.extra = { name: all.accepted.extra.name, version: all.accepted.extra.version }));
  // Another request around it.
  yield send("header in lower case", plain, { headers: [["payment-signature", plain]] });
  yield send("header in mixed case", plain, { headers: [["Payment-Signature", plain]] });
  yield send("header twice", plain, { headers: [["PAYMENT-SIGNATURE", plain], ["PAYMENT-SIGNATURE", plain]] });
  yield send("another query", plain, { query: "?again=1" });
  yield send("an empty query", plain, { query: "?" });
  yield send("another method", plain, { method: "POST" });
  yield send("HEAD", plain, { method: "HEAD" });
  yield send("a range", plain, { headers: [["PAYMENT-SIGNATURE", plain], ["Range", "bytes=0-9"]] });
  const legacy = base64(JSON.stringify({ x402Version: 1, scheme: "exact", network: "base-sepolia", payload: payload.payload }));
  yield send("as version 1", legacy, { headers: [["X-PAYMENT", legacy]] });
  yield send("both versions", plain, { headers: [["PAYMENT-SIGNATURE", plain], ["X-PAYMENT", legacy]] });
  yield send("version 2 in the old header", plain, { headers: [["X-PAYMENT", plain]] });
}

/** Base64 whose last digit carries bits that decoding drops; JSON is padded until there are some. */
function strayBits(text) {
  let padded = text;
  while (!base64(padded).endsWith("=")) padded += " ";
  const encoded = base64(padded);
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = encoded.replace(/=+$/, "").length - 1;
  return encoded.slice(0, last) + digits[digits.indexOf(encoded[last]) + 1] + encoded.slice(last + 1);
}
