import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import data from '../../../src/change/signs/agents.json' with { type: 'json' };
import { fold } from '../../../src/change/signs/fold.ts';
import { list } from '../../../src/change/signs/list.ts';

/** What is compared must stand in the form in which it is compared. */
const folded = z
  .string()
  .min(1)
  .refine((text) => fold(text) === text.trim(), { error: 'is not folded' });
const word = folded.refine((text) => /^[a-z0-9]+$/.test(text), { error: 'is not one word' });
const key = z.string().regex(/^[a-z][a-z0-9-]*\*?$/);
const email = folded.refine((text) => /^[^\s@<>]+@[^\s@<>]+\.[a-z]+$/.test(text), { error: 'is no address' });
const id = z.string().regex(/^[a-z0-9-]+$/);
const github = z.array(
  z
    .strictObject({ id: z.int().positive().optional(), login: folded.optional() })
    .refine((each) => each.id !== undefined || each.login !== undefined),
);
const trailers = z.array(
  z.strictObject({
    key,
    values: z.array(folded).min(1).optional(),
    value: z.enum(['hex', 'path']).optional(),
    name: z.string().min(1).optional(),
  }),
);
const branches = z.array(
  z.union([
    z.strictObject({ prefix: folded.refine((text) => /[/-]$/.test(text)), rest: z.literal('digits').optional() }),
    z.strictObject({ endsInDigits: z.int().min(10) }),
  ]),
);
const link = folded.refine((text) => text.startsWith('https://') && !text.includes(' '));

const schema = z.strictObject({
  version: z.literal(1),
  agents: z.array(
    z.strictObject({
      id,
      name: z.string().min(1).max(60),
      part: z.enum(['assisted', 'suggested']).optional(),
      emails: z.array(email).optional(),
      domains: z.array(folded.refine((text) => /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(text))).optional(),
      github: github.optional(),
      names: z.array(folded).optional(),
      namePrefixes: z.array(folded).optional(),
      authorSuffixes: z.array(folded).optional(),
      trailers: trailers.optional(),
      lines: z.array(folded).optional(),
      subjects: z.array(z.string().min(3)).optional(),
      comments: z.array(folded.refine((text) => /^<!-- \S+ -->$/.test(text))).optional(),
      links: z.array(link).optional(),
      sites: z.array(link.refine((text) => !text.endsWith('/'))).optional(),
      branches: branches.optional(),
      keys: z.array(z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/)).optional(),
      words: z.array(word).optional(),
      personalWords: z.array(word).optional(),
    }),
  ),
  unknown: z.strictObject({
    words: z.array(word),
    personalWords: z.array(word),
    trailers,
    namePatterns: z.array(z.strictObject({ pattern: folded, name: z.string().min(1) })),
    branches,
  }),
  qualifiers: z.array(word),
  trailerKeys: z.strictObject({
    coauthor: z.array(key),
    signoff: z.array(key),
    assisted: z.array(key),
    generated: z.array(key),
  }),
  notAnAgent: z.array(folded),
  records: z.array(
    z
      .strictObject({
        ref: z.string().optional(),
        prefix: z.string().endsWith('/').optional(),
        name: z.string().min(1),
        always: z.boolean(),
      })
      .refine((each) => (each.ref === undefined) !== (each.prefix === undefined)),
  ),
  bots: z.array(z.strictObject({ id, emails: z.array(email).optional(), github: github.optional() })),
});

describe('the list of agents', () => {
  it('follows its schema', () => {
    expect(() => schema.parse(data)).not.toThrow();
  });

  it.each([
    ['ids', list.agents.map(({ id }) => id)],
    ['addresses', [...list.agents, ...list.bots].flatMap(({ emails = [] }) => emails)],
    [
      'account numbers',
      [...list.agents, ...list.bots].flatMap(({ github = [] }) =>
        github.flatMap(({ id }) => (id === undefined ? [] : String(id))),
      ),
    ],
    ['logins', [...list.agents, ...list.bots].flatMap(({ github = [] }) => github.flatMap(({ login }) => login ?? []))],
    ['domains', list.agents.flatMap(({ domains = [] }) => domains)],
    ['names', list.agents.flatMap(({ names = [] }) => names)],
    ['fingerprints', list.agents.flatMap(({ keys = [] }) => keys)],
    ['links', list.agents.flatMap(({ links = [] }) => links)],
    ['branches', list.agents.flatMap(({ branches = [] }) => branches.map((each) => JSON.stringify(each)))],
    [
      'words',
      [
        ...list.agents.flatMap(({ words = [], personalWords = [] }) => [...words, ...personalWords]),
        ...list.unknown.words,
        ...list.unknown.personalWords,
      ],
    ],
    ['trailer keys', Object.values(list.trailerKeys).flat()],
  ])('no two entries share %s', (_, values) => {
    expect(values).toEqual([...new Set(values)]);
    expect(values.length).toBeGreaterThan(1);
  });

  it('an app is written with [bot], so that no human can have its login', () => {
    const human = list.agents.flatMap(({ github = [] }) => github.flatMap(({ login }) => login ?? []));
    // These three are users that belong to vendors.
    expect(human.filter((login) => !login.endsWith('[bot]'))).toEqual(['copilot', 'cursoragent', 'kiro-agent']);
  });
});
