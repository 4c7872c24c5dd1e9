import { describe, expect, it } from "vitest";
import { commonConfig } from "./common-config.ts";
import { parseConfig } from "./config.ts";
import { port, url } from "./validators.ts";

const specs = {
  ...commonConfig,
  ORDER_PORT: port({ default: 8080, desc: "" }),
  OPS_PORT: port({ default: 8087, desc: "" }),
  WEB_PORT: port({ default: 5173, desc: "" }),
  LOG_URL: url({ default: "http://127.0.0.1:8084", desc: "" }),
};

function parsed(env: NodeJS.ProcessEnv) {
  const { ORDER_PORT, OPS_PORT, WEB_PORT, LOG_URL } = parseConfig(env, specs);
  return [ORDER_PORT, OPS_PORT, WEB_PORT, LOG_URL];
}

describe("PORT_BASE", () => {
  it("moves every port, and the URLs with them", () => {
    expect(parsed({})).toEqual([8080, 8087, 5173, "http://127.0.0.1:8084"]);
    expect(parsed({ PORT_BASE: "9000" })).toEqual([9000, 9007, 9008, "http://127.0.0.1:9004"]);
    expect(parsed({ PORT_BASE: "65527" })[2]).toBe(65_535);
  });

  it("gives way to what is set, and a URL follows the port of its service", () => {
    expect(parsed({ PORT_BASE: "9000", ORDER_PORT: "80", LOG_PORT: "81" })).toEqual([
      80,
      9007,
      9008,
      "http://127.0.0.1:81",
    ]);
    const url = "http://log:8084";
    expect(parsed({ PORT_BASE: "9000", LOG_URL: url })[3]).toBe(url);
    expect(parsed({ LOG_PORT: "0" })[3]).toBe("http://127.0.0.1:8084");
  });

  it.each(["0", "65528", "-1", "9000.5", "many", "1e4"])("rejects %s in words", (base) => {
    expect(() => parsed({ PORT_BASE: base })).toThrow(
      `PORT_BASE: "${base}" must be a port number from 1 to 65527`,
    );
  });
});
