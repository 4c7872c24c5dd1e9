import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { MeshMinute } from "@smartcart/gen/ops/v1/ops_service_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import type { Sample } from "../mesh-history.ts";

/** The figures of the last day, a sample per minute, as the service keeps them. */
export interface DayHistory {
  samples(): readonly Sample[];
  /** Why they cannot be shown; "" where they can. */
  complaint(): string;
  /** Reads them now, and then once per minute until `close`. */
  open(): void;
  close(): void;
}

const reloadMs = 60_000;

export function createDayHistory({ shop, ops, access, signal }: Console): DayHistory {
  let samples: readonly Sample[] = [];
  let complaint = "";
  let timer: ReturnType<typeof setInterval> | undefined;

  const read = async (): Promise<void> => {
    try {
      const { minutes } = await ops.listMeshHistory({}, { signal, timeoutMs: 4_000 });
      samples = minutes.map(sampleOf);
      complaint = "";
    } catch (error) {
      signal.throwIfAborted();
      complaint = access.isDenied(error) ? "" : complaintOf(error);
    }
    shop.refresh();
  };
  // A rejection means that the console was left.
  const reload = (): void => void read().catch(() => {});
  const close = (): void => clearInterval(timer);
  signal.addEventListener("abort", close);

  return {
    samples: () => samples,
    complaint: () => complaint,
    open() {
      close();
      timer = setInterval(reload, reloadMs);
      reload();
    },
    close,
  };
}

function sampleOf({ beginsAt, orders, clientRatePerSecond, clientP99Ms }: MeshMinute): Sample {
  return {
    atMs: beginsAt ? timestampMs(beginsAt) : 0,
    states: new Map(orders.map(({ state, count }) => [state, Number(count)])),
    outsideRate: clientRatePerSecond,
    outsideP99Ms: clientP99Ms,
  };
}
