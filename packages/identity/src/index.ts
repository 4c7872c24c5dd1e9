export type { Authenticator, AuthenticatorOptions } from "./authenticator.ts";
export { createAuthenticator } from "./authenticator.ts";
export type { Access, AccessConfig } from "./config.ts";
export { accessFrom, assertOpenOnPurpose } from "./config.ts";
export type { DevelopmentIssuerOptions, TokenRequest } from "./development-issuer.ts";
export { createDevelopmentIssuer } from "./development-issuer.ts";
export type { Anonymous, Customer, Operator, Principal, ServicePrincipal } from "./principal.ts";
export { anonymous } from "./principal.ts";
export type { KeyPair } from "./tls/key-pair.ts";
export type { PeerTlsOptions } from "./tls/peer-tls.ts";
export { peerTlsOptions } from "./tls/peer-tls.ts";
export { certificateName, isCertificateName, servicesIn } from "./tls/service-certificate.ts";
export type {
  MeshMaterial,
  TlsConfig,
  TlsFiles,
  TlsFilesOptions,
  TlsMaterial,
} from "./tls/tls-files.ts";
export { checkTlsFiles, hasTls, openTlsFiles } from "./tls/tls-files.ts";
export type { TokenFault } from "./token-error.ts";
export { KeysUnavailableError, TokenError } from "./token-error.ts";
export type { TokenVerifier, TokenVerifierOptions } from "./token-verifier.ts";
export { createTokenVerifier } from "./token-verifier.ts";
