import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSigns, type SignsOfCommit, signOfKey } from '../../../src/change/signs/index.ts';
import { parseCommit } from '../../../src/git/commit.ts';
import type { Commit } from '../../../src/git/types.ts';
import { dataDir, describeData, readData } from '../../kit/data.ts';
import { shapes } from './commits.ts';

interface Entry {
  readonly file: string;
  readonly note: string;
}

/** What each kind of file in the folder of signs has to give, at least. */
const expected: Readonly<Record<string, string>> = {
  'author-aider-suffix': 'aider identity authored',
  'author-claude-bot': 'claude-code identity authored',
  'author-claude-bot-github-actions-id': 'claude-code identity authored',
  'author-claude-web': 'claude-code identity authored',
  'author-codex': 'codex identity authored',
  'author-copilot-swe-agent': 'copilot identity authored',
  'author-cursor': 'cursor identity authored',
  'author-devin': 'devin identity authored',
  'author-jules': 'jules identity authored',
  'author-openhands': 'openhands identity authored',
  'coauthor-aider-model': 'aider trailer authored',
  'coauthor-codex-codex@': 'codex trailer authored',
  'coauthor-codex-noreply': 'codex trailer authored',
  'coauthor-copilot-223556219': 'copilot-cli trailer authored',
  'coauthor-copilot-autofix': 'copilot-autofix trailer suggested',
  'coauthor-cursor': 'cursor trailer authored',
  'coauthor-factory-droid': 'factory-droid trailer authored',
  'coauthor-gemini-code-assist-suggestion': 'gemini-code-assist trailer suggested',
  'coauthor-jules': 'jules trailer authored',
  'coauthor-qwen': 'qwen-code trailer authored',
  'trailer-agent-logs-url': 'copilot trailer authored',
  'trailer-assisted-by-email': 'claude-code trailer assisted',
  'trailer-assisted-by-free': 'claude-code trailer assisted',
  'trailer-chainloop-trace': 'unknown trailer authored',
  'trailer-claude-generated-by': 'claude-code trailer authored',
  'trailer-entire-legacy': 'unknown trailer authored',
  'trailer-executed-by': 'unknown trailer authored',
  'trailer-generated-by': 'claude-code trailer authored',
  'trailer-made-with-cursor': 'cursor trailer authored',
};

describeData('signs in real commits', () => {
  const signals = filesOf('signals');

  it('there are 51 with their signs in their names', () => {
    expect(signals).toHaveLength(51);
  });

  it.each(signals)('%s', (file) => {
    const kind = path.basename(file).split('--')[0]!;
    const commit = read(file);
    const found = findSigns(commit);
    if (kind.startsWith('NEG-')) {
      expect(found).toEqual({ signs: [], trailerDifferences: [] });
    } else if (kind === 'bot-dependabot') {
      expect(found).toMatchObject({ signs: [], bot: { bot: 'dependabot' } });
    } else if (kind === 'signoff-by-agent') {
      expect(found.signedOffByAgent).toMatchObject({
        kind: 'trailer',
        text: expect.stringMatching(/^Signed-off-by: C/),
      });
    } else {
      expect(shapes(found)).toContain(expected[kind]);
      expect(found.signedOffByAgent).toBeUndefined();
    }
  });

  const noted = index().filter(({ file }) => /^commits\/(?:ssh|pgp|x509)\//.test(file));

  it('there are 105 signed ones of which it is known whether an agent had a hand in them', () => {
    expect(noted).toHaveLength(105);
  });

  it.each(noted)('$file: $note', ({ file, note }) => {
    const found = findSigns(read(file));
    const agent = /\bai=True\b/.test(note) || /\bauthor_agent=(?!None)/.test(note);
    expect(found.signs.length > 0).toBe(agent);
    if (/\bauthor_agent=(?!None)/.test(note)) expect(placesOf(found)).toContain('author');
  });

  const stripped = filesOf('agent-ssh-stripped');

  it('there are 23 signed by a vendor, with nothing else that says so', () => {
    expect(stripped).toHaveLength(23);
  });

  it.each(stripped)('%s has no sign but the key', (file) => {
    const commit = read(file);
    expect(findSigns(commit).signs).toEqual([]);
    expect(signOfKey(fingerprintOf(commit))?.kind).toBe('key');
  });
});

describe('fingerprints of vendors', () => {
  describeData('as they were measured', () => {
    it('are all in the list', () => {
      const { keys } = JSON.parse(readData('agents/agent_ssh_keys.json').toString()) as {
        keys: Record<string, string>;
      };
      expect(Object.entries(keys).map(([fingerprint, of]) => [of, signOfKey(fingerprint)?.agent])).toEqual([
        ['claude-web', 'claude-code'],
        ['cursor-cloud', 'cursor'],
      ]);
    });
  });
});

function index(): readonly Entry[] {
  return JSON.parse(readData('agents/index.json').toString()) as Entry[];
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(path.join(dataDir!, 'agents/commits', folder)).map((name) => `commits/${folder}/${name}`);
}

function read(file: string): Commit {
  const id = /([0-9a-f]{12,40})\.commit$/.exec(file)![1]!.padEnd(40, '0');
  return parseCommit({ id, type: 'commit', bytes: readData(`agents/${file}`) });
}

/** SSHSIG: six bytes of magic, a version, and the public key behind its length. */
function fingerprintOf({ signature }: Commit): string {
  const blob = Buffer.from(signature!.armored.replace(/-----[^-]+-----/g, ''), 'base64');
  const key = blob.subarray(14, 14 + blob.readUInt32BE(10));
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function placesOf({ signs }: SignsOfCommit): readonly string[] {
  return signs.map(({ place }) => place.in);
}
