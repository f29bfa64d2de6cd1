/** Which files are written for people. What agents take as their orders is not: there every hidden character counts. */
export function isProse(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (orders.test(name) || path.split('/').some((segment) => segment.startsWith('.'))) return false;
  return endings.includes(name.slice(name.lastIndexOf('.') + 1));
}

const orders = /^(?:agents|claude|gemini|skill|copilot-instructions|llms|llms-full)[.\w-]*\.(?:md|txt)$/;

const endings: readonly string[] = [
  'md',
  'markdown',
  'txt',
  'text',
  'rst',
  'adoc',
  'asciidoc',
  'html',
  'htm',
  'po',
  'pot',
  'xlf',
  'xliff',
  'arb',
  'tex',
  'csv',
  'tsv',
  'srt',
  'vtt',
];
