/**
 * What SPDX 2.3 asks of a JSON document, as far as we write one: the required fields, the patterns, and that everything
 * that is referred to is there. Written from the text of the specification; its JSON schema is not in this repository.
 */
import { isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';

type Json = Readonly<Record<string, unknown>>;

const relationshipTypes = ['DESCRIBES', 'CONTAINS', 'DEPENDS_ON', 'DEV_DEPENDENCY_OF', 'OPTIONAL_DEPENDENCY_OF'];
const purposes = ['APPLICATION', 'FRAMEWORK', 'LIBRARY', 'CONTAINER', 'OPERATING_SYSTEM', 'SOURCE', 'FILE'];
const digits = new Map([
  ['MD5', 32],
  ['SHA1', 40],
  ['SHA256', 64],
  ['SHA384', 96],
  ['SHA512', 128],
]);
const documentKeys =
  'spdxVersion dataLicense SPDXID name documentNamespace creationInfo comment packages hasExtractedLicensingInfos relationships annotations';
const packageKeys =
  'SPDXID name versionInfo supplier originator downloadLocation filesAnalyzed checksums homepage sourceInfo licenseConcluded licenseDeclared copyrightText description comment externalRefs primaryPackagePurpose';

/** What is wrong with the document; empty when nothing is. */
export function spdxProblems(text: string): string[] {
  const problems: string[] = [];
  const check = (right: boolean, problem: string): void => {
    if (!right) problems.push(problem);
  };
  const document = JSON.parse(text) as Json;
  check(text.isWellFormed() && !/\\ud[89a-f]/i.test(text.replaceAll('\\\\', '')), 'lone surrogate');
  checkHead(document, check);
  const packages = document['packages'] as readonly Json[];
  const ids = packages.map((each) => String(each['SPDXID']));
  check(new Set(ids).size === ids.length, 'SPDXID stands twice');
  const extracted = (document['hasExtractedLicensingInfos'] ?? []) as readonly Json[];
  for (const each of extracted) {
    check(/^LicenseRef-[A-Za-z0-9.-]+$/.test(String(each['licenseId'])), `licenseId ${String(each['licenseId'])}`);
    check(String(each['extractedText']) !== '', 'extractedText');
  }
  const licenceIds = new Set(extracted.map((each) => String(each['licenseId'])));
  check(licenceIds.size === extracted.length, 'licenseId stands twice');
  for (const each of packages) checkPackage(each, licenceIds, check);
  const known = new Set(['SPDXRef-DOCUMENT', ...ids]);
  for (const each of document['relationships'] as readonly Json[]) {
    check(relationshipTypes.includes(String(each['relationshipType'])), `relationship ${JSON.stringify(each)}`);
    check(known.has(String(each['spdxElementId'])), `relationship from ${String(each['spdxElementId'])}`);
    const target = String(each['relatedSpdxElement']);
    check(known.has(target) || ['NONE', 'NOASSERTION'].includes(target), `relationship to ${target}`);
  }
  check(reachable(document).size === known.size, 'a package cannot be reached from the document');
  return problems;
}

/** SPDXIDs that a walk from the document meets, along and against the arrows of the types that point backwards. */
export function reachable(document: Json): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const each of document['relationships'] as readonly Json[]) {
    const ends = [String(each['spdxElementId']), String(each['relatedSpdxElement'])];
    const [from, to] = String(each['relationshipType']).endsWith('_OF') ? ends.reverse() : ends;
    if (to !== 'NONE' && to !== 'NOASSERTION') next.set(from!, [...(next.get(from!) ?? []), to!]);
  }
  const seen = new Set(['SPDXRef-DOCUMENT']);
  for (const id of seen) for (const target of next.get(id) ?? []) seen.add(target);
  return seen;
}

type Check = (right: boolean, problem: string) => void;

