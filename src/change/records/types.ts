/**
 * Records that other tools keep about who wrote what: notes, trace files, session materials. Nobody signs them, and whoever can
 * push can change them, so they are signs: they may raise duties, and never lower them. A record that cannot be read is still
 * the trace of a tool for agents, and says so with the agent `unknown`.
 */
import type { ObjectId } from '../../git/types.ts';

export interface AgentRecord {
  readonly kind: AgentRecordKind;
  /** None where the record says that only people wrote. Each named once. */
  readonly agents: readonly RecordedAgent[];
  /** The commit that the record says it is about. A record stays behind when its commit is rewritten. */
  readonly commit?: ObjectId;
  /** Where it breaks its own format, for people, in the order of the record. */
  readonly complaints: readonly string[];
}

export type AgentRecordKind = 'git-ai-note' | 'agent-trace' | 'entire-checkpoint' | 'gitvow-note';

export interface RecordedAgent {
  /** As it is written there: `claude`, `cursor`, `pi`, …; `unknown` where the record names none. */
  readonly tool: string;
  readonly model?: string;
  readonly session?: string;
}

/** Lines of a file, from 1, both ends inside. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}
