/**
 * What provenance says of an agent's sandbox, and what an observer outside of it saw.
 *
 *     "sandboxPolicy": {"network": {"mode": "allowlist", "allowedEgress": ["api.github.com:443"]},
 *                       "credentials": "proxy-injected", "filesystem": "ephemeral-clone"}
 *
 * The build type leaves the shape open: each of the three may be one word, or an object with a `mode`; a network may also be the
 * list itself. A word is compared, never understood, and what is not stated is not taken for anything. Refused: an allow-list
 * that is not there (it would allow everything to a reader who takes it for empty and finds nothing outside of it).
 *
 *     "byproducts": [{"name": "observed-network", "annotations": {"observations": [
 *        {"invocationId": "run-1", "connections": [{"remote": "api.github.com:443", "direction": "egress"}]}]}}]
 *
 * Instead of `annotations` there may be `content`, base64 of the same JSON. What is only named by digest was not seen here.
 */
import { malformed } from '../../sigstore/failure.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJsonBytes } from '../../sigstore/json.ts';
import {
  listIn,
  objectIn,
  optionalObjectIn,
  optionalTextIn,
  predicateObject,
  textIn,
} from '../../sigstore/predicate.ts';
import { readBytes } from '../../sigstore/protojson.ts';
import type { Sandbox } from '../types.ts';
import { itemsIn, textItem } from './fields.ts';

/** Undefined where no policy of a sandbox is stated. Throws VerifyError `malformed`. */
export function readSandbox(parent: JsonObject, where: string, observed: readonly string[]): Sandbox | undefined {
  const policy = optionalObjectIn(parent, 'sandboxPolicy', where);
  if (policy === undefined) return undefined;
  const at = `${where}.sandboxPolicy`;
  const filesystem = wordOf(policy, 'filesystem', at);
  const credentials = wordOf(policy, 'credentials', at);
  return {
    ...readNetwork(policy['network'] ?? undefined, `${at}.network`),
    ...(filesystem !== undefined && { filesystem }),
    ...(credentials !== undefined && { credentials }),
    observed: [...new Set(observed)],
  };
}

/** The remote ends of all connections but incoming ones, by invocation; those of none under the empty name. */
export function observedConnections(predicate: JsonObject): ReadonlyMap<string, readonly string[]> {
  const seen = new Map<string, string[]>();
  const details = objectIn(predicate, 'runDetails', 'predicate');
  for (const [index, value] of listIn(details, 'byproducts', 'runDetails').entries()) {
    const where = `byproducts[${index}]`;
    const byproduct = predicateObject(value, where);
    if (byproduct['name'] !== 'observed-network') continue;
    for (const { id, remote } of observationsOf(byproduct, where).flatMap(connectionsOf)) {
      const list = seen.get(id) ?? [];
      list.push(remote);
      seen.set(id, list);
    }
  }
  return seen;
}

function readNetwork(value: Json | undefined, where: string): Pick<Sandbox, 'networkMode' | 'allowedEgress'> {
  if (value === undefined) return { allowedEgress: [] };
  if (typeof value === 'string') {
    if (value === allowlist) throw malformed(`${where} is an allowlist, and the list is missing`);
    return { ...(value !== '' && { networkMode: value }), allowedEgress: [] };
  }
  if (Array.isArray(value)) {
    return {
      networkMode: allowlist,
      allowedEgress: value.map((each: Json, index) => textItem(each, `${where}[${index}]`)),
    };
  }
  const network = predicateObject(value, where);
  const mode = optionalTextIn(network, 'mode', where);
  if (mode === allowlist && (network['allowedEgress'] ?? undefined) === undefined) {
    throw malformed(`${where}.mode is allowlist, and ${where}.allowedEgress is missing`);
  }
  return {
    ...(mode !== undefined && mode !== '' && { networkMode: mode }),
    allowedEgress: itemsIn(network, 'allowedEgress', where, textItem),
  };
}

const allowlist = 'allowlist';

function wordOf(policy: JsonObject, name: string, where: string): string | undefined {
  const value = policy[name] ?? undefined;
  const word = isJsonObject(value)
    ? optionalTextIn(value, 'mode', `${where}.${name}`)
    : optionalTextIn(policy, name, where);
  return word === '' ? undefined : word;
}

interface Located {
  readonly value: Json;
  readonly where: string;
}

function observationsOf(byproduct: JsonObject, where: string): readonly Located[] {
  const annotations = optionalObjectIn(byproduct, 'annotations', where);
  const content = byproduct['content'] ?? undefined;
  const documents: { readonly object: JsonObject; readonly at: string }[] = [];
  if (annotations !== undefined) documents.push({ object: annotations, at: `${where}.annotations` });
  if (content !== undefined) {
    const bytes = readBytes(content, `${where}.content`, maxContentBytes);
    const parsed = parseStrictJsonBytes(bytes, `${where}.content`);
    documents.push({ object: predicateObject(parsed, `${where}.content`), at: `${where}.content` });
  }
  return documents.flatMap(({ object, at }) =>
    itemsIn(object, 'observations', at, (value, each) => ({ value, where: each })),
  );
}

const maxContentBytes = 1 << 24;

function connectionsOf({ value, where }: Located): readonly { readonly id: string; readonly remote: string }[] {
  const observation = predicateObject(value, where);
  const id = optionalTextIn(observation, 'invocationId', where) ?? '';
  return itemsIn(observation, 'connections', where, (each, at) => {
    const connection = predicateObject(each, at);
    const incoming = optionalTextIn(connection, 'direction', at) === 'ingress';
    return incoming ? [] : [{ id, remote: textIn(connection, 'remote', at) }];
  }).flat();
}
