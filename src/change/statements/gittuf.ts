/**
 * gittuf's attestations: who agreed that a branch goes from one commit to one tree.
 *
 *     {"type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"gitTree": "b732…"}}],
 *      "predicate_type": "https://gittuf.dev/github-pull-request-approval/v0.1",
 *      "predicate": {"targetRef": "refs/heads/main", "fromRevisionID": "02d7…", "targetTreeID": "b732…",
 *                    "approvers": ["alice+12345"], "dismissedApprovers": []}}
 *
 * Payload type `application/vnd.gittuf+json`. The attestations that exist write `type` and `predicate_type`; in-toto's own
 * spelling is read as well, both at once are refused. `reference-authorization/v0.1` has the same names without approvers,
 * v0.2 has `fromID` and `targetID`: there the signer himself approves. Refused: a subject that is not the tree, and
 * `github-pull-request`, which is what GitHub's API says of a pull request, and no approval.
 * https://github.com/gittuf/gittuf/blob/main/docs/design-document.md
 */
import { quoted } from '../../diag/index.ts';
import { malformed, VerifyError } from '../../sigstore/failure.ts';
import type { Json, JsonObject } from '../../sigstore/json.ts';
import { predicateObject, textIn } from '../../sigstore/predicate.ts';
import type { GittufApproval } from '../types.ts';
import { itemsIn, objectIdIn, readOneSubject, textItem } from './fields.ts';

/** Throws VerifyError. */
export function readGittufApproval(value: Json): GittufApproval {
  const {
    predicateType,
    predicate: json,
    subject,
  } = readOneSubject(value, ['_type', 'type'], ['predicateType', 'predicate_type']);
  const names = spellings.get(predicateType);
  if (names === undefined) {
    throw new VerifyError('unsupported', `a gittuf attestation ${quoted(predicateType)} is no approval`);
  }
  const predicate = predicateObject(json, 'predicate');
  const targetTree = objectIdIn(predicate, names.target, 'predicate');
  if (subject.tree !== targetTree || subject.digest.size !== 1) {
    throw malformed(`subject[0].digest is not exactly the gitTree of predicate.${names.target}`);
  }
  return {
    kind: 'gittuf-approval',
    targetRef: textIn(predicate, 'targetRef', 'predicate'),
    fromCommit: objectIdIn(predicate, names.from, 'predicate'),
    targetTree,
    ...approversOf(predicate, names),
  };
}

interface Spelling {
  readonly from: string;
  readonly target: string;
  readonly lists: boolean;
}

const older = { from: 'fromRevisionID', target: 'targetTreeID' };

const spellings: ReadonlyMap<string, Spelling> = new Map([
  ['https://gittuf.dev/github-pull-request-approval/v0.1', { ...older, lists: true }],
  ['https://gittuf.dev/reference-authorization/v0.1', { ...older, lists: false }],
  ['https://gittuf.dev/reference-authorization/v0.2', { from: 'fromID', target: 'targetID', lists: false }],
]);

function approversOf(predicate: JsonObject, { lists }: Spelling): Pick<GittufApproval, 'approvers' | 'dismissed'> {
  if (!lists) return { approvers: [], dismissed: [] };
  const approvers = itemsIn(predicate, 'approvers', 'predicate', textItem);
  // Without anybody in it, it would be read as the signer's own approval, and the signer is an app.
  if (approvers.length === 0) throw malformed('predicate.approvers names nobody');
  return { approvers, dismissed: itemsIn(predicate, 'dismissedApprovers', 'predicate', textItem) };
}
