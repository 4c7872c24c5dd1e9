"""Follows an order by python3-websockets until it is shipped: follow_order.py URL ORDER_ID

Prints each frame as it came, one a line.
"""

import asyncio
import json
import sys

import websockets


async def follow(url, order_id):
    async with websockets.connect(url) as socket:
        await socket.send(json.dumps({"subscribe": {"orderId": order_id}}))
        async for frame in socket:
            print(frame, flush=True)
            if json.loads(frame).get("status") == "Shipped":
                return


asyncio.run(asyncio.wait_for(follow(*sys.argv[1:]), timeout=20))
