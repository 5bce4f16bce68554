"""The PyPI half of the test vectors: inputs as JSON on standard input, vectors as JSON on standard output."""

import asyncio
import base64
import json
import sys
import time
from importlib.metadata import version

from eth_account import Account
from eth_utils import keccak

from x402 import x402Client
from x402.http.utils import encode_payment_required_header, encode_payment_response_header, encode_payment_signature_header
from x402.mechanisms.evm import default_assets, eip712
from x402.mechanisms.evm.exact import client as exact_v2
from x402.mechanisms.evm.exact.register import register_exact_evm_client
from x402.mechanisms.evm.exact.v1 import client as exact_v1
from x402.mechanisms.evm.types import AUTHORIZATION_TYPES, DOMAIN_TYPES, ExactEIP3009Authorization, TypedDataDomain
from x402.mechanisms.evm.v1.constants import V1_NETWORK_CHAIN_IDS
from x402.schemas import PaymentRequired, SettleResponse
from x402.schemas.v1 import PaymentRequiredV1

BY = f"x402 (pypi) {version('x402')}"
inputs = json.load(sys.stdin)
accounts = [Account.from_key(key) for key in inputs["keys"]]
draws = iter(range(1 << 30))


def fixed_nonce() -> str:
    return "0x" + keccak(text=f"python draw {next(draws)}").hex()


# The clients take time and nonces from these.
time.time = lambda: float(inputs["now"])
exact_v1.create_nonce = exact_v2.create_nonce = fixed_nonce


def header(name: str, encoded: str, **more) -> dict:
    return {"by": BY, "header": name, **more, "encoded": encoded, "json": json.loads(base64.b64decode(encoded))}


def digest(domain: dict, message: dict, account, key: str) -> dict:
    authorization = ExactEIP3009Authorization(
        account.address, message["to"], message["value"], message["validAfter"], message["validBefore"], message["nonce"]
    )
    hashed = eip712.hash_eip3009_authorization(
        authorization, int(domain["chainId"]), domain["verifyingContract"], domain["name"], domain["version"]
    )
    struct = {
        "from": account.address,
        "to": message["to"],
        "value": int(message["value"]),
        "validAfter": int(message["validAfter"]),
        "validBefore": int(message["validBefore"]),
        "nonce": message["nonce"],
    }
    signed = account.unsafe_sign_hash(hashed)
    return {
        "domainSeparator": "0x"
        + eip712.hash_domain(
            TypedDataDomain(domain["name"], domain["version"], int(domain["chainId"]), domain["verifyingContract"])
        ).hex(),
        "structHash": "0x" + eip712.hash_struct("TransferWithAuthorization", {**DOMAIN_TYPES, **AUTHORIZATION_TYPES}, struct).hex(),
        "digest": "0x" + hashed.hex(),
        "signature": "0x" + bytes(signed.signature).hex(),
    }


def digests() -> list[dict]:
    pairs = [(domain, message) for domain in inputs["domains"] for message in inputs["messages"]]
    return [
        digest(domain, message, accounts[index % len(accounts)], inputs["keys"][index % len(accounts)])
        for index, (domain, message) in enumerate(pairs)
    ]


async def headers() -> list[dict]:
    account = accounts[0]
    client = register_exact_evm_client(x402Client(), account)
    made = []
    for required in inputs["paymentRequired"]:
        parsed = PaymentRequired.model_validate(required)
        made.append(header("PAYMENT-REQUIRED", encode_payment_required_header(parsed)))
        payload = await client.create_payment_payload(parsed)
        made.append(header("PAYMENT-SIGNATURE", encode_payment_signature_header(payload), payer=account.address))
    for required in inputs["paymentRequiredV1"]:
        parsed = PaymentRequiredV1.model_validate(required)
        payload = await client.create_payment_payload(parsed)
        made.append(header("X-PAYMENT", encode_payment_signature_header(payload), payer=account.address, paymentRequired=required))
    for settled in inputs["settleResponses"]:
        made.append(header("PAYMENT-RESPONSE", encode_payment_response_header(SettleResponse.model_validate(settled))))
    return made


json.dump(
    {
        "packages": {name: version(name) for name in ("x402", "eth-account")},
        "digests": digests(),
        "headers": asyncio.run(headers()),
        "networks": V1_NETWORK_CHAIN_IDS,
        "assets": default_assets.DEFAULT_ASSETS,
    },
    sys.stdout,
)
