"""Takes all messages of a queue by pika and prints what came with them: amqp_properties.py AMQP_URL QUEUE"""

import json
import sys

import pika

amqp_url, queue = sys.argv[1:]
found = []
with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
    channel = connection.channel()
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            break
        headers = {name: repr(value) for name, value in (properties.headers or {}).items()}
        found.append({**vars(properties), "headers": headers, "body": body.decode("latin-1")})
print(json.dumps(found))
