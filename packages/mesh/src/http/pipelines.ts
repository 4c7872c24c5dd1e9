import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many requests of one connection of HTTP/1.1 may be under way. */
export interface PipelineOptions {
  /** Requests that are worked on at once; more of them, pipelined, wait, and the connection is not read meanwhile. */
  readonly atOnce: number;
  /**
   * Longest time that requests wait without any answer being given, in milliseconds; then the connection is closed, since one
   * that is not read does not tell whether its client is still there. Default 30,000: longer than any unary call.
   */
  readonly stuckMs?: number;
}

/** Pipelined requests that wait; a client that sends more unasked loses the connection. */
const maxWaiting = 4096;
const defaultStuckMs = 30_000;

/** The requests of one connection. */
interface Pipeline {
  underWay: number;
  /** The last answer is given; what still comes is not looked at. */
  closing: boolean;
  readonly waiting: (() => void)[];
  /** Runs while requests wait. */
  stuck: NodeJS.Timeout | undefined;
}

const pipelines = new WeakMap<Socket, Pipeline>();

/** Bounds what one connection may have under way. */
export function boundPipelines(
  { atOnce, stuckMs = defaultStuckMs }: PipelineOptions,
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const pipeline = pipelineOf(socket);
    if (pipeline.closing) return;
    const begin = () => {
      pipeline.underWay += 1;
      res.once("close", onAnswered);
      onRequest(req, res);
    };
    if (pipeline.underWay < atOnce) return begin();
    pipeline.waiting.push(begin);
    if (pipeline.waiting.length > maxWaiting) socket.destroy();
    else socket.pause();
    pipeline.stuck ??= setTimeout(() => socket.destroy(), stuckMs).unref();
  };
}

/** Ignores what the connection still brings: its last answer is given. */
export function endPipeline(socket: Socket): void {
  pipelineOf(socket).closing = true;
}

function onAnswered(this: ServerResponse): void {
  const { socket } = this.req;
  const pipeline = pipelineOf(socket);
  pipeline.underWay -= 1;
  if (pipeline.stuck === undefined) return;
  if (!socket.destroyed) pipeline.waiting.shift()?.();
  if (pipeline.waiting.length > 0) {
    pipeline.stuck.refresh();
    return;
  }
  clearTimeout(pipeline.stuck);
  pipeline.stuck = undefined;
  socket.resume();
}

function pipelineOf(socket: Socket): Pipeline {
  let pipeline = pipelines.get(socket);
  if (pipeline === undefined) {
    pipeline = { underWay: 0, closing: false, waiting: [], stuck: undefined };
    pipelines.set(socket, pipeline);
  }
  return pipeline;
}
