/** The parts of an SPDX 2.3 JSON document that we write. Key order here is the order in the file. */

export interface SpdxDocument {
  readonly spdxVersion: 'SPDX-2.3';
  readonly dataLicense: 'CC0-1.0';
  readonly SPDXID: 'SPDXRef-DOCUMENT';
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly comment: string;
  readonly packages: readonly SpdxPackage[];
  readonly hasExtractedLicensingInfos?: readonly ExtractedLicence[];
  readonly relationships: readonly Relationship[];
  readonly annotations?: readonly Annotation[];
}

export interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly supplier?: string;
  readonly originator?: string;
  readonly downloadLocation: string;
  readonly filesAnalyzed: false;
  readonly checksums?: readonly Checksum[];
  readonly homepage?: string;
  readonly sourceInfo?: string;
  readonly licenseConcluded: 'NOASSERTION';
  readonly licenseDeclared: string;
  readonly copyrightText: 'NOASSERTION';
  readonly description?: string;
  readonly comment?: string;
  readonly externalRefs?: readonly ExternalRef[];
  readonly primaryPackagePurpose: Purpose;
}

export type Purpose =
  | 'APPLICATION'
  | 'CONTAINER'
  | 'FILE'
  | 'FRAMEWORK'
  | 'LIBRARY'
  // The prose of the specification writes a hyphen, its JSON schema an underscore; validators follow the schema.
  | 'OPERATING_SYSTEM'
  | 'SOURCE';

export interface Checksum {
  readonly algorithm: 'MD5' | 'SHA1' | 'SHA256' | 'SHA384' | 'SHA512';
  readonly checksumValue: string;
}

export interface ExternalRef {
  readonly referenceCategory: 'PACKAGE-MANAGER' | 'SECURITY';
  readonly referenceType: 'purl' | 'cpe22Type' | 'cpe23Type';
  readonly referenceLocator: string;
}

export interface ExtractedLicence {
  readonly licenseId: string;
  readonly extractedText: string;
  readonly name: string;
}

export interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS' | 'DEPENDS_ON' | 'DEV_DEPENDENCY_OF' | 'OPTIONAL_DEPENDENCY_OF';
  readonly relatedSpdxElement: string;
}

export interface Annotation {
  readonly annotationDate: string;
  readonly annotationType: 'OTHER';
  readonly annotator: string;
  readonly comment: string;
}
