"""The official Python client (x402 with httpx) pays TARGET_URL, COUNT times, CONCURRENCY at a time."""

import asyncio
import json
import os
import time

from eth_account import Account
from x402 import x402Client
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import decode_payment_response_header
from x402.mechanisms.evm.exact.register import register_exact_evm_client

TARGET = os.environ["TARGET_URL"]
COUNT = int(os.environ.get("COUNT", "1"))
CONCURRENCY = int(os.environ.get("CONCURRENCY", "1"))


async def pay(http: x402HttpxClient) -> dict:
    response = await http.get(TARGET)
    body = await response.aread()
    header = response.headers.get("PAYMENT-RESPONSE")
    receipt = decode_payment_response_header(header) if header else None
    paid = response.status_code == 200 and receipt is not None and receipt.success
    return {
        "status": response.status_code,
        "paid": paid,
        "transaction": receipt.transaction if receipt else None,
        "error": None if paid else (receipt and receipt.error_reason) or body.decode(errors="replace")[:300],
        "bytes": len(body),
    }


async def main() -> None:
    client = register_exact_evm_client(x402Client(), Account.from_key(os.environ["PRIVATE_KEY"]))
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(http: x402HttpxClient) -> None:
        async with slots:
            start = time.perf_counter()
            try:
                line = await pay(http)
            except Exception as error:  # the line says what the client said
                line = {"status": 0, "paid": False, "transaction": None, "error": f"{type(error).__name__}: {error}"}
            line["ms"] = round((time.perf_counter() - start) * 1000)
            print(json.dumps(line), flush=True)

    async with x402HttpxClient(client, timeout=90) as http:
        await asyncio.gather(*(one(http) for _ in range(COUNT)))


asyncio.run(main())
