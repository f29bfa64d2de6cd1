/**
 * Signs outside of a commit's text: the key that signed it, the branch it is on, notes and records about it.
 *
 *     SHA256:32dP45eSMmVSt/G/CGvcxl/P+MO3Nwj9xeTh/GSA2wc    a vendor's key: it stays when the trailers are taken out
 *     refs/heads/claude/fix-login-011CUx                    a branch as a tool names them
 *     refs/notes/ai                                         a note of git-ai on the commit
 *
 * Whoever holds a session in the vendor's environment can have it sign for a human author: a key proves where a commit was made.
 */
import type { RecordedAgent } from '../records/types.ts';
import type { Sign, SignPlace } from '../types.ts';
import { fold } from './fold.ts';
import { type Agent, agents, type BranchRule, indexAgents, list, type RecordRule, unknownAgent } from './list.ts';
import { agentInText } from './words.ts';

/** `fingerprint` as ssh-keygen prints it. Whether the signature holds is for the caller to know. */
export function signOfKey(fingerprint: string): Sign | undefined {
  const agent = byKey.get(fingerprint);
  return agent === undefined ? undefined : signOf(agent, 'key', fingerprint, { in: 'signature' });
}

/** For a full ref, `origin/NAME`, `OWNER:NAME` or a branch's own name. */
export function signsOfBranch(name: string): readonly Sign[] {
  const candidates = branchNames(fold(name.slice(0, 1000)));
  const found = new Map<string, Agent>();
  for (const { rule, agent } of branchRules) {
    if (candidates.some((each) => isOfBranch(rule, each)) && !found.has(agent.id)) found.set(agent.id, agent);
  }
  // A pattern of no particular agent adds nothing where one is named.
  if (found.size > 1) found.delete('unknown');
  const text = name.slice(0, mostShown);
  return [...found.values()].map((agent) => signOf(agent, 'branch', text, { in: 'branch', name: text }));
}

/** `ref`: where the note stands, or the ref that a tool keeps. A ref that exists for agents only is a sign by itself. */
export function signsOfNote(ref: string, recorded: readonly RecordedAgent[]): readonly Sign[] {
  const place: SignPlace = { in: 'note', name: ref.slice(0, mostShown) };
  const signs = signsOfRecorded('note', place, recorded);
  const rule = list.records.find((each) => isOfRecord(each, ref));
  if (signs.length > 0 || rule?.always !== true) return signs;
  return [signOf(unknownAgent(`an agent recorded by ${rule.name}`), 'note', ref, place)];
}

/** `path`: of a file with records of Agent Trace, Entire or Chainloop. */
export function signsOfRecord(path: string, recorded: readonly RecordedAgent[]): readonly Sign[] {
  return signsOfRecorded('record', { in: 'record', name: path.slice(0, mostShown) }, recorded);
}

const mostShown = 500;
const mostSigns = 200;

function signsOfRecorded(
  kind: 'note' | 'record',
  place: SignPlace,
  recorded: readonly RecordedAgent[],
): readonly Sign[] {
  const found = new Map<string, Sign>();
  for (const { tool, model, session } of recorded) {
    if (found.size === mostSigns) break;
    // Tools write down the human's own lines as well.
    if (humans.has(fold(tool.slice(0, 100)))) continue;
    // A record calls tools by their plain names, which are ordinary words elsewhere.
    const agent = byId.get(fold(tool.slice(0, 100))) ?? agentInText(tool) ?? unknownAgent(tool);
    const text = [tool, model, session].filter((each) => each !== undefined && each !== '').join(' ');
    const sign = signOf(agent.id === 'unknown' ? unknownAgent(tool) : agent, kind, text, place);
    found.set(sign.text, sign);
  }
  return [...found.values()];
}

const humans: ReadonlySet<string> = new Set(['human', 'user', 'known_human', 'known-human', 'none']);

function signOf(agent: Agent, kind: Sign['kind'], text: string, place: SignPlace): Sign {
  return { agent: agent.id, name: agent.name, kind, part: agent.part, text: text.slice(0, mostShown), place };
}

function branchNames(name: string): readonly string[] {
  const remote = /^refs\/remotes\/[^/]+\/(.+)$/.exec(name)?.[1];
  const short = remote ?? name.replace(/^refs\/heads\//, '');
  const other = /^(?:(?:origin|upstream|fork)\/|[a-z0-9-]{1,39}:)(.+)$/.exec(short)?.[1];
  return other === undefined ? [short] : [short, other];
}

function isOfBranch(rule: BranchRule, name: string): boolean {
  if ('endsInDigits' in rule)
    return /[^0-9]-[0-9]*$/.test(name) && name.length - name.lastIndexOf('-') > rule.endsInDigits;
  if (!name.startsWith(rule.prefix)) return false;
  const rest = name.slice(rule.prefix.length);
  return rule.rest === 'digits' ? /^[0-9]+$/.test(rest) : rest !== '';
}

function isOfRecord({ ref, prefix }: RecordRule, name: string): boolean {
  return name === ref || (prefix !== undefined && name.startsWith(prefix));
}

const byKey = indexAgents((entry) => entry.keys);
const byId = indexAgents((entry) => [entry.id]);
const branchRules: readonly { readonly rule: BranchRule; readonly agent: Agent }[] = [
  ...[...agents].flatMap(([entry, agent]) => (entry.branches ?? []).map((rule) => ({ rule, agent }))),
  ...list.unknown.branches.map((rule) => ({ rule, agent: unknownAgent('an agent') })),
];
