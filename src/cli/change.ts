import { Command } from 'commander';
import type { World } from '../io/index.ts';
import { foreign } from './foreign.ts';
import type { Earn } from './program.ts';
import { collect } from './repeatable.ts';

export interface ChangeFlags {
  readonly repository?: string;
  readonly policy?: string;
  readonly baseRef?: string;
  readonly headRef?: string;
  readonly evidence: readonly string[];
  readonly notes: readonly string[];
  readonly reviews: readonly string[];
  readonly explain?: string;
  readonly now?: string;
  readonly maxObjectBytes?: string;
  readonly output: readonly string[];
  readonly offline?: boolean;
}

export function changeCommand(world: World, earn: Earn, version: string): Command {
  return (
    new Command('change')
      .summary("fail when an agent's change lacks provenance or a needed approval")
      .description(
        "Judge a range of commits by the policy of its base: who made each commit, whether agents' commits\nhave provenance, and whether a person approved what is of high risk. Runs nothing of the repository,\nwrites nothing into it, and makes no network call.",
      )
      // Of several, to say how they are written as one.
      .usage('[options] <BASE..HEAD>')
      .argument(
        'BASE..HEAD...',
        'what HEAD has and BASE has not: BASE is the protected branch, as main..HEAD or origin/main..feature; git:BASE..HEAD too',
      )
      .option('--repository <PATH>', 'the repository, or a folder in it (default: .)')
      .option(
        '--policy <SOURCE>',
        'PATH of a file outside of the work tree, or git:REV[:PATH] (default: tidewaiter.policy.yaml in the tree of BASE)',
      )
      .option('--base-ref <REF>', 'where BASE is a bare commit: the protected branch that it stands for')
      .option('--head-ref <NAME>', 'where HEAD is a bare commit: the name of the branch of the change')
      .option('--evidence <PATH>', 'bundles and statements: a file, a folder or oci:DIR; may be repeated', collect, [])
      .option(
        '--notes <REF>',
        'read evidence from these git notes (default: all of refs/notes/); may be repeated',
        collect,
        [],
      )
      .option('--reviews <FILE>', "a pull request's reviews, JSON as GitHub gives it; may be repeated", collect, [])
      .option(
        '--explain <COMMIT>',
        'say all about this commit of the range, in the place of the table; other outputs stay as they are',
      )
      .option('--now <RFC3339>', 'judge as of this time, and mark the result')
      .option('--max-object-bytes <N>', 'cap on one object of the repository')
      .option(
        '-o, --output <FORMAT[=FILE]>',
        'table (default), json, sarif, github (annotations), summary (Markdown); may be repeated',
        collect,
        [],
      )
      // Known by these names to whoever comes from other tools, and only there to say what to write instead.
      .addOption(foreign('--base [REF]', rangeInstead))
      .addOption(foreign('--head [REF]', rangeInstead))
      .addOption(foreign('--from [REF]', rangeInstead))
      .addOption(foreign('--to [REF]', rangeInstead))
      .addOption(foreign('--policy-from [WHERE]', policyInstead))
      .addOption(foreign('--bundle [FILE]', 'evidence of all kinds is given with --evidence PATH'))
      .addOption(foreign('--attestation [FILE]', 'evidence of all kinds is given with --evidence PATH'))
      .addOption(foreign('--forge-json [FILE]', 'reviews are given with --reviews FILE'))
      .addOption(foreign('--first-parent', everyCommit))
      .addOption(foreign('--no-merges', everyCommit))
      .addOption(foreign('--format [FORMAT]', 'outputs are named with -o FORMAT, or -o FORMAT=FILE'))
      .addOption(foreign('-C [PATH]', 'name the repository with --repository PATH'))
      .option('--offline', 'make no network call (change never makes one)')
      .addHelpText('after', more)
      .action(async (ranges: readonly string[], flags: ChangeFlags) => {
        // Loaded here: what only this needs must not slow down everything else.
        (await import('./tuning.ts')).tuneForChange();
        const { change } = await import('./change-options.ts');
        earn(await change(ranges, flags, world, version));
      })
  );
}

const rangeInstead = 'write both as one range: tidewaiter change BASE..HEAD, for example origin/main..HEAD';
const policyInstead =
  'leave it out: the policy is always read from the tree of BASE, and never from the change; --policy PATH or git:REV:PATH names another one';
const everyCommit = 'leave it out: every commit counts, through every parent, and merges are replayed';

const more = `
Exit codes of change:
  0  every commit of an agent has provenance that counts, and what is of high risk is approved
  1  denied: provenance is missing, does not fit, or is not by whom the policy names
  2  wrong usage or policy, or no policy at all
  3  could not decide: a shallow or partial clone, replaced or missing objects, an empty range, a name that is ambiguous
  4  nothing but an approval is missing

Examples:
  tidewaiter change origin/main..HEAD
  tidewaiter change origin/main..HEAD --evidence change.sigstore.json --reviews reviews.json -o sarif=change.sarif
  tidewaiter change "$BASE_SHA..$HEAD_SHA" --base-ref refs/heads/main --head-ref "$GITHUB_HEAD_REF" \\
    -o github -o summary="$GITHUB_STEP_SUMMARY"
  tidewaiter change main..feature --explain 1c2d3e4
  tidewaiter change main~1..main --policy git:main~1`;
