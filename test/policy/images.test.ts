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
    ['library/alpine', 'docker.io/library/alpine'],
    ['docker.io:443/alpine', 'docker.io/library/alpine'],
    ['index.docker.io/alpine:3.20', 'docker.io/library/alpine'],
    ['registry.hub.docker.com/acme/shop', 'docker.io/acme/shop'],
    ['registry.example/acme/a_b__c-d.e/f---g', 'registry.example/acme/a_b__c-d.e/f---g'],
    ['registry.example:443/acme/shop', 'registry.example/acme/shop'],
    ['registry.example:80/acme/shop:1', 'registry.example/acme/shop'],
    ['registry.example:8443/acme/shop', 'registry.example:8443/acme/shop'],
    ['registry.example:65535/acme/shop', 'registry.example:65535/acme/shop'],
    ['127.0.0.1:5000/shop', '127.0.0.1:5000/shop'],
    ['xn--nxasmq6b.example/shop', 'xn--nxasmq6b.example/shop'],
    [`registry.example/acme/shop@sha512:${hex}${hex}`, 'registry.example/acme/shop'],
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
    'Registry.Example/acme/shop',
    'Acme/shop',
    'registry.example:0443/acme/shop',
    'registry.example:0/acme/shop',
    'registry.example:00/acme/shop',
    'registry.example:65536/acme/shop',
    'registry.example:443443/acme/shop',
    'registry.example:/acme/shop',
    'registry.example:+443/acme/shop',
    'registry.example:443:443/acme/shop',
    'registry.example./acme/shop',
    '127.1/shop',
    '127.000.000.001/shop',
    '0x7f.0.0.1/shop',
    '[0:0:0:0:0:0:0:1]/shop',
    '[::1%25lo]/shop',
    `registry.example/${'a'.repeat(239)}`,
    `registry.example/acme/shop@sha256:${hex}0`,
    `registry.example/acme/shop@sha256:${'A'.repeat(64)}`,
    `registry.example/acme/shop@md5:${'0'.repeat(32)}`,
    `sha384:${'0'.repeat(96)}`,
    hex,
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
    expect(found('registry.example/acme/a/b')).toEqual(['registry.example/acme/**']);
    expect(found('alpine')).toEqual(['docker.io/library/*']);
    expect(found('eu.corp.example/x')).toEqual(['*.corp.example/**']);
  });

  it('are the same however the name is written', () => {
    const rules = found('registry.example/acme/shop');
    for (const name of [
      'registry.example:443/acme/shop',
      'registry.example:80/acme/shop',
      'registry:registry.example/acme/shop:1',
    ]) {
      expect(found(name)).toEqual(rules);
    }
    for (const name of [
      'alpine',
      'library/alpine:3',
      'docker.io/alpine',
      'index.docker.io/library/alpine',
      'docker.io:443/alpine',
    ]) {
      expect(found(name)).toEqual(['docker.io/library/*']);
    }
  });

  it('are others for another port', () => {
    expect(found('registry.example:5000/acme/shop')).toEqual([]);
  });

  it('are none for a name that only resembles', () => {
    expect(found('registry.example/acme-evil/shop')).toEqual([]);
    expect(found('registry.example.evil/acme/shop')).toEqual([]);
    expect(found('evil.example/registry.example/acme/shop')).toEqual([]);
    expect(found('acme/shop')).toEqual([]);
    expect(found('a.b.corp.example.evil/x')).toEqual([]);
  });
});
