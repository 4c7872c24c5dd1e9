/** The error that a call ends with. Throws where it succeeds. */
export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  const value = await call.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if ("error" in value) return value.error;
  throw new Error(`the call succeeded: ${String(value.answer)}`);
}
