export { OperationalError } from './errors.ts';
export { Exit, type ExitCode, exitForError, worstExit } from './exit.ts';
export { findRule, type Rule, type RuleId, rules } from './rules.ts';
export { plural, printable, printableJson, quoted } from './text.ts';
