/**
 * Who may import whom: gen <- L1 runtime <- engines <- store, contract <- L2 mesh, bus <- reconciler, service <- L3 the services <- L4 smartcart, chaos, bench.
 * Testkit serves the tests of every layer. Paths are relative to the root of the repository.
 */
import type { IRegularForbiddenRuleType } from "dependency-cruiser";

const services = "order|inventory|payment|notification|shipping|status-hub|log|ops";

/** Code that only tests run; it may use testkit and devDependencies. */
const testCode = [
  "\\.test\\.ts$",
  "^(packages/[^/]+|web|scripts)/test/",
  "^packages/(testkit|chaos|bench)/",
  "\\.config\\.ts$",
];

/** Reached by tests of every layer; `testkit-only-from-tests` keeps all other code away from it. */
const testkit = "^packages/testkit/";

/** One rule for each way in which the layers could be broken. Each is broken once in `fixture/`. */
export const rules: readonly IRegularForbiddenRuleType[] = [
  forbid("gen-imports-nothing-of-ours", {
    comment: "gen is written from the contract and lies below everything.",
    from: { path: "^gen/" },
    to: { path: "^(packages|web|scripts)/" },
  }),
  forbid("runtime-is-lowest", {
    comment:
      "runtime is used by every part, so it knows none of them, and not the database either.",
    from: { path: "^packages/runtime/" },
    to: { path: "^(packages/(?!runtime/)|web/)", pathNot: testkit },
  }),
  forbid("engines-sees-runtime-only", {
    comment: "engines starts a database and a broker, and does not know what they are used for.",
    from: { path: "^packages/engines/" },
    to: { path: "^(packages/(?!(engines|runtime)/)|web/)", pathNot: testkit },
  }),
  forbid("store-sees-engines-only", {
    comment: "store is L1: below the network, the queue and the services.",
    from: { path: "^packages/store/" },
    to: { path: "^(packages/(?!(store|engines|runtime)/)|web/)", pathNot: testkit },
  }),
  forbid("contract-sees-gen-only", {
    comment: "contract is L1: it reads descriptors, and does no I/O.",
    from: { path: "^packages/contract/" },
    to: { path: "^(packages/(?!contract/)|web/)", pathNot: testkit },
  }),
  forbid("mesh-sees-l1-only", {
    comment: "mesh is L2: below the services, and it does not know the queue.",
    from: { path: "^packages/mesh/" },
    to: { path: "^(packages/(?!(mesh|contract|identity|runtime|store)/)|web/)", pathNot: testkit },
  }),
  forbid("bus-sees-l1-only", {
    comment: "bus is L2: below the services, and it does not know the RPC layer.",
    from: { path: "^packages/bus/" },
    to: { path: "^(packages/(?!(bus|contract|runtime|store)/)|web/)", pathNot: testkit },
  }),
  forbid("reconciler-below-services", {
    comment:
      "reconciler is a library for those who watch over the services: it knows none of them.",
    from: { path: "^packages/reconciler/" },
    to: {
      path: "^(packages/(?!(reconciler|mesh|contract|runtime|store)/)|web/)",
      pathNot: testkit,
    },
  }),
  forbid("service-below-services", {
    comment: "service is the frame of every service: it knows none of them.",
    from: { path: "^packages/service/" },
    to: {
      path: "^(packages/(?!(service|mesh|bus|contract|identity|runtime|store)/)|web/)",
      pathNot: testkit,
    },
  }),
  forbid("services-apart", {
    comment: "Services meet only through the contract: by RPC or by events.",
    from: { path: `^packages/(${services})/` },
    to: { path: `^packages/(${services})/`, pathNot: "^packages/$1/" },
  }),
  forbid("services-start-no-engine", {
    comment: "A service is given its database and its queue; only the runner starts them.",
    from: { path: `^packages/(${services})/` },
    to: { path: "^packages/engines/" },
  }),
  forbid("services-below-runner", {
    comment: "The runner starts the services; they do not know it, nor the page.",
    from: { path: `^packages/(${services})/` },
    to: { path: "^(packages/(smartcart|chaos|bench)/|web/)" },
  }),
  forbid("web-sees-gen-only", {
    comment: "The browser knows the contract and nothing of how it is kept.",
    from: { path: "^web/" },
    to: { path: "^(packages|scripts)/", pathNot: testkit },
  }),
  forbid("testkit-only-from-tests", {
    comment: "Testkit starts and breaks processes; production code has no business with it.",
    from: { pathNot: testCode },
    to: { path: testkit },
  }),
  forbid("relative-inside-a-package", {
    comment: "Inside a package import by a relative path; its own name would go the way round.",
    from: { path: "^packages/([^/]+)/" },
    to: { path: "^packages/$1/", dependencyTypesNot: ["local"] },
  }),
  forbid("by-name-between-packages", {
    comment: "Another package is what its exports say; a relative path would reach behind them.",
    from: { path: "^(packages/[^/]+|gen|web|scripts)/", pathNot: "/vitest\\.config\\.ts$" },
    to: { pathNot: ["^$1/", "(^|/)node_modules/"], dependencyTypes: ["local"] },
  }),
  forbid("no-dev-dependency-in-production", {
    comment: "npm ci --omit=dev must be enough to run it.",
    from: { path: "^packages/", pathNot: testCode },
    to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only", "npm"] },
  }),
  forbid("declared", {
    comment:
      "What a package imports from npm stands in its own package.json (knip looks at tests).",
    from: { path: "^(packages|gen|web)/", pathNot: testCode },
    to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
  }),
  forbid("resolvable", {
    comment: "The import leads nowhere, or to a path that the package does not export.",
    from: {},
    to: { couldNotResolve: true },
  }),
  forbid("no-cycle", {
    comment:
      "Files in a circle, by types too, can only be understood and changed together: move what both need into a third.",
    from: {},
    to: { circular: true },
  }),
];

function forbid(
  name: string,
  rule: Pick<IRegularForbiddenRuleType, "comment" | "from" | "to">,
): IRegularForbiddenRuleType {
  return { name, severity: "error", ...rule };
}
