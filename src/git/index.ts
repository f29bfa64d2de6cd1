export { checkMergeInputs } from './merge-inputs.ts';
export { GitRefusal } from './refusal.ts';
export { type OpenedRepository, openRepository } from './repository.ts';
export { parseRangeText, type Revision, resolveRevision } from './revision.ts';
