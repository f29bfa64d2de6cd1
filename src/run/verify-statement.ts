/** What a proved statement says, as far as its kind is known: shown to people, and held against it where it says no. */
import type { CheckedStatement, NameValue } from '../report/verification.ts';
import { VerifyError } from '../sigstore/failure.ts';
import { predicateObject, textIn } from '../sigstore/predicate.ts';
import { isProvenance, readProvenance } from '../sigstore/provenance.ts';
import type { Statement } from '../sigstore/types.ts';
import { isSummary, readVsa, summaryResult, vsaType } from '../sigstore/vsa.ts';

export interface Described {
  readonly statement: CheckedStatement;
  /** Why it speaks against the target: it says that a check failed, or does not say that it passed. */
  readonly against?: string;
}

export function describeStatement(statement: Statement): Described {
  const { predicateType, subjects } = statement;
  const plain: CheckedStatement = {
    predicateType,
    subjects: subjects.map(({ name, digest }) => ({
      ...(name === undefined ? {} : { name }),
      digest: [...digest].map(([algorithm, value]) => ({ algorithm, value })),
    })),
  };
  try {
    const { says, against } = read(statement);
    return { statement: { ...plain, ...(says.length > 0 && { says }) }, ...(against !== undefined && { against }) };
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    // Provenance is only shown, and builders of the field write it in odd shapes. Of a result only "passed" is a pass.
    if (!isProvenance(predicateType))
      return { statement: plain, against: `its result cannot be read: ${error.message}` };
    return { statement: { ...plain, says: [{ name: 'unread', value: error.message }] } };
  }
}

const failedSummary = 'it is a verification summary that says FAILED';
/** Of any version: the form of later ones is not known, and of those that cannot be read none is a pass. */
const testResultTypes = /^https:\/\/in-toto\.io\/attestation\/test-result(?:$|\/)/;

/** Throws VerifyError for a predicate of a known kind that breaks its form. */
function read(statement: Statement): { readonly says: readonly NameValue[]; readonly against?: string } {
  const { predicateType } = statement;
  if (isProvenance(predicateType)) return { says: provenanceSays(statement) };
  if (predicateType === vsaType) {
    const { verifier, resourceUri, passed, verifiedLevels } = readVsa(statement);
    const says = values({ verifier, resource: resourceUri, result: passed ? 'PASSED' : 'FAILED' });
    const levels = verifiedLevels.map((value) => ({ name: 'level', value }));
    return {
      says: [...says, ...levels],
      ...(!passed && { against: failedSummary }),
    };
  }
  if (isSummary(predicateType)) {
    const result = summaryResult(statement.predicate);
    return { says: values({ result }), ...(result === 'FAILED' && { against: failedSummary }) };
  }
  if (testResultTypes.test(predicateType)) {
    const result = textIn(predicateObject(statement.predicate, 'test result'), 'result', 'test result');
    const failed = result !== 'PASSED' && result !== 'WARNED';
    return { says: values({ result }), ...(failed && { against: `it is a test result that says ${result}` }) };
  }
  return { says: [] };
}

function provenanceSays(statement: Statement): readonly NameValue[] {
  const { builder, buildType, source, invocation } = readProvenance(statement);
  const commit = source?.digest.get('gitCommit') ?? source?.digest.get('sha1');
  return values({
    builder,
    'build type': buildType,
    source: source?.repository,
    ref: source?.ref,
    commit,
    path: source?.path,
    run: invocation,
  });
}

function values(pairs: Readonly<Record<string, string | undefined>>): readonly NameValue[] {
  return Object.entries(pairs).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}
