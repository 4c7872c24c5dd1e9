"""Puts a message straight into a queue by pika: amqp_put.py AMQP_URL QUEUE TYPE CONTENT_TYPE BODY"""

import sys

import pika

amqp_url, queue, message_type, content_type, body = sys.argv[1:]
with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
    channel = connection.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(type=message_type, content_type=content_type, delivery_mode=2)
    channel.basic_publish("", queue, body.encode("latin-1"), properties, mandatory=True)
