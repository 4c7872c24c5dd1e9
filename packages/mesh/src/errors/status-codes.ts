import { Code } from "@connectrpc/connect";

/** What a status code of RPC is called and which HTTP status it maps to (google.rpc.Code). */
interface StatusCode {
  readonly name: string;
  readonly httpStatus: number;
  readonly title: string;
}

const statusCodes: Readonly<Record<Code, StatusCode>> = {
  [Code.Canceled]: { name: "CANCELED", httpStatus: 499, title: "The call was canceled" },
  [Code.Unknown]: { name: "UNKNOWN", httpStatus: 500, title: "Unknown error" },
  [Code.InvalidArgument]: {
    name: "INVALID_ARGUMENT",
    httpStatus: 400,
    title: "The request is not valid",
  },
  [Code.DeadlineExceeded]: {
    name: "DEADLINE_EXCEEDED",
    httpStatus: 504,
    title: "The call took too long",
  },
  [Code.NotFound]: { name: "NOT_FOUND", httpStatus: 404, title: "Not found" },
  [Code.AlreadyExists]: { name: "ALREADY_EXISTS", httpStatus: 409, title: "Exists already" },
  [Code.PermissionDenied]: { name: "PERMISSION_DENIED", httpStatus: 403, title: "Not allowed" },
  [Code.ResourceExhausted]: {
    name: "RESOURCE_EXHAUSTED",
    httpStatus: 429,
    title: "Too many requests",
  },
  [Code.FailedPrecondition]: {
    name: "FAILED_PRECONDITION",
    httpStatus: 400,
    title: "Not possible in the present state",
  },
  [Code.Aborted]: { name: "ABORTED", httpStatus: 409, title: "Aborted by a conflict" },
  [Code.OutOfRange]: { name: "OUT_OF_RANGE", httpStatus: 400, title: "Out of range" },
  [Code.Unimplemented]: { name: "UNIMPLEMENTED", httpStatus: 501, title: "Not implemented" },
  [Code.Internal]: { name: "INTERNAL", httpStatus: 500, title: "Internal error" },
  [Code.Unavailable]: { name: "UNAVAILABLE", httpStatus: 503, title: "Not available now" },
  [Code.DataLoss]: { name: "DATA_LOSS", httpStatus: 500, title: "Data was lost" },
  [Code.Unauthenticated]: {
    name: "UNAUTHENTICATED",
    httpStatus: 401,
    title: "The caller is not known",
  },
};

/** The name of the code as in google.rpc.Code: "NOT_FOUND". */
export function codeName(code: Code): string {
  return statusCodes[code]?.name ?? "UNKNOWN";
}

/** The HTTP status that the code maps to where a problem states none. */
export function codeHttpStatus(code: Code): number {
  return statusCodes[code]?.httpStatus ?? 500;
}

/** A short summary that is the same for every occurrence of the code. */
export function codeTitle(code: Code): string {
  return statusCodes[code]?.title ?? "Unknown error";
}
