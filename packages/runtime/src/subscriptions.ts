/** Members by topic. A topic exists as long as it has a member. */
export interface Subscriptions<T> {
  /** Idempotent. Returns the function that leaves the topic. */
  join(topic: string, member: T): () => void;
  /** Idempotent. */
  leave(topic: string, member: T): void;
  members(topic: string): ReadonlySet<T>;
  /** The topics that have members. */
  topics(): Iterable<string>;
  /** How many they are. */
  readonly size: number;
}

const none: ReadonlySet<never> = new Set();

/** Creates subscriptions without members. */
export function createSubscriptions<T>(): Subscriptions<T> {
  const byTopic = new Map<string, Set<T>>();
  const leave = (topic: string, member: T) => {
    const members = byTopic.get(topic);
    members?.delete(member);
    if (members?.size === 0) byTopic.delete(topic);
  };
  return {
    join(topic, member) {
      const members = byTopic.get(topic) ?? new Set();
      byTopic.set(topic, members.add(member));
      return () => leave(topic, member);
    },
    leave,
    members: (topic) => byTopic.get(topic) ?? none,
    topics: () => byTopic.keys(),
    get size() {
      return byTopic.size;
    },
  };
}
