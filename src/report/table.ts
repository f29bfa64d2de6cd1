/**
 * An inventory for people: what was scanned, every package, what could not be read, what to do next. The list is the
 * result and is never shortened; on a terminal its columns are cut to the width, in a file nothing is.
 */

import { byText, fullName } from '../bom/names.ts';
import type { Component, Inventory, SubjectInfo } from '../bom/types.ts';
import { plural } from '../diag/index.ts';
import { type Paint, painter } from './color.ts';
import { formatGap } from './diagnostics.ts';
import { formatBytes } from './progress.ts';
import { cutEnd, cutStart, displayWidth, pad, shown } from './text.ts';

export interface TableOptions {
  readonly color: boolean;
  /** Columns of the terminal; absent for a file or a pipe. */
  readonly width?: number;
}

/** Several lines, each ended by a newline. */
export function writeTable(inventory: Inventory, options: TableOptions): string {
  const paint = painter(options.color);
  const blocks = [
    headerLines(inventory, paint),
    countLines(inventory),
    packageLines(inventory, options, paint),
    gapLines(inventory, paint),
    nextLines(inventory, paint),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function headerLines({ subject, distro, coverage }: Inventory, paint: Paint): string[] {
  const { requested, name, platform, index, manifest, config, digest, layers } = subject;
  const left = coverage.excluded === 0 ? '' : `, ${coverage.excluded} left out by request`;
  const facts: (readonly [label: string, value: string | undefined])[] = [
    ['scanned', requested === name ? undefined : requested],
    ['kind', subject.kind],
    ['platform', platform && platformName(platform)],
    ['index', index],
    ['manifest', manifest],
    ['config', config],
    ['digest', digest],
    ['system', distro && (distro.prettyName ?? [distro.name ?? distro.id, distro.versionId].join(' ').trim())],
    ['layers', layers.length === 0 ? undefined : layersText(layers)],
    ['files', `${coverage.files}${left}`],
  ];
  const lines = facts.flatMap(([label, value]) =>
    value === undefined ? [] : [`  ${paint('dim', label.padEnd(9))} ${shown(value)}`],
  );
  return [paint('bold', shown(name)), ...lines];
}

function platformName(platform: NonNullable<SubjectInfo['platform']>): string {
  const { os, architecture, variant, osVersion } = platform;
  const parts = [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
  return osVersion === undefined ? parts : `${parts} (${osVersion})`;
}

function layersText(layers: SubjectInfo['layers']): string {
  const stored = layers.reduce((sum, layer) => sum + layer.size, 0);
  const plain = layers.reduce((sum, layer) => sum + layer.plainSize, 0);
  return `${layers.length} (${formatBytes(stored)} stored, ${formatBytes(plain)} unpacked)`;
}

function countLines({ components }: Inventory): string[] {
  if (components.length === 0) return ['no packages found'];
  const counts = new Map<string, number>();
  for (const { ecosystem } of components) counts.set(ecosystem, (counts.get(ecosystem) ?? 0) + 1);
  const parts = [...counts]
    .sort(([left], [right]) => byText(left, right))
    .map(([ecosystem, count]) => `${count} ${shown(ecosystem)}`);
  return [`${plural(components.length, 'package')}: ${parts.join(', ')}`];
}

interface Row {
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly path: string;
  /** What follows the path and is kept when the path is cut. */
  readonly more: string;
}

function packageLines({ components }: Inventory, { width }: TableOptions, paint: Paint): string[] {
  if (components.length === 0) return [];
  const byRef = new Map(components.map((component) => [component.ref, component]));
  const rows = [...components].sort(byName).map((component) => rowOf(component, byRef));
  const widths = columnWidths(rows, width);
  const cell = (text: string, columns: number): string =>
    pad(width === undefined ? text : cutEnd(text, columns), columns);
  const lineOf = ({ name, version, type, path, more }: Row): string => {
    const start = `${cell(name, widths.name)}  ${cell(version, widths.version)}  ${cell(type, widths.type)}  `;
    if (width === undefined) return start + path + more;
    const rest = cutEnd(more, widths.found);
    return start + cutStart(path, Math.max(1, widths.found - displayWidth(rest))) + rest;
  };
  const [title, ...lines] = [headings, ...rows].map((row) => lineOf(row).trimEnd());
  return [paint('bold', title!), ...lines];
}

const headings: Row = { name: 'NAME', version: 'VERSION', type: 'TYPE', path: 'FOUND IN', more: '' };

function byName(left: Component, right: Component): number {
  const [one, other] = [fullName(left), fullName(right)];
  return (
    byText(one.toLowerCase(), other.toLowerCase()) ||
    byText(one, other) ||
    byText(left.version ?? '', right.version ?? '') ||
    byText(left.ref, right.ref)
  );
}

function rowOf(component: Component, byRef: ReadonlyMap<string, Component>): Row {
  const paths = [...new Set(component.sightings.flatMap((sighting) => sighting.places.map((place) => place.path)))];
  const [first, ...others] = paths;
  const owner = component.ownedBy === undefined ? undefined : byRef.get(component.ownedBy);
  const ownerName = owner === undefined ? component.ownedBy : fullName(owner);
  return {
    name: shown(fullName(component)),
    version: component.version === undefined ? 'unknown' : shown(component.version),
    type: shown(component.ecosystem) + scopes[component.scope],
    path: first === undefined ? '-' : shown(first),
    more:
      (others.length === 0 ? '' : ` +${others.length}`) +
      (ownerName === undefined ? '' : ` (part of ${shown(ownerName)})`),
  };
}

const scopes: Readonly<Record<Component['scope'], string>> = {
  required: '',
  optional: ' (optional)',
  excluded: ' (dev)',
};

interface Widths {
  readonly name: number;
  readonly version: number;
  readonly type: number;
  readonly found: number;
}

// One absurdly long name must not push every other line out to its length.
const widestColumn = 60;

function columnWidths(rows: readonly Row[], width: number | undefined): Widths {
  const natural = (texts: (row: Row) => string): number =>
    [headings, ...rows].reduce((max, row) => Math.max(max, Math.min(widestColumn, displayWidth(texts(row)))), 0);
  const widths = {
    name: natural((row) => row.name),
    version: natural((row) => row.version),
    type: natural((row) => row.type),
    found: 16,
  };
  if (width === undefined) return widths;
  // Whatever is widest gives way first, down to a least width; below that the terminal has to wrap the lines.
  const wanted = Math.max(widths.found, Math.floor(width / 3));
  for (let excess = widths.name + widths.version + widths.type + spaces + wanted - width; excess > 0; excess--) {
    const [widest] = shrinking
      .filter(([column, least]) => widths[column] > least)
      .sort(([left], [right]) => widths[right] - widths[left]);
    if (widest === undefined) break;
    widths[widest[0]]--;
  }
  widths.found = Math.max(widths.found, width - widths.name - widths.version - widths.type - spaces);
  return widths;
}

const shrinking = [
  ['name', 16],
  ['version', 10],
  ['type', 8],
] as const;

// Two between each of the four columns.
const spaces = 6;

function gapLines({ coverage }: Inventory, paint: Paint): string[] {
  if (coverage.gaps.length === 0) return [];
  return [
    paint(
      'yellow',
      `could not read everything, packages may be missing above (${plural(coverage.gaps.length, 'gap')}):`,
    ),
    ...coverage.gaps.map((gap) => `  ${formatGap(gap)}`),
  ];
}

function nextLines({ subject, components }: Inventory, paint: Paint): string[] {
  if (components.length === 0) return [];
  // Only a target that every shell takes as it stands: people copy this line.
  const target = /^[\w@+=:,./][\w@%+=:,./-]*$/.test(subject.requested) ? subject.requested : 'TARGET';
  return [`${paint('dim', 'next:')} tidewaiter scan ${target} -o cyclonedx-json=bom.json`];
}
