import { expect, it } from 'vitest';
import { messages } from './inspected.ts';

const link = (content: string) => ({ mode: '120000', content }) as const;

it('links that lead to one another are each judged, and what many share is read once', async () => {
  const chain = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`l${at}`, link(`l${at + 1}`)]));
  const found = await messages({}, { ...chain, l1000: link('a'), a: 'a' });
  const loops = found.filter((each) => each.includes('too many links follow each other'));
  expect(loops).toHaveLength(1000 - 39);
});

it('thousands that lead through thousands of names are refused, and not followed to the end', async () => {
  const far = (at: number) => link(`${'./'.repeat(2000)}l${at + 1}`);
  const links = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`l${at}`, far(at)]));
  await expect(messages({}, links)).rejects.toMatchObject({
    code: 'limit',
    message: expect.stringMatching(/symbolic links lead through too many others/),
  });
});
