/**
 * Facts as text. Canonical: two-space JSON, keys in the order below, one final newline. Equal facts give equal bytes,
 * whoever built the objects and in whatever order.
 */
import { printableJson } from '../diag/index.ts';
import type { Facts } from './types.ts';

export function writeFacts(facts: Facts): string {
  // A list as replacer both picks the keys and orders them, in every object of the document.
  return `${printableJson(JSON.stringify(facts, keyOrder, 2))}\n`;
}

type KeyOf<T> = T extends readonly (infer Item)[]
  ? KeyOf<Item>
  : T extends object
    ? { [Name in keyof T]-?: Name | KeyOf<NonNullable<T[Name]>> }[keyof T]
    : never;

// Every key of the format once, in one order that suits all objects. A key that is forgotten here would be missing from
// every document, so the type asks for all of them.
const keys: Readonly<Record<KeyOf<Facts> & string, true>> = {
  schema: true,
  tool: true,
  time: true,
  replayed: true,
  requested: true,
  ref: true,
  purl: true,
  ecosystem: true,
  group: true,
  id: true,
  idLike: true,
  rule: true,
  kind: true,
  predicateType: true,
  issuer: true,
  subject: true,
  fingerprint: true,
  versionId: true,
  name: true,
  value: true,
  email: true,
  url: true,
  prettyName: true,
  version: true,
  codename: true,
  variantId: true,
  buildId: true,
  imageId: true,
  imageVersion: true,
  cpe: true,
  homeUrl: true,
  supportEnd: true,
  index: true,
  manifest: true,
  config: true,
  digest: true,
  diffId: true,
  size: true,
  plainSize: true,
  createdBy: true,
  platform: true,
  os: true,
  architecture: true,
  variant: true,
  osVersion: true,
  layers: true,
  observed: true,
  distro: true,
  roots: true,
  components: true,
  scope: true,
  licenses: true,
  alg: true,
  content: true,
  hashes: true,
  supplier: true,
  authors: true,
  description: true,
  homepage: true,
  vcs: true,
  distribution: true,
  cpes: true,
  sightings: true,
  path: true,
  layer: true,
  cataloger: true,
  technique: true,
  confidence: true,
  places: true,
  ownedBy: true,
  requires: true,
  requiresKnown: true,
  properties: true,
  verified: true,
  statement: true,
  evidence: true,
  identity: true,
  claims: true,
  created: true,
  author: true,
  annotations: true,
  labels: true,
  coverage: true,
  files: true,
  excluded: true,
  packages: true,
  catalogers: true,
  gaps: true,
  reason: true,
};

const keyOrder = Object.keys(keys);
