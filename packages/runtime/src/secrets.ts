/**
 * Redacts secrets in texts that people read: log lines, errors, the output of tools, spans. The error of a library may contain one.
 */

/** Replaces a secret. */
const concealed = "[redacted]";
/** A shorter one may be a common word ("postgres"), which would be redacted in every text. */
const minLength = 12;

/** Settings of this process that are secret, also as they stand in JSON. Their number is that of the settings. */
const known = new Set<string>();

/** Has `concealSecrets` redact a value from now on; one of less than 12 characters only where its position (in a URL) shows that it is secret. */
export function registerSecret(value: string): void {
  if (value.length < minLength) return;
  known.add(value);
  known.add(JSON.stringify(value).slice(1, -1));
}

/** Has the password of a URL replaced, both as it is written and decoded. */
export function registerPasswordOf(url: URL): void {
  const passwords = [url.password, url.searchParams.get("password") ?? ""];
  for (const password of passwords) {
    registerSecret(password);
    if (password.includes("%")) registerSecret(decodeURIComponent(password));
  }
}

/** "user:password@" and "guest:guest@" are public examples and defaults. */
const urlPassword = /(:\/\/[^\s:@/"'\\]*:)(?!password@|guest@)[^\s@/"'\\]+@/gi;
const queryPassword = /([?&](?:password|access_token|token)=)[^\s&"'\\]+/gi;
const bearerToken = /\b(Bearer |smartcart\.bearer\.)[\w.~+/=-]{12,}/gi;
const jsonWebToken = /\beyJ[\w-]{4,}\.[\w-]+(\.[\w-]*)?/g;

/**
 * The text without secrets: those that are registered, passwords in URLs, bearer tokens and JSON Web Tokens. It is called with every log
 * line, so that what cannot be in a text is not searched for.
 */
export function concealSecrets(text: string): string {
  let safe = text;
  for (const secret of known) {
    if (safe.includes(secret)) safe = safe.replaceAll(secret, concealed);
  }
  if (safe.includes("://")) safe = safe.replace(urlPassword, `$1${concealed}@`);
  if (safe.includes("=")) safe = safe.replace(queryPassword, `$1${concealed}`);
  if (/bearer/i.test(safe)) safe = safe.replace(bearerToken, `$1${concealed}`);
  return safe.includes("eyJ") ? safe.replace(jsonWebToken, concealed) : safe;
}
