import { Option } from 'commander';
import { OperationalError } from '../diag/index.ts';

/** An option of another tool that people know: hidden, and only there to say what to write instead. */
export function foreign(flags: string, instead: string): Option {
  const option = new Option(flags).hideHelp();
  const refuse = () => {
    throw new OperationalError('usage', `${option.long ?? option.short} is no option here`, { hints: [instead] });
  };
  return option.preset('').argParser(refuse);
}
