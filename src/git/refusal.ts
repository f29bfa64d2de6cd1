/** Why a repository or a range cannot be judged at all: it becomes a finding, and the exit code is 3. */
import { OperationalError, type RuleId } from '../diag/index.ts';

export class GitRefusal extends OperationalError {
  readonly rule: RuleId;

  constructor(rule: RuleId, message: string, hints: readonly string[] = [], cause?: unknown) {
    super('unsupported', message, { hints, cause });
    this.rule = rule;
  }
}
