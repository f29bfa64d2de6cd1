/**
 * Rust programs and shared libraries that were built with cargo-auditable, from the list in them (audit-data.ts).
 *
 * The root crate is the application. Crates of kind `build` (build scripts and what they need) ran on the builder's
 * machine and are not in the program: they are reported, since they shaped it, with scope `dev`, so that nobody takes
 * them for code that runs here.
 *
 * Whether a crate came from crates.io is in the list, but not from which other place: a crate from elsewhere has the same
 * purl as its namesake on crates.io, and the property `cargo:source` tells them apart.
 */
import { type Executable, looksExecutable, readExecutables, sectionBytes } from '../executable/index.ts';
import { type Cataloger, type Found, type Package, type ReportGap, Unreadable } from '../types.ts';
import { type AuditedCrate, type AuditedCrates, parseAuditSection } from './audit-data.ts';

const sectionName = '.dep-v0';

/** One list per program in the file: several in a universal file, or where several libraries were linked together. */
export const rustBinary: Cataloger<readonly AuditedCrates[]> = {
  id: 'rust/binary',
  kind: 'installed',
  needles: [Buffer.from(sectionName)],
  wants: looksExecutable,
  read({ bytes }, gap) {
    const lists = readExecutables(bytes, gap, (program) => auditLists(program, gap)).flat();
    return lists.length === 0 ? undefined : lists;
  },
  assemble: (found) => found.flatMap((each) => each.fact.flatMap((crates, index) => packagesOf(each, crates, index))),
};

function auditLists(program: Executable, gap: ReportGap): AuditedCrates[] | undefined {
  if (program.sectionFault !== undefined) throw new Unreadable(program.sectionFault);
  // The name occurs in it, or we would not be here; without a table nobody can tell whether the list does.
  if (program.sections.length === 0)
    throw new Unreadable('it has no section table to find its Rust dependency list by');
  const sections = program.sections.filter(({ name }) => name === sectionName);
  const [first] = sections;
  // Programs about such programs contain the name, and debugging companions the section without its bytes.
  if (first === undefined) return undefined;
  // Which of several would be the truth? Other tools read the first.
  if (sections.length > 1) gap(`it has ${sections.length} sections named ${sectionName}; only the first was read`);
  return parseAuditSection(sectionBytes(program, first), gap);
}

function packagesOf({ path, layer }: Found<unknown>, crates: AuditedCrates, index: number): Package[] {
  const keyed = (number: number) => `${layer}:${path}#${index}.${number}`;
  const root = rootOf(crates);
  return crates.flatMap((crate, number) => {
    if (crate === undefined) return [];
    const known = crate.dependencies.filter((each) => crates[each] !== undefined);
    return {
      key: keyed(number),
      ...identity(crate),
      kind: crate.root || crate === root ? 'application' : 'library',
      ...(crate.build ? { scope: 'dev' as const } : {}),
      places: [{ path, layer }],
      requires: known.map(keyed),
      ...(crate.incomplete || known.length < crate.dependencies.length ? { requiresIncomplete: true } : {}),
      technique: 'binary-analysis',
      confidence: 0.9,
    } satisfies Package;
  });
}

/** Lists of early versions of cargo-auditable mark no root: it is the one crate that no other needs. */
function rootOf(crates: AuditedCrates): AuditedCrate | undefined {
  if (crates.some((crate) => crate?.root === true)) return undefined;
  const needed = new Set(crates.flatMap((crate) => crate?.dependencies ?? []));
  const candidates = crates.filter((crate, index) => crate !== undefined && !needed.has(index));
  return candidates.length === 1 ? candidates[0] : undefined;
}

function identity({ name, version, source }: AuditedCrate): Pick<Package, 'name' | 'version' | 'purl' | 'properties'> {
  return {
    name,
    ...(version === undefined ? {} : { version }),
    purl: { type: 'cargo', name, ...(version === undefined ? {} : { version }) },
    ...(source === undefined ? {} : { properties: { 'cargo:source': source } }),
  };
}
