import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pageHeaders } from "@smartcart/runtime";
import type { HttpApp } from "./rest.ts";

/** Files of swagger-ui-dist that the page needs, with their types. */
const distFiles: Readonly<Record<string, string>> = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
  "favicon-32x32.png": "image/png",
};

/** Nothing from elsewhere, nothing inline; the pictures in swagger-ui.css are data URLs. */
const headers = pageHeaders(
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/**
 * A resource that there is becomes the example of every path, where the document's own would be answered with 404: the first of the list
 * ("/orders" beside "/orders/{orderId}"), and then each that is created here.
 */
const initializer = `const base = new URL("..", document.currentScript.src);
window.ui = SwaggerUIBundle({
  url: new URL("openapi.json", base).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  async onComplete() {
    const { paths } = window.ui.specSelectors.specJson().toJS();
    const item = Object.keys(paths).find((path) => paths[path].get && /^\\/[^{}]+\\/\\{\\w+\\}$/.test(path)) ?? "";
    const [, list, idName] = /^\\/(.*)\\/\\{(\\w+)\\}$/.exec(item) ?? [];
    const { parameters = [] } = paths["/" + list]?.get ?? {};
    const examples = parameters.filter((one) => one.in === "query" && one.example !== undefined);
    const query = new URLSearchParams(examples.map((one) => [one.name, one.example]));
    const response = await fetch(new URL(list + "?" + query, base)).catch(() => undefined);
    const body = response?.ok ? await response.json() : {};
    const [first] = Object.values(body).find(Array.isArray) ?? [];
    if (first) useAsExample(first[idName]);
  },
  responseInterceptor(response) {
    const location = response.headers.location;
    if (response.ok && location !== undefined) useAsExample(location.split("/").at(-1));
    return response;
  },
});

function useAsExample(id) {
  const { specSelectors, specActions } = window.ui;
  const spec = specSelectors.specJson().toJS();
  const operations = Object.values(spec.paths).flatMap((item) => Object.values(item));
  for (const { parameters = [] } of operations) {
    for (const parameter of parameters) if (parameter.in === "path") parameter.example = id;
  }
  specActions.updateJsonSpec(spec);
}
`;

/** Serves Swagger UI for /openapi.json at /docs, from this machine alone. */
export function addSwaggerUi(app: HttpApp, o: { readonly title: string }): void {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("swagger-ui-dist/package.json"));
  // Relative, so that it also works below the path of a proxy; from where, depends on the slash.
  for (const [path, below] of [
    ["/docs", "docs/"],
    ["/docs/", ""],
  ] as const) {
    const page = pageHtml(o.title, below);
    app.get(
      path,
      () => new Response(page, { headers: { ...headers, "content-type": "text/html" } }),
    );
  }
  app.get("/docs/initializer.js", () => {
    return new Response(initializer, {
      headers: { ...headers, "content-type": "text/javascript" },
    });
  });
  for (const [name, type] of Object.entries(distFiles)) {
    const fileHeaders = {
      ...headers,
      "content-type": type,
      "cache-control": "public, max-age=3600",
    };
    // One copy for all who ask: a copy for each request would let a client that reads no answer fill the memory.
    let bytes: Uint8Array<ArrayBuffer> | undefined;
    app.get(`/docs/${name}`, () => {
      bytes ??= readFileSync(join(folder, name));
      return new Response(bytes, { headers: fileHeaders });
    });
  }
}

function pageHtml(title: string, below: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="${below}swagger-ui.css">
<link rel="icon" type="image/png" href="${below}favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="${below}swagger-ui-bundle.js"></script>
<script src="${below}initializer.js"></script>
</body>
</html>
`;
}
