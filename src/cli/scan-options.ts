/** The flags of `scan` as the use case wants them, each checked with a message of its own. */
import path from 'node:path';
import type { Limits } from '../archive/index.ts';
import type { Party } from '../catalog/index.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import { compilePattern } from '../pattern/index.ts';
import { colorWanted } from '../report/index.ts';
import { type OutputSpec, parseOutput } from '../run/formats.ts';
import type { ScanOptions } from '../run/scan.ts';
import { type PlatformChoice, parsePlatform } from '../sources/index.ts';
import { endOfTime, parseTime } from './rfc3339.ts';
import type { ScanFlags } from './scan.ts';

export function scanOptions(
  target: string,
  flags: ScanFlags,
  world: World,
  version: string,
  limits: Limits,
): ScanOptions {
  return {
    target,
    platform: platformChoice(flags.platform, world),
    limits,
    everything: flags.all === true,
    exclude: flags.exclude.map(compileExclude),
    strict: flags.strict === true,
    outputs: outputs(flags.output),
    info: {
      timestamp: timestamp(flags.now, world),
      tool: { name: 'tidewaiter', version },
      authors: flags.author.map((text) => party(text, '--author')),
      ...(flags.manufacturer === undefined ? {} : { manufacturer: party(flags.manufacturer, '--manufacturer') }),
    },
    look: {
      color: colorWanted(world.env, world.stdout.isTerminal),
      ...(world.stdout.isTerminal ? { width: world.stdout.columns } : {}),
    },
  };
}

function platformChoice(flag: string | undefined, world: World): PlatformChoice {
  if (flag === 'all') return 'all';
  return flag === undefined
    ? { platform: world.host, explicit: false }
    : { platform: parsePlatform(flag), explicit: true };
}

function compileExclude(pattern: string) {
  const bare = pattern.replace(/^\.\//, '');
  if (bare.split('/').every((segment) => segment === '')) {
    throw new OperationalError('usage', `--exclude ${quoted(pattern)} names nothing`);
  }
  return compilePattern(bare);
}

function outputs(texts: readonly string[]): readonly OutputSpec[] {
  const specs = texts.length === 0 ? [parseOutput('table')] : texts.map(parseOutput);
  const places = specs.map((spec) => (spec.file === undefined ? 'standard output' : path.resolve(spec.file)));
  const at = places.findIndex((place, index) => places.indexOf(place) !== index);
  const twice = at < 0 ? undefined : (specs[at]!.file ?? 'standard output');
  if (twice !== undefined) {
    throw new OperationalError('usage', `two outputs go to ${quoted(twice)}`, {
      hints: ['give all but one of them a file of its own: -o FORMAT=FILE'],
    });
  }
  return specs;
}

/** Whole seconds, UTC: what documents need, and the same for the same second. */
function timestamp(now: string | undefined, world: World): string {
  if (now !== undefined) return inSeconds(parseTime(now, '--now'));
  const epoch = world.env['SOURCE_DATE_EPOCH'];
  if (epoch === undefined || epoch === '') return inSeconds(world.now());
  if (!/^\d{1,12}$/.test(epoch) || Number(epoch) * 1000 >= endOfTime) {
    throw new OperationalError('usage', `SOURCE_DATE_EPOCH ${quoted(epoch)} is not a number of seconds`);
  }
  return inSeconds(Number(epoch) * 1000);
}

function inSeconds(milliseconds: number): string {
  return new Date(Math.floor(milliseconds / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

/** `Name`, `Name <mail@example.com>` or `Name <https://example.com>`. */
function party(text: string, flag: string): Party {
  const match = /^([^<>]*[^<>\s])(?:\s*<([^<>\s]+)>)?$/.exec(text.trim());
  const name = match?.[1]?.trim();
  if (name === undefined || name === '') {
    throw new OperationalError('usage', `${flag} ${quoted(text)} is not a name`, {
      hints: ["write it as 'Name', 'Name <mail@example.com>' or 'Name <https://example.com>'"],
    });
  }
  const contact = match?.[2];
  if (contact === undefined) return { name };
  return /^https?:\/\//.test(contact) ? { name, url: contact } : { name, email: contact };
}
