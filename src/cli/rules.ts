import { Command } from 'commander';
import { Exit, findRule, OperationalError, quoted, type Rule, rules } from '../diag/index.ts';
import type { World } from '../io/index.ts';
import type { Earn } from './program.ts';

export function rulesCommand(world: World, earn: Earn): Command {
  return new Command('rules')
    .description('explain the kinds of findings')
    .argument('[ID]', 'one rule')
    .action(async (id: string | undefined) => {
      await world.stdout.write(id === undefined ? listing() : page(id));
      earn(Exit.pass);
    });
}

function listing(): string {
  const width = Math.max(...rules.map((rule) => rule.id.length));
  return rules.map((rule) => `${rule.id.padEnd(width)}  ${rule.title}\n`).join('');
}

function page(id: string): string {
  const rule: Rule | undefined = findRule(id);
  if (rule === undefined) {
    throw new OperationalError('usage', `there is no rule ${quoted(id)}`, {
      hints: [`the rules are ${rules.map((each) => each.id).join(', ')}`],
    });
  }
  return `${rule.id}: ${rule.title}\n\nwhat to do: ${rule.help}\nmore: docs/rules/${rule.id}.md, among the files of tidewaiter\n`;
}
