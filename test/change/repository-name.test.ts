import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRepository, normalRepository, repositoryOfUri } from '../../src/change/repository-name.ts';

const shop = 'https://github.com/acme/shop';

describe('the address of a repository', () => {
  it.each([
    shop,
    'git+https://github.com/acme/shop',
    'https://github.com/acme/shop.git',
    'https://github.com/acme/shop/',
    'https://github.com/acme/shop.git//',
    'git+https://GitHub.COM/acme/shop.git',
    'HTTPS://github.com:443/acme/shop',
    'git@github.com:acme/shop.git',
    'git@GitHub.com:acme/shop',
    'ssh://git@github.com/acme/shop',
    'git+ssh://git@github.com:22/acme/shop.git/',
  ])('%s is that of the shop', (text) => {
    expect(normalRepository(text)).toBe(shop);
  });

  it.each([
    'https://github.com/acme/Shop',
    'http://github.com/acme/shop',
    'https://github.com:8443/acme/shop',
    'https://github.com/acme//shop',
    'https://github.com/acme/shop/tree/main',
    'https://www.github.com/acme/shop',
    'https://github.com./acme/shop',
  ])('%s is another one', (text) => {
    expect(normalRepository(text)).not.toBe(shop);
  });

  it.each([
    'https://github.com@evil.example/acme/shop',
    'https://user:secret@github.com/acme/shop',
    'https://github.com/acme/shop?x=1',
    'https://github.com/acme/shop#x',
    'https://github.com/acme/../acme/shop',
    'https://github.com/acme/shop/.',
    'https://github.com\\acme\\shop',
    ' https://github.com/acme/shop',
    'https://github.com/acme/shop\n',
    'https:/github.com/acme/shop',
    'https://github.com',
    'https://github.com/',
    'https:///acme/shop',
    'alice@github.com:acme/shop',
    'ssh://alice@github.com/acme/shop',
    'ssh://git@github.com:2222/acme/shop',
    'git@github.com:/acme/shop',
    'https://github.com/acme/shop.git.git',
    'https://git\u212aub.com/acme/shop',
    'https://github.com:/acme/shop',
    'git+git+https://github.com/acme/shop',
    'file:///srv/acme/shop',
    'github.com/acme/shop',
    'acme/shop',
    '',
    `${shop}${'/x'.repeat(2000)}`,
  ])('%s is not understood, and equal to nothing but itself', (text) => {
    expect(findRepository(text)).toBeUndefined();
    expect(normalRepository(text)).toBe(text);
  });

  it('does not change when it is in its normal form', () => {
    const parts = fc.constantFrom(
      'https://',
      'git+',
      'ssh://',
      'git@',
      'Host.example',
      ':',
      '/',
      '.git',
      'a',
      '@',
      '..',
      ':443',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 10 }), (list) => {
        const once = normalRepository(list.join(''));
        expect(normalRepository(once)).toBe(once);
      }),
      { numRuns: 20_000 },
    );
  });

  it('stands before the ref in a URI, and before the page of the very commit', () => {
    const commit = 'a'.repeat(40);
    expect(repositoryOfUri('git+https://github.com/acme/shop@refs/heads/x@y')).toBe(shop);
    expect(repositoryOfUri(`https://github.com/acme/shop/commit/${commit}`, commit)).toBe(shop);
    expect(repositoryOfUri(`https://github.com/acme/shop/commit/${commit}`, 'b'.repeat(40))).not.toBe(shop);
    expect(repositoryOfUri('https://github.com@evil.example/acme/shop')).not.toBe('https://github.com');
  });
});
