"""Looks at queues by pika: amqp_look.py AMQP_URL QUEUE...

Prints for each queue how many messages wait in it, or null where there is no such queue; and the bodies of those that wait
in the first one, which it leaves there.
"""

import json
import sys

import pika
import pika.exceptions

amqp_url, *queues = sys.argv[1:]


def depth(connection, queue):
    channel = connection.channel()
    try:
        return channel.queue_declare(queue, passive=True).method.message_count
    except pika.exceptions.ChannelClosedByBroker:
        return None


def bodies(connection, queue):
    channel = connection.channel()
    found = []
    while True:
        method, _, body = channel.basic_get(queue)
        if method is None:
            break
        found.append(body.decode("latin-1"))
    # Unanswered messages go back when the channel closes.
    channel.close()
    return found


with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
    depths = {queue: depth(connection, queue) for queue in queues}
    found = bodies(connection, queues[0]) if depths[queues[0]] else []
    print(json.dumps({"depths": depths, "bodies": found}))
