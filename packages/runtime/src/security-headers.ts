/**
 * Headers of every answer of every port, also of APIs: no content sniffing, no scripts, no framing or embedding by other sites, and no
 * referrer for them.
 */
export const securityHeaders = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const satisfies Readonly<Record<string, string>>;

/** Those of a page that scripts run in, under a Content-Security-Policy of its own. It needs no device and no sensor. */
export function pageHeaders(policy: string): Readonly<Record<string, string>> {
  return {
    ...securityHeaders,
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy":
      "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
  };
}

/** Sets them on an answer whose headers are not written yet. */
export function setSecurityHeaders(response: {
  setHeader(name: string, value: string): unknown;
}): void {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
}
