import type { StartFault } from "@smartcart/runtime";
import { networkFaults } from "@smartcart/runtime";

/** Errors of connecting and declaring at start, and for each whether waiting helps. */
export const rabbitmqFaults: readonly StartFault[] = [
  { message: /connection limit|limit .* is reached|vhost .* is down/ },
  {
    message: /Login was refused|can only log in via localhost/,
    remedy: "correct the user and password",
  },
  { message: /vhost .* not found/, remedy: "create the virtual host, or name another one" },
  {
    code: "ACCESS_REFUSED",
    remedy: "grant it: rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'",
  },
  {
    message: /access to vhost .* refused/,
    remedy: "grant it: rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'",
  },
  { code: "NOT_ALLOWED", remedy: "allow it on the broker" },
  {
    code: "PRECONDITION_FAILED",
    remedy: "the broker has a queue or exchange of ours with other settings; delete it there",
  },
  {
    code: /^(VERSION_MISMATCH|FRAME_ERROR|CODEC|COMMAND_INVALID|NOT_IMPLEMENTED)$/,
    remedy: "use a port on which RabbitMQ speaks AMQP 0-9-1",
  },
  // The broker starts, stops, or moves a queue to another node; or it did not answer in time.
  {
    code: /^(CONN_CLOSE|CH_CLOSE|CLOSING|READ_END|CONNECTION_FORCED|CONNECTION_TIMEOUT|SOCKET_TIMEOUT|TIMEOUT)$/,
  },
  {
    code: /^(INTERNAL_ERROR|RESOURCE_ERROR|RESOURCE_LOCKED|NOT_FOUND|UNEXPECTED_FRAME|CHANNEL_ERROR)$/,
  },
  {
    // What answers in plain text: Node.js writes the record of OpenSSL into the message only.
    message: /wrong version number|packet length too long/,
    remedy: "the broker does not speak TLS on this port: use the port that does, or amqp://",
  },
  ...networkFaults,
];
