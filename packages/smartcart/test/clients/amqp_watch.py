"""Hears all events of the shop by pika: amqp_watch.py AMQP_URL CONTRACT

Prints "listening", then each event as one line of JSON, until it is ended.
"""

import json
import sys

import pika
from google.protobuf import json_format

import contract

amqp_url, contract_file = sys.argv[1:]
pool = contract.load(contract_file)


def show(channel, method, properties, body):
    message = contract.class_of(pool, pool.FindMessageTypeByName(properties.type))
    print(
        json.dumps(
            {
                "routingKey": method.routing_key,
                "contentType": properties.content_type,
                "type": properties.type,
                "messageId": properties.message_id,
                "persistent": properties.delivery_mode == 2,
                "headers": properties.headers,
                "body": json_format.MessageToDict(message.FromString(body)),
            }
        ),
        flush=True,
    )


channel = pika.BlockingConnection(pika.URLParameters(amqp_url)).channel()
queue = channel.queue_declare("", exclusive=True).method.queue
channel.queue_bind(queue, "smartcart.events", routing_key="#")
channel.basic_consume(queue, show, auto_ack=True)
print("listening", flush=True)
channel.start_consuming()
