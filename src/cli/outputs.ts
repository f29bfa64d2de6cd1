/** `-o FORMAT[=FILE]`, repeatable. */
import path from 'node:path';
import { OperationalError, quoted } from '../diag/index.ts';

export interface Output<Format extends string> {
  readonly format: Format;
  /** Standard output where absent. */
  readonly file?: string;
}

/** The first format is the default. Throws OperationalError of code usage. */
export function parseOutputs<Format extends string>(
  texts: readonly string[],
  formats: readonly [Format, ...Format[]],
): readonly Output<Format>[] {
  const outputs = texts.length === 0 ? [{ format: formats[0] }] : texts.map((text) => parseOutput(text, formats));
  refuseSamePlace(outputs);
  return outputs;
}

function parseOutput<Format extends string>(text: string, formats: readonly Format[]): Output<Format> {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const file = equals < 0 ? undefined : text.slice(equals + 1);
  const format = formats.find((each) => each === name);
  if (format === undefined) {
    throw usage(`${quoted(name)} is no output format`, `choose one of ${formats.join(', ')}`);
  }
  if (file === '') {
    throw usage(`${quoted(text)} names no file`, `write -o ${name}=FILE, or -o ${name} for standard output`);
  }
  return { format, ...(file === undefined ? {} : { file }) };
}

function refuseSamePlace(outputs: readonly Output<string>[]): void {
  const places = outputs.map(({ file }) => (file === undefined ? '' : path.resolve(file)));
  const at = places.findIndex((place, index) => places.indexOf(place) !== index);
  if (at < 0) return;
  throw usage(
    `two outputs go to ${quoted(outputs[at]?.file ?? 'standard output')}`,
    'give all but one of them a file of its own: -o FORMAT=FILE',
  );
}

function usage(message: string, hint: string): OperationalError {
  return new OperationalError('usage', message, { hints: [hint] });
}
