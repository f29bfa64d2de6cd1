export { parseAgentTrace } from './agent-trace.ts';
export { entireBranch, entirePath, parseEntireCheckpoint } from './entire.ts';
export { parseGitAiNote } from './git-ai-note.ts';
export { parseGitvowNote } from './gitvow.ts';
export type { AgentRecord, RecordedAgent } from './types.ts';
