import { eventTypes } from "@smartcart/contract";
import type { OutgoingEvent } from "./types.ts";

/** One message, and the events that it stands for. */
interface MergedEvent<E extends OutgoingEvent> {
  readonly event: OutgoingEvent;
  readonly members: readonly E[];
}

/** Bodies in one message, and their bytes together: far below what a broker takes. */
const maxMembers = 200;
const maxBytes = 64 * 1024;

/**
 * Makes one message of events of a type that the contract lets merge. Protobuf defines that concatenated messages are the
 * message with their repeated fields joined, so the bodies need not be read. Others stay as they are, and all stay in their order
 * within a type.
 */
export function mergeEvents<E extends OutgoingEvent>(events: readonly E[]): MergedEvent<E>[] {
  const merged: { members: E[]; bytes: number }[] = [];
  const open = new Map<string, { members: E[]; bytes: number }>();
  for (const event of events) {
    const group = eventTypes.get(event.type)?.merges ? open.get(event.type) : undefined;
    const { byteLength } = event.body;
    if (group && group.members.length < maxMembers && group.bytes + byteLength <= maxBytes) {
      group.members.push(event);
      group.bytes += byteLength;
    } else {
      const fresh = { members: [event], bytes: byteLength };
      merged.push(fresh);
      open.set(event.type, fresh);
    }
  }
  return merged.map(({ members }) => ({ members, event: joined(members) }));
}

function joined(members: readonly OutgoingEvent[]): OutgoingEvent {
  const [first] = members as [OutgoingEvent];
  if (members.length === 1) return first;
  const body = Buffer.concat(members.map((member) => member.body));
  return { ...first, orderingKey: "", traceparent: "", body };
}
