import { describe, expect, it } from 'vitest';
import { OperationalError } from '../../src/diag/index.ts';
import { findImageRules, readPolicy, repositoryOf } from '../../src/policy/index.ts';

const hex = '0'.repeat(64);

describe('the name of an image', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3.20', 'docker.io/library/alpine'],
    [`alpine@sha256:${hex}`, 'docker.io/library/alpine'],
    [`acme/shop:1@sha256:${hex}`, 'docker.io/acme/shop'],
    ['docker.io/alpine', 'docker.io/library/alpine'],
    ['index.docker.io/acme/shop', 'docker.io/acme/shop'],
    ['registry-1.docker.io/library/alpine', 'docker.io/library/alpine'],
    ['localhost/shop', 'localhost/shop'],
    ['localhost:5000/shop:1', 'localhost:5000/shop'],
    ['Registry.Example/acme/a_b__c-d.e/f---g', 'registry.example/acme/a_b__c-d.e/f---g'],
    ['[::1]:5000/shop', '[::1]:5000/shop'],
    ['registry:registry.example/acme/shop', 'registry.example/acme/shop'],
    ['registry:5000/shop', 'docker.io/5000/shop'],
  ])('%s is %s', (reference, repository) => {
    expect(repositoryOf(reference)).toBe(repository);
  });

  it.each([
    '',
    'oci:build/app',
    './app',
    '/app',
    'a//b',
    'registry.example/',
    'registry.example/Acme/shop',
    'registry.example/acme/../shop',
    'registry.example/acme/shop:',
    'registry.example/acme/shop:a b',
    `registry.example/acme/shop:${'a'.repeat(129)}`,
    'registry.example/acme/shop@sha256:0',
    `registry.example/acme/shop@sha256:${hex}@sha256:${hex}`,
    `sha256:${hex}`,
    'user@registry.example/shop',
    'registry.example:x/shop',
    'registry.example/acme/shop\n',
    '-a',
    'a___b',
  ])('%j is none', (reference) => {
    expect(() => repositoryOf(reference)).toThrow(OperationalError);
  });
});

describe('the rules for an image', () => {
  const policy = readPolicy(
    [
      'version: 1',
      'images:',
      '  - match: registry.example/acme/**',
      '  - match: registry.example/acme/shop',
      '  - match: docker.io/library/*',
      '  - match: "*.corp.example/**"',
    ].join('\n'),
    'p.yaml',
  );
  const found = (reference: string) => findImageRules(policy, reference).map(({ match }) => match);

  it('are all that match', () => {
    expect(found('registry.example/acme/shop:1')).toEqual(['registry.example/acme/**', 'registry.example/acme/shop']);
    expect(found('REGISTRY.example/acme/a/b')).toEqual(['registry.example/acme/**']);
    expect(found('alpine')).toEqual(['docker.io/library/*']);
    expect(found('eu.corp.example/x')).toEqual(['*.corp.example/**']);
  });

  it('are none for a name that only resembles', () => {
    expect(found('registry.example/acme-evil/shop')).toEqual([]);
    expect(found('registry.example.evil/acme/shop')).toEqual([]);
    expect(found('evil.example/registry.example/acme/shop')).toEqual([]);
    expect(found('acme/shop')).toEqual([]);
    expect(found('a.b.corp.example.evil/x')).toEqual([]);
  });
});
