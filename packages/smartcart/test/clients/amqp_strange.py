"""Puts messages with odd properties and headers into a queue by pika: amqp_strange.py AMQP_URL QUEUE"""

import datetime
import decimal
import sys

import pika

amqp_url, queue = sys.argv[1:]
time = datetime.datetime(2026, 1, 1, 12, 0, 0)
strange = [
    dict(headers={"x-failed-at": "yesterday"}),
    dict(headers={"x-failed-at": 7, "x-reason": {"nested": [1, None, True]}}),
    dict(headers={"x-failed-at": {"deep": {"deeper": b"\xff"}}, "x-attempt": "first"}),
    dict(headers={"x-death": "not a table", "x-attempt": -5}),
    dict(headers={"x-failed-at": "+099999-01-01T00:00:00Z", "x-reason": "two\nlines\x1b[2J"}),
    dict(headers={"when": time, "price": decimal.Decimal("12.50"), "big": 2**62, "none": None}),
    dict(
        headers={"kept": "yes"},
        content_type="text/plain",
        reply_to="me",
        app_id="strange",
        priority=3,
        correlation_id="c-1",
        expiration="3600000",
        timestamp=1767225600,
        message_id="whole",
    ),
]
with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
    channel = connection.channel()
    channel.confirm_delivery()
    for properties in strange:
        channel.basic_publish("", queue, b"\xff\xfe", pika.BasicProperties(**properties), mandatory=True)
print(len(strange))
