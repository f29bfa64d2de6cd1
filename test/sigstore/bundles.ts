/** The real bundles of the data folder, parsed, each with the trusted root that it is meant for. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseBundle } from '../../src/sigstore/bundle.ts';
import { VerifyError } from '../../src/sigstore/failure.ts';
import { parseTrustRoot } from '../../src/sigstore/trust-root.ts';
import type { SignedEntity, TrustRoot } from '../../src/sigstore/types.ts';
import { dataDir, readData } from '../kit/data.ts';

export interface RealBundle {
  /** `conformance/happy-path-v0.1` */
  readonly name: string;
  readonly entity: SignedEntity;
  readonly trust: TrustRoot;
  /** The whole of it must be accepted. */
  readonly good: boolean;
}

/** Without those that only ask another question of a bundle that is here already, and those that do not parse. */
export function realBundles(): readonly RealBundle[] {
  if (dataDir === undefined) return [];
  const dir = dataDir;
  return ['conformance', 'real'].flatMap((folder) =>
    readdirSync(path.join(dir, 'sigstore', folder))
      .filter((name) => !/_(?:identity-prefix|wrong-digest|wrong-artifact)_fail$/.test(name))
      .flatMap((name) => readOne(dir, `${folder}/${name}`)),
  );
}

/** The one with this name. */
export function realBundle(name: string): RealBundle {
  const found = realBundles().find((each) => each.name === name);
  if (found === undefined) throw new Error(`no bundle ${name}`);
  return found;
}

const roots = new Map<string, TrustRoot>();

function readOne(dir: string, name: string): readonly RealBundle[] {
  const file = `sigstore/${name}/bundle.sigstore.json`;
  if (!existsSync(path.join(dir, file))) return [];
  const own = `sigstore/${name}/trusted_root.json`;
  const json = readData(existsSync(path.join(dir, own)) ? own : 'sigstore/trust/public-good.json').toString();
  const trust = roots.get(json) ?? parseTrustRoot(json, 'root');
  roots.set(json, trust);
  try {
    return [{ name, entity: parseBundle(readData(file).toString()), trust, good: !name.endsWith('_fail') }];
  } catch (error) {
    if (error instanceof VerifyError) return [];
    throw error;
  }
}
