import type { DescMethod, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext, UnaryRequest } from "@connectrpc/connect";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { CallScope } from "./call-scope.ts";

/** Why a call's signal is aborted when the call has ended. One for all: to make an error costs more than all else at a call's end. */
export const callEnded = new ConnectError("the call has ended", Code.Canceled);

/** What is known of a unary call before its message is read. */
export interface UnaryCallInit {
  readonly method: DescMethod;
  readonly protocolName: string;
  readonly url: string;
  readonly requestHeader: Headers;
  /** Default: none. */
  readonly contextValues?: ContextValues | undefined;
  /** In milliseconds; undefined: no bound. */
  readonly timeoutMs: number | undefined;
}

/**
 * One unary call that is served: the request of its interceptors, the context of its implementation, and the scope of the calls that are
 * made from it. The signal is created at its first use: most calls end without one, and the controllers, listeners and
 * events of Connect's `createHandlerContext` are a sixth of such a call.
 */
export class UnaryCall implements UnaryRequest, HandlerContext, CallScope {
  readonly stream = false;
  readonly requestMethod = "POST";
  readonly method: DescMethodUnary;
  readonly service: DescService;
  readonly protocolName: string;
  readonly url: string;
  readonly header: Headers;
  readonly requestHeader: Headers;
  readonly contextValues: ContextValues;
  readonly values: ContextValues;
  readonly deadlineAtMs: number | undefined;
  /** Set before the call goes through its interceptors. */
  message!: Message;
  readonly #timer: NodeJS.Timeout | undefined;
  #end: { readonly reason: unknown } | undefined;
  #controller: AbortController | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #cutOff: ((reason: unknown) => void) | undefined;

  constructor({
    method,
    protocolName,
    url,
    requestHeader,
    timeoutMs,
    contextValues,
  }: UnaryCallInit) {
    this.method = method as DescMethodUnary;
    this.service = method.parent;
    this.protocolName = protocolName;
    this.url = url;
    this.header = requestHeader;
    this.requestHeader = requestHeader;
    this.contextValues = contextValues ?? createContextValues();
    this.values = this.contextValues;
    if (timeoutMs === undefined) return;
    this.deadlineAtMs = Date.now() + timeoutMs;
    this.#timer = setTimeout(() => this.end(timedOut()), timeoutMs);
  }

  /** Aborted at the deadline, when the caller hung up, at shutdown, and when the call has ended. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#end !== undefined) this.#controller.abort(this.#end.reason);
    }
    return this.#controller.signal;
  }

  /** Made, like the trailer, when it is asked for first: an answer within the process has neither. */
  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** What is left of the call's time, in milliseconds. Implementations take it out of their context. */
  readonly timeoutMs = () =>
    this.deadlineAtMs === undefined ? undefined : this.deadlineAtMs - Date.now();

  /** Ends the call, once. */
  end(reason: unknown = callEnded): void {
    if (this.#end !== undefined) return;
    this.#end = { reason };
    clearTimeout(this.#timer);
    this.#controller?.abort(reason);
    this.#cutOff?.(reason);
  }

  /** Throws the reason for which the call has ended, where it has. */
  throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end.reason;
  }

  /** The result of `work`, or the reason for which the call ends, at once, whatever the work does after that. */
  untilEnd<T>(work: () => Promise<T>): Promise<T> {
    if (this.#end !== undefined) return Promise.reject(this.#end.reason);
    return new Promise((resolve, reject) => {
      this.#cutOff = reject;
      work().then(resolve, reject);
    });
  }
}

function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
