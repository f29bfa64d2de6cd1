/**
 * One CycloneDX document as a plain object, in the shape of 1.7; older versions are made from it (downlevel.ts). Keys
 * are in the order of the specification's examples, because JSON is written in the order of construction. `undefined`
 * means absent: neither writer prints it, and no list is ever empty except `dependsOn`, where empty says "none".
 *
 * https://cyclonedx.org/docs/1.7/json/ and https://cyclonedx.org/docs/1.7/xml/
 */
import type {
  ComponentScope,
  ComponentType,
  ExternalReferenceType,
  HashAlgorithm,
  LicenseAcknowledgement,
  LifecyclePhase,
} from '@cyclonedx/cyclonedx-library/Enums';

export const versions = ['1.4', '1.5', '1.6', '1.7'] as const;
export type CycloneDxVersion = (typeof versions)[number];

export interface CdxDocument {
  readonly specVersion: CycloneDxVersion;
  readonly serialNumber: string;
  readonly metadata: CdxMetadata;
  readonly components?: readonly CdxComponent[] | undefined;
  readonly dependencies: readonly CdxDependency[];
  readonly compositions: readonly CdxComposition[];
}

export interface CdxMetadata {
  readonly timestamp: string;
  /** Since 1.5. */
  readonly lifecycles?: readonly { readonly phase: CdxPhase }[] | undefined;
  /** A list of tools before 1.5. */
  readonly tools: { readonly components: readonly CdxComponent[] } | readonly CdxTool[];
  readonly authors?: readonly CdxContact[] | undefined;
  readonly component: CdxComponent;
  /** Who made the document; since 1.6. */
  readonly manufacturer?: CdxEntity | undefined;
  readonly licenses: readonly CdxLicense[];
  readonly properties?: readonly CdxProperty[] | undefined;
}

interface CdxTool {
  readonly name: string;
  readonly version: string;
}

export interface CdxComponent {
  readonly type: CdxComponentType;
  readonly 'bom-ref'?: string | undefined;
  readonly supplier?: CdxEntity | undefined;
  /** Since 1.6; `author` before. */
  readonly authors?: readonly CdxContact[] | undefined;
  readonly author?: string | undefined;
  readonly publisher?: string | undefined;
  readonly group?: string | undefined;
  readonly name: string;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  readonly scope?: `${ComponentScope}` | undefined;
  readonly hashes?: readonly CdxHash[] | undefined;
  readonly licenses?: readonly CdxLicense[] | undefined;
  readonly cpe?: string | undefined;
  readonly purl?: string | undefined;
  readonly externalReferences?: readonly CdxReference[] | undefined;
  readonly properties?: readonly CdxProperty[] | undefined;
  /** Since 1.5, as far as we use it. */
  readonly evidence?: CdxEvidence | undefined;
}

export interface CdxEntity {
  readonly name?: string | undefined;
  readonly url?: readonly string[] | undefined;
  readonly contact?: readonly CdxContact[] | undefined;
}

export interface CdxContact {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
}

export interface CdxHash {
  readonly alg: `${HashAlgorithm}`;
  readonly content: string;
}

/** The acknowledgement is known since 1.6. */
export type CdxLicense =
  | {
      readonly license: {
        readonly id?: string | undefined;
        readonly name?: string | undefined;
        readonly acknowledgement?: `${LicenseAcknowledgement}` | undefined;
      };
    }
  | { readonly expression: string; readonly acknowledgement?: `${LicenseAcknowledgement}` | undefined };

export interface CdxReference {
  readonly url: string;
  readonly type: CdxReferenceType;
  readonly hashes?: readonly CdxHash[] | undefined;
}

export interface CdxProperty {
  readonly name: string;
  readonly value: string;
}

export interface CdxEvidence {
  /** One object in 1.5, a list since 1.6. */
  readonly identity?: CdxIdentity | readonly CdxIdentity[] | undefined;
  readonly occurrences?: readonly { readonly location: string }[] | undefined;
}

interface CdxIdentity {
  readonly field: 'purl';
  readonly confidence: number;
  readonly methods: readonly CdxMethod[];
}

interface CdxMethod {
  readonly technique: 'manifest-analysis' | 'binary-analysis' | 'filename';
  readonly confidence: number;
  readonly value?: string | undefined;
}

export interface CdxDependency {
  readonly ref: string;
  readonly dependsOn: readonly string[];
}

export interface CdxComposition {
  readonly aggregate: 'complete' | 'incomplete' | 'unknown';
  readonly assemblies?: readonly string[] | undefined;
  readonly dependencies?: readonly string[] | undefined;
}

/** Those that every version from 1.4 on knows. */
export type CdxComponentType = Exclude<
  `${ComponentType}`,
  'platform' | 'device-driver' | 'machine-learning-model' | 'data' | 'cryptographic-asset'
>;
export type CdxReferenceType = Extract<`${ExternalReferenceType}`, 'website' | 'vcs' | 'distribution'>;
export type CdxPhase = Extract<`${LifecyclePhase}`, 'pre-build' | 'post-build'>;

/** A list that is absent rather than empty. */
export function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
