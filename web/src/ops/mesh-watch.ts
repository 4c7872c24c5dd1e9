import type { MeshSnapshot } from "@smartcart/gen/ops/v1/mesh_snapshot_pb";
import type { Console } from "./console.ts";
import type { LiveStream } from "./live-stream.ts";
import { startLiveStream } from "./live-stream.ts";
import type { MeshHistory } from "./mesh-history.ts";
import { addSnapshots, emptyHistory } from "./mesh-history.ts";

/** The mesh as the console knows it. */
export interface MeshWatch extends LiveStream {
  history(): MeshHistory;
}

/** As far back as the service remembers. */
const backlogSeconds = 300;

/** Snapshots come once a second; after this long without one, what is shown is no longer live. */
const silenceMs = 5_000;

/** @param onSnapshot Called for each snapshot of the present, not for those of the past. */
export function watchMesh(
  { ops, access, signal, shop }: Console,
  onSnapshot: (snapshot: MeshSnapshot) => void,
): MeshWatch {
  let history = emptyHistory;
  const stream = startLiveStream({
    open: (ended) => ops.watchMesh({ backlogSeconds: backlogSeconds }, { signal: ended }),
    onMessage({ snapshots }) {
      history = addSnapshots(history, snapshots);
      const latest = snapshots.at(-1);
      if (latest) onSnapshot(latest);
      shop.refresh();
    },
    isDenied: access.isDenied,
    silenceMs: silenceMs,
    signal,
  });
  stream.subscribe(shop.refresh);
  return { ...stream, history: () => history };
}
