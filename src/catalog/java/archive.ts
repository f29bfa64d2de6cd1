/**
 * Java archives: jar, war, ear and their relatives, with every archive inside them.
 *
 * Each archive is a package: Maven coordinates from its descriptor, else from its manifest, else from its file name (see
 * identity.ts). Libraries that were copied into it are packages of their own. Whatever holds others requires them; what
 * an archive needs beside it, it does not say.
 *
 * A package URL of type maven needs a group. Where none is known the artifact id stands in, as other scanners do, and
 * the property `java:group-unknown` says so.
 */
import { startsZip, ZipError } from '../../archive/zip.ts';
import type { Purl } from '../../purl/index.ts';
import { type Cataloger, type FileInfo, type Package, Unreadable } from '../types.ts';
import { type ArchiveFact, type JavaFact, readArchives } from './archives.ts';
import { archiveSuffix } from './suffixes.ts';

export const javaArchive: Cataloger<ArchiveFact> = {
  id: 'java/archive',
  kind: 'installed',
  wants,
  read(file, gap) {
    try {
      return readArchives(file.path, file.bytes, gap);
    } catch (error) {
      if (error instanceof ZipError) throw new Unreadable(error.message);
      throw error;
    }
  },
  assemble(found) {
    const packages: Package[] = [];
    for (const [index, { fact, layer }] of found.entries()) {
      // A directory may be called `a.jar!`: the number keeps its files apart from what is inside of `a.jar`.
      addArchive(fact, { layer, prefix: `${index}:` }, packages);
    }
    return packages;
  },
};

/** An executable archive begins with a script: what is surely meant as an archive need not begin like one. */
function wants(file: FileInfo): boolean {
  const suffix = archiveSuffix(file.path);
  return file.size > 0 && (suffix === 'certain' || (suffix === 'shared' && startsZip(file.head)));
}

interface Origin {
  readonly layer: number;
  /** What the keys of one file begin with. */
  readonly prefix: string;
}

/** Adds the packages of an archive; the result are the keys that stand for it. */
function addArchive(archive: ArchiveFact, origin: Origin, packages: Package[]): readonly string[] {
  const bundled = archive.bundled.map((fact) => asPackage(fact, `${archive.path}!/${fact.entry}`, origin, []));
  for (const each of bundled) packages.push(each);
  const inner = archive.nested.flatMap((nested) => addArchive(nested, origin, packages));
  const keys = [...bundled.map((each) => each.key), ...inner];
  if (archive.own === undefined) return keys;
  const own = asPackage(archive.own, archive.path, origin, keys);
  packages.push(own);
  return [own.key];
}

function asPackage(fact: JavaFact, path: string, origin: Origin, requires: readonly string[]): Package {
  const { artifact, version, supplier, homepage, vcs, hashes } = fact;
  const properties = propertiesOf(fact);
  return {
    key: `${origin.prefix}${path}`,
    purl: purlOf(fact),
    name: `${groupOf(fact)}:${artifact}`,
    ...(version !== undefined && { version }),
    kind: fact.isApplication === true ? 'application' : 'library',
    ...(fact.licenses.length > 0 && { licenses: fact.licenses }),
    ...(hashes !== undefined && { hashes }),
    ...(supplier !== undefined && { supplier }),
    ...(homepage !== undefined && { homepage }),
    ...(vcs !== undefined && { vcs }),
    places: [{ path, layer: origin.layer }],
    ...(requires.length > 0 && { requires }),
    requiresIncomplete: true,
    technique: fact.source === 'file name' ? 'filename' : 'manifest-analysis',
    confidence: fact.confidence,
    ...(properties !== undefined && { properties }),
  };
}

function groupOf(fact: JavaFact): string {
  return fact.group ?? fact.artifact;
}

function purlOf(fact: JavaFact): Purl {
  return {
    type: 'maven',
    namespace: groupOf(fact),
    name: fact.artifact,
    ...(fact.version !== undefined && { version: fact.version }),
    ...(fact.classifier !== undefined && { qualifiers: { classifier: fact.classifier } }),
  };
}

function propertiesOf(fact: JavaFact): Record<string, string> | undefined {
  const properties = {
    ...(fact.group === undefined && { 'java:group-unknown': 'true' }),
    ...(fact.source === 'file name' && { 'java:no-metadata': 'true' }),
  };
  return Object.keys(properties).length > 0 ? properties : undefined;
}
