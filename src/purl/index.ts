export { PurlError } from './error.ts';
export { formatPurl } from './format.ts';
export { parsePurl } from './parse.ts';

export interface Purl {
  readonly type: string;
  readonly namespace?: string;
  readonly name: string;
  readonly version?: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
  readonly subpath?: string;
}
