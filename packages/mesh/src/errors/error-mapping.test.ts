import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { InvalidMessageError, MalformedJsonError } from "@smartcart/contract";
import { ShortLineSchema } from "@smartcart/gen/inventory/v1/reservation_pb";
import { fromItemError, toItemError } from "../batch/item-error.ts";
import { mapError, markReceived } from "./error-mapping.ts";
import { DomainError, detailOf, problemOf, ValidationError } from "./errors.ts";

const outOfStock = new DomainError({
  code: "OUT_OF_STOCK",
  rpcCode: Code.FailedPrecondition,
  title: "Out of stock",
  message: "mug: none left. Choose another.",
  httpStatus: 409,
  details: [{ desc: ShortLineSchema, value: { productId: "mug", requested: 1, available: 0 } }],
  cause: new Error("row 17"),
});

describe("mapError", () => {
  test("an error of the domain keeps its text and details, and nothing of its cause", () => {
    const { error, unexpected } = mapError(outOfStock);
    expect(unexpected).toBe(false);
    expect(error.rawMessage).toBe("mug: none left. Choose another.");
    expect(error.code).toBe(Code.FailedPrecondition);
    expect(problemOf(error)).toMatchObject({ code: "OUT_OF_STOCK", httpStatus: 409 });
    expect(detailOf(error, ShortLineSchema)?.productId).toBe("mug");
  });

  test.each([
    new Error("password=hunter2"),
    "password=hunter2",
    undefined,
    ConnectError.from(new Error("password=hunter2")),
    new ConnectError("password=hunter2", Code.Internal),
    markReceived(new ConnectError("password=hunter2", Code.NotFound)),
    markReceived(new ConnectError("password=hunter2", Code.InvalidArgument)),
  ])("%s is an internal error to the caller, with the cause for the log", (thrown) => {
    const { error, unexpected } = mapError(thrown);
    expect(unexpected).toBe(true);
    expect(error.rawMessage).toBe("internal error");
    expect(error.code).toBe(Code.Internal);
    expect(problemOf(error)?.code).toBe("INTERNAL");
    expect(error.cause).toBe(thrown);
  });

  test.each([
    [Code.Unavailable, Code.Unavailable],
    [Code.ResourceExhausted, Code.Unavailable],
    [Code.DeadlineExceeded, Code.DeadlineExceeded],
  ])("a neighbour's code %i becomes %i with a text of ours", (code, mapped) => {
    const { error } = mapError(markReceived(new ConnectError("password=hunter2", code)));
    expect(error.code).toBe(mapped);
    expect(error.message).not.toContain("hunter2");
    expect(problemOf(error)?.retryAfterMs).toBeGreaterThan(0);
  });

  test("an error of Connect that we threw on purpose keeps its text and gets a problem", () => {
    const { error } = mapError(new ConnectError("There is no order ORD-1.", Code.NotFound));
    expect(error.rawMessage).toBe("There is no order ORD-1.");
    expect(problemOf(error)?.code).toBe("NOT_FOUND");
  });

  test("a validation error tells its fields", () => {
    const thrown = new ValidationError([{ field: "items[0].productId", message: "is unknown" }]);
    expect(mapError(thrown).error.rawMessage).toBe(
      "items[0].productId: is unknown. Correct the request and send it again.",
    );
  });

  test("of many violations of a message twenty are sent, and the text counts the others", () => {
    const all = Array.from({ length: 300 }, (_, i) => ({ field: `x${i}`, message: "is unknown" }));
    const { error, unexpected } = mapError(new InvalidMessageError(all));
    expect(unexpected).toBe(false);
    expect(error.findDetails(ViolationsSchema)[0]?.violations).toHaveLength(20);
    expect(error.rawMessage).toBe(
      "x0: is unknown (and 299 more; 280 of them are left out here). Correct the request and send it again.",
    );
  });

  test("a text that is not JSON is the caller's fault", () => {
    const cause = new SyntaxError("Unexpected end of JSON input");
    const { error, unexpected } = mapError(new MalformedJsonError(cause.message, { cause }));
    expect(unexpected).toBe(false);
    expect(problemOf(error)?.code).toBe("MALFORMED_JSON");
    expect(error.rawMessage).toBe(
      "The body cannot be read as JSON in UTF-8: Unexpected end of JSON input. Correct it and send it again.",
    );
  });
});

test("an item's error comes out of a batch as it went in", () => {
  const error = fromItemError(toItemError(outOfStock));
  expect(error.code).toBe(Code.FailedPrecondition);
  expect(error.rawMessage).toBe("mug: none left. Choose another.");
  expect(problemOf(error)?.code).toBe("OUT_OF_STOCK");
  expect(detailOf(error, ShortLineSchema)?.productId).toBe("mug");
  expect(mapError(error).error.rawMessage).toBe("internal error");
});
