export { type AgentTraceRecord, parseAgentTrace, type TracedFile } from './agent-trace.ts';
export {
  type ChainloopAgentConfig,
  type ChainloopMaterial,
  type ChainloopSession,
  parseChainloopMaterial,
} from './chainloop.ts';
export { type EntireCheckpoint, entireBranch, entirePath, parseEntireCheckpoint } from './entire.ts';
export { type AttributedLines, type GitAiNote, parseGitAiNote } from './git-ai-note.ts';
export { type GitvowNote, parseGitvowNote } from './gitvow.ts';
export type { AgentRecord, AgentRecordKind, LineRange, RecordedAgent } from './types.ts';
