import { Command, Option } from 'commander';
import { defaultLimits, type Limits, limitFlags } from '../archive/limits.ts';
import { OperationalError, quoted } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';

interface Flags {
  readonly output: readonly string[];
  readonly platform?: string;
  readonly all?: boolean;
  readonly exclude: readonly string[];
  readonly strict?: boolean;
  readonly offline?: boolean;
  readonly now?: string;
  readonly author: readonly string[];
  readonly manufacturer?: string;
  readonly maxEntries?: string;
  readonly maxPathDepth?: string;
  readonly maxHeaderBytes?: string;
  readonly maxRatio?: string;
  readonly maxBytes?: string;
  readonly maxFileBytes?: string;
}

export function scanCommand(world: World, earn: Earn, version: string): Command {
  const command = new Command('scan')
    .summary('list what is inside an image, a directory or a file')
    .description('List what is inside an image, a directory or a file, and write it as a bill of materials.')
    .argument(
      'TARGET',
      'oci:DIR[:TAG|@DIGEST], oci-archive:FILE, docker-archive:FILE, dir:PATH, file:PATH, or a path that begins with . or /',
    )
    .option('-o, --output <FORMAT[=FILE]>', `${formats}; may be repeated`, collect, [])
    .option('--platform <OS/ARCH[/VARIANT]>', "which image of a multi-platform index, or all (default: this machine's)")
    .option('--all', 'count both what is installed and what lockfiles declare')
    .option('--exclude <PATTERN>', 'leave out paths that match (*, **); may be repeated', collect, [])
    .option('--strict', 'exit with 3 when anything could not be read')
    .option('--offline', 'make no network call (scan never makes one)')
    .option('--now <RFC3339>', 'the time written into documents (default: SOURCE_DATE_EPOCH, else the clock)')
    .option('--author <NAME[ <EMAIL>]>', 'who answers for the document; may be repeated', collect, [])
    .option('--manufacturer <NAME[ <EMAIL or URL>]>', 'the organization that made the document');
  for (const [name, flag] of Object.entries(limitFlags)) {
    const limit = name as keyof Limits;
    command.addOption(new Option(`${flag} <N>`, `${limitMeaning[limit]} (default: ${defaultLimits[limit]})`));
  }
  return command.addHelpText('after', examples).action(async (target: string, flags: Flags) => {
    // Loaded here: what only a scan needs must not slow down everything else. First what V8 is told: its code that was laid
    // beside the other files is of these flags.
    const { tuneForScan } = await import('./tuning.ts');
    tuneForScan();
    const { scanOptions } = await import('./scan-options.ts');
    const { scan } = await import('../run/scan.ts');
    const { scanListener } = await import('./listener.ts');
    const options = scanOptions(target, flags, world, version, limitsOf(flags));
    earn(await scan(options, world, scanListener(world)));
  });
}

const formats = 'table (default), cyclonedx-json[@1.4…1.7], cyclonedx-xml[@…], spdx-json, purls, json';

const limitMeaning: Readonly<Record<keyof Limits, string>> = {
  entries: 'refuse more entries than this',
  pathDepth: 'refuse paths with more segments',
  headerBytes: 'refuse larger extended tar headers',
  ratio: 'refuse data that expands by more',
  bytes: 'refuse to inflate more bytes',
  fileBytes: 'name larger files as gaps instead of reading them',
};

const examples = `
Examples:
  tidewaiter scan oci:./image
  tidewaiter scan ./image.tar -o cyclonedx-json=bom.json -o table
  tidewaiter scan oci:./image --platform all -o spdx-json=bom.json
  tidewaiter scan dir:. --exclude 'test/**' -o purls`;

function limitsOf(flags: Flags): Limits {
  const number = (limit: keyof Limits, text: string | undefined): number => {
    if (text === undefined) return defaultLimits[limit];
    if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
    throw new OperationalError('usage', `${limitFlags[limit]} needs a whole number above 0, not ${quoted(text)}`);
  };
  return {
    entries: number('entries', flags.maxEntries),
    pathDepth: number('pathDepth', flags.maxPathDepth),
    headerBytes: number('headerBytes', flags.maxHeaderBytes),
    ratio: number('ratio', flags.maxRatio),
    bytes: number('bytes', flags.maxBytes),
    fileBytes: number('fileBytes', flags.maxFileBytes),
  };
}

export type { Flags as ScanFlags };