function checkHead(document: Json, check: Check): void {
  check(document['spdxVersion'] === 'SPDX-2.3', 'spdxVersion');
  check(document['dataLicense'] === 'CC0-1.0', 'dataLicense');
  check(document['SPDXID'] === 'SPDXRef-DOCUMENT', 'SPDXID');
  check(isLine(document['name']), 'name');
  check(
    /^https:\/\/spdx\.org\/spdxdocs\/[\w.-]+-[0-9a-f-]{36}$/.test(String(document['documentNamespace'])),
    'documentNamespace',
  );
  const { created, creators } = document['creationInfo'] as Json;
  check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(created)), 'created');
  check((creators as string[]).length > 0, 'creators');
  for (const creator of creators as string[]) {
    check(isLine(creator) && /^(?:Tool|Organization|Person): \S/.test(creator), `creator ${creator}`);
  }
  check(onlyKeys(document, documentKeys), 'keys of the document');
  for (const each of (document['annotations'] ?? []) as readonly Json[]) {
    check(each['annotationType'] === 'OTHER' && String(each['annotator']).startsWith('Tool: '), 'annotation');
    check(each['annotationDate'] === created && String(each['comment']) !== '', 'annotation');
  }
}

function checkPackage(each: Json, licenceIds: ReadonlySet<string>, check: Check): void {
  const id = String(each['SPDXID']);
  check(/^SPDXRef-[A-Za-z0-9.-]+$/.test(id), `SPDXID ${id}`);
  check(onlyKeys(each, packageKeys), `keys of ${id}`);
  check(isLine(each['name']), `name of ${id}`);
  check(each['filesAnalyzed'] === false, `filesAnalyzed of ${id}`);
  check(purposes.includes(String(each['primaryPackagePurpose'])), `purpose of ${id}`);
  check(/^(?:NOASSERTION|[a-z+-]+:\/\/[!-~]+)$/.test(String(each['downloadLocation'])), `downloadLocation of ${id}`);
  check(
    each['homepage'] === undefined || /^(?:https?|ftp):[!-~]+$/i.test(String(each['homepage'])),
    `homepage of ${id}`,
  );
  check(/^(?:NOASSERTION|Organization: \S.*)$/.test(String(each['supplier'])), `supplier of ${id}`);
  check(each['originator'] === undefined || /^Person: \S.*$/.test(String(each['originator'])), `originator of ${id}`);
  check(each['licenseConcluded'] === 'NOASSERTION', `licenseConcluded of ${id}`);
  const declared = String(each['licenseDeclared']);
  check(isExpression(declared, licenceIds), `licenseDeclared of ${id}: ${declared}`);
  for (const sum of (each['checksums'] ?? []) as readonly Json[]) {
    const value = String(sum['checksumValue']);
    check(/^[0-9a-f]+$/.test(value) && digits.get(String(sum['algorithm'])) === value.length, `checksum of ${id}`);
  }
  for (const ref of (each['externalRefs'] ?? []) as readonly Json[]) {
    const locator = String(ref['referenceLocator']);
    const kind = `${String(ref['referenceCategory'])} ${String(ref['referenceType'])}`;
    const pattern = new Map([
      ['PACKAGE-MANAGER purl', /^pkg:[a-z][a-z0-9.+-]*\/[!-~]+$/],
      ['SECURITY cpe23Type', /^cpe:2\.3:[aho*-](?::[!-~]+){10}$/],
      ['SECURITY cpe22Type', /^cpe:\/[aho]?(?::[!-~]*){0,6}$/i],
    ]).get(kind);
    check(pattern?.test(locator) === true, `externalRef of ${id}: ${kind} ${locator}`);
  }
}

// Operands are listed licences or references of the document, what follows WITH is an exception.
function isExpression(text: string, licenceIds: ReadonlySet<string>): boolean {
  if (text === 'NOASSERTION') return true;
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let depth = 0;
  let operandNext = true;
  for (const [index, token] of tokens.entries()) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (operandNext) {
      const listed = isSupportedSpdxId(token.replace(/\+$/, '')) || isSupportedSpdxId(token) || licenceIds.has(token);
      if (!listed && tokens[index - 1] !== 'WITH') return false;
      operandNext = false;
    } else if (['AND', 'OR', 'WITH'].includes(token)) operandNext = true;
    else return false;
    if (depth < 0) return false;
  }
  return depth === 0 && !operandNext;
}

function onlyKeys(value: Json, keys: string): boolean {
  return Object.entries(value).every(([key, each]) => keys.split(' ').includes(key) && each !== '' && each !== null);
}

function isLine(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/\p{Cc}/u.test(value);
}
