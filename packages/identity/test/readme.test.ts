import { describeReadme } from "@smartcart/testkit/suites";

await describeReadme(new URL("../", import.meta.url));
