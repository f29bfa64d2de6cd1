/**
 * Where to sign: a signing config names the services of one Sigstore instance.
 *
 *     {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
 *      "caUrls": [{"url": "https://fulcio.sigstore.dev", "majorApiVersion": 1, "validFor": {"start": "2022-…"},
 *                  "operator": "sigstore.dev"}],
 *      "oidcUrls": […], "rekorTlogUrls": […], "rekorTlogConfig": {"selector": "ANY"},
 *      "tsaUrls": […], "tsaConfig": {"selector": "ANY"}}
 *
 * Of each operator counts the newest API that is spoken here, and of those the service that began last; the selector says
 * how many operators are asked: any one, all, or an exact count. Refused: a plain http address that is not this machine
 * (the identity token would travel in the open), a config that leaves nothing to prove the time of signing with.
 * https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto (SigningConfig)
 */
import { OperationalError, plural, quoted } from '../diag/index.ts';
import { VerifyError } from './failure.ts';
import { parseStrictJson } from './json.ts';
import {
  child,
  count,
  enumName,
  has,
  items,
  type Message,
  optionalText,
  readMessage,
  readTimestamp,
  text,
} from './protojson.ts';

/** The services that make one signature. */
export interface Services {
  readonly fulcio: string;
  readonly logs: readonly { readonly url: string; readonly version: 1 | 2 }[];
  readonly timestamps: readonly string[];
}

export const publicServices: Services = {
  fulcio: 'https://fulcio.sigstore.dev',
  logs: [{ url: 'https://rekor.sigstore.dev', version: 1 }],
  timestamps: ['https://timestamp.sigstore.dev/api/v1/timestamp'],
};

export const stagingServices: Services = {
  fulcio: 'https://fulcio.sigstage.dev',
  logs: [{ url: 'https://rekor.sigstage.dev', version: 1 }],
  timestamps: ['https://timestamp.sigstage.dev/api/v1/timestamp'],
};

/** The services that a config chooses at `now` (ms). Throws OperationalError `configuration`. */
export function parseSigningConfig(json: string, now: number, name: string): Services {
  try {
    return choose(parseStrictJson(json, 'it'), now);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('configuration', `${quoted(name)} is no usable signing config: ${error.message}`, {
      hints: [
        'a signing config v0.2 comes with the trusted root of its instance: cosign signing-config create makes one',
      ],
    });
  }
}

/** An address that the user gave. Throws OperationalError `usage`. */
export function serviceUrl(written: string): string {
  try {
    return checkServiceUrl(written);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new OperationalError('usage', `a service cannot be used: ${error.message}`, {
      hints: ['write it as https://HOST; http is for this machine only, since the identity token travels on it'],
    });
  }
}

function checkServiceUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && local)) {
    throw new VerifyError('unsupported', `${quoted(written)} is not an https address`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new VerifyError('unsupported', 'a service address holds a user name or password');
  }
  return written.replace(/\/$/, '');
}

interface Service {
  readonly url: string;
  readonly version: number;
  readonly operator: string;
  readonly start: number;
  readonly end: number;
}

const mediaType = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
const maxServices = 100;

function choose(document: ReturnType<typeof parseStrictJson>, now: number): Services {
  const config = readMessage(document, 'the config', [
    ...['mediaType', 'caUrls', 'oidcUrls', 'rekorTlogUrls', 'rekorTlogConfig', 'tsaUrls', 'tsaConfig'],
  ]);
  const stated = text(config, 'mediaType');
  if (stated !== mediaType)
    throw new VerifyError('unsupported', `its media type is ${quoted(stated)}, not ${mediaType}`);
  const [authority] = current(config, 'caUrls', [1], now);
  if (authority === undefined)
    throw new VerifyError('unsupported', 'it names no certificate authority that is valid now');
  const logs = select(config, 'rekorTlogConfig', current(config, 'rekorTlogUrls', [1, 2], now), 'log');
  const timestamps = select(config, 'tsaConfig', current(config, 'tsaUrls', [1], now), 'timestamp authority');
  if (timestamps.length === 0 && !logs.some(({ version }) => version === 1)) {
    throw new VerifyError(
      'unsupported',
      'it names nothing that proves when a signature was made: no timestamp authority, and no log with a time of its own',
    );
  }
  return {
    fulcio: authority.url,
    logs: logs.map(({ url, version }) => ({ url, version: version === 2 ? 2 : 1 })),
    timestamps: timestamps.map(({ url }) => url),
  };
}

/** The best service of each operator, the one that began last first. */
function current(config: Message, name: string, versions: readonly number[], now: number): readonly Service[] {
  const usable = items(config, name, maxServices, readService)
    .filter(({ version, start, end }) => versions.includes(version) && start <= now && now <= end)
    .sort((a, b) => b.version - a.version || b.start - a.start);
  const best = usable.filter((each, at) => usable.findIndex(({ operator }) => operator === each.operator) === at);
  return best.sort((a, b) => b.start - a.start);
}

function readService(value: Parameters<typeof readMessage>[0], where: string): Service {
  const service = readMessage(value, where, ['url', 'majorApiVersion', 'validFor', 'operator']);
  const validFor = child(service, 'validFor', ['start', 'end']);
  const time = (name: string, otherwise: number) =>
    has(validFor, name) ? readTimestamp(text(validFor, name), `${validFor.where}.${name}`).ms : otherwise;
  return {
    url: checkServiceUrl(text(service, 'url')),
    version: count(service, 'majorApiVersion'),
    operator: optionalText(service, 'operator') ?? '',
    start: time('start', Number.POSITIVE_INFINITY),
    end: time('end', Number.POSITIVE_INFINITY),
  };
}

const selectors: ReadonlyMap<number, string> = new Map([
  [1, 'ALL'],
  [2, 'ANY'],
  [3, 'EXACT'],
]);

function select(config: Message, name: string, services: readonly Service[], what: string): readonly Service[] {
  if (!has(config, name)) return [];
  const message = child(config, name, ['selector', 'count']);
  const selector = enumName(message, 'selector', selectors);
  const needed = selector === 'EXACT' ? count(message, 'count') : 1;
  if (!['ALL', 'ANY', 'EXACT'].includes(selector ?? '') || needed === 0) {
    throw new VerifyError('unsupported', `${message.where} has no selector that is known here`);
  }
  if (services.length < needed) {
    throw new VerifyError('unsupported', `it asks for ${plural(needed, what)}, and ${services.length} can be used now`);
  }
  return selector === 'ALL' ? services : services.slice(0, needed);
}
