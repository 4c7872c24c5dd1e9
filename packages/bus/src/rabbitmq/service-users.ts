/** A RabbitMQ user for each service, with the permissions that its part of the topology needs. */
import {
  deadLetterExchange,
  deadLetterQueue,
  eventsExchange,
  queueTypes,
} from "@smartcart/contract";
import { StartError } from "@smartcart/runtime";

/** What a service does with the queue. */
export interface QueueUse {
  /** Work queues that it consumes. */
  readonly consumes?: readonly string[];
  /** Topic patterns of the events that it publishes, beside the log: "shipment.#". */
  readonly publishes?: readonly string[];
  /** It subscribes to events, by queues of its own whose names begin with this. */
  readonly hears?: string;
  /** It lists, redrives and drops dead letters. */
  readonly handlesDeadLetters?: boolean;
}

/** A user to be made. */
export interface ServiceUser {
  readonly user: string;
  readonly password: string;
  readonly use: QueueUse;
}

/** Where users are made. */
export interface BrokerAdmin {
  /** The management API, with the user and password of an administrator. */
  readonly managementUrl: string;
  /** The virtual host: "/". */
  readonly vhost: string;
}

/** Regular expressions on names, as RabbitMQ has them. */
interface Permissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/**
 * Creates the users and their permissions, or updates those that exist. The topology must have been declared by an administrator:
 * these users may not declare it. Idempotent.
 * @throws StartError where the management API rejects a request.
 */
export async function createServiceUsers(
  admin: BrokerAdmin,
  users: readonly ServiceUser[],
): Promise<void> {
  const vhost = encodeURIComponent(admin.vhost);
  for (const { user, password, use } of users) {
    await put(admin, `users/${user}`, { password, tags: "" });
    await put(admin, `permissions/${vhost}/${user}`, permissionsOf(use));
    await put(admin, `topic-permissions/${vhost}/${user}`, topicsOf(use));
  }
}

/** Every service publishes log records to the exchange of events; topic permissions limit the other events. */
function permissionsOf({ consumes = [], hears, handlesDeadLetters }: QueueUse): Permissions {
  const own = hears === undefined ? [] : [`${escaped(hears)}\\..*`];
  const claims = consumes.map((queue) => escaped(`smartcart.owner.${queue}`));
  const deadLetterQueues = handlesDeadLetters ? [...queueTypes.values()].map(deadLetterQueue) : [];
  // Retries and redrives are published to a queue by its name, which is what the default exchange does.
  const toQueues = consumes.length > 0 || handlesDeadLetters ? ["amq\\.default"] : [];
  const databases = consumes.length > 0 ? ["smartcart\\.database\\..*"] : [];
  return {
    configure: anyOf([...own, ...claims]),
    write: anyOf([
      escaped(eventsExchange),
      ...(consumes.length > 0 ? [escaped(deadLetterExchange)] : []),
      ...toQueues,
      ...own,
      ...databases,
    ]),
    read: anyOf([
      ...consumes.map(escaped),
      ...deadLetterQueues.map(escaped),
      ...claims,
      ...own,
      ...(hears === undefined ? [] : [escaped(eventsExchange)]),
    ]),
  };
}

function topicsOf({ publishes = [], hears }: QueueUse) {
  return {
    exchange: eventsExchange,
    write: anyOf([...logTopics, ...publishes].map(topic)),
    read: hears === undefined ? "^$" : ".*",
  };
}

/** The patterns of what the queue `logs` takes. */
const logTopics = queueTypes.get("logs")?.events.map(({ pattern }) => pattern) ?? [];

/** "shipment.#" as a regular expression. */
function topic(pattern: string): string {
  return escaped(pattern)
    .replace(/\\\.#$/, "(\\..*)?")
    .replaceAll("\\*", "[^.]+");
}

function anyOf(patterns: readonly string[]): string {
  return patterns.length === 0 ? "^$" : `^(${patterns.join("|")})$`;
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

async function put({ managementUrl }: BrokerAdmin, path: string, body: object): Promise<void> {
  const { username, password, origin } = new URL(managementUrl);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const response = await fetch(`${origin}/api/${path}`, {
    method: "PUT",
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (response.ok) return;
  throw new StartError(
    `RABBITMQ_MANAGEMENT_URL: ${origin} rejects PUT /api/${path}: ${response.status} ${await response.text()}`,
    { variable: "RABBITMQ_MANAGEMENT_URL" },
  );
}
