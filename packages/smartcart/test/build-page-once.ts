/** Builds the page before the tests, so that processes started at once do not all build it. */
import { buildPage } from "../src/web/build-page.ts";

export async function setup(): Promise<void> {
  await buildPage();
}
