/** Members by topic. A topic exists as long as it has a member. */
export interface Subscriptions<T> {
  /** Idempotent. */
  join(topic: string, member: T): void;
  /** Idempotent. */
  leave(topic: string, member: T): void;
  members(topic: string): ReadonlySet<T>;
  /** How many topics have members. */
  readonly size: number;
}

const nobody: ReadonlySet<never> = new Set();

/** No members anywhere. */
export function createSubscriptions<T>(): Subscriptions<T> {
  const rooms = new Map<string, Set<T>>();
  return {
    join(topic, member) {
      const room = rooms.get(topic);
      if (room) room.add(member);
      else rooms.set(topic, new Set([member]));
    },
    leave(topic, member) {
      const room = rooms.get(topic);
      room?.delete(member);
      if (room?.size === 0) rooms.delete(topic);
    },
    members: (topic) => rooms.get(topic) ?? nobody,
    get size() {
      return rooms.size;
    },
  };
}
