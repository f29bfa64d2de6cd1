import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contact, entity } from '../../../src/bom/cyclonedx/values.ts';
import { isCpe, text, url } from '../../../src/bom/values.ts';
import { xmlText, xmlWriter } from '../../../src/bom/xml.ts';
import { hostileTexts } from '../../kit/inventory.ts';

describe('url', () => {
  test.each([
    ['https://example.com/a', 'https://example.com/a'],
    ['  https://example.com ', 'https://example.com'],
    ['https://example.com/a b/ü?q=<x>#1#2', 'https://example.com/a%20b/%C3%BC?q=%3Cx%3E#1%232'],
    ['https://example.com/100%/a%20b', 'https://example.com/100%25/a%20b'],
    ['https://example.com/[x]', 'https://example.com/%5Bx%5D'],
    ['https://user:secret@example.com/x', 'https://example.com/x'],
    ['https://token@example.com/x', 'https://example.com/x'],
    ['https://user:p@ss@example.com/x', 'https://example.com/x'],
    ['ssh://git@example.com/a.git', 'ssh://git@example.com/a.git'],
    ['ssh://git:secret@example.com/a.git', 'ssh://example.com/a.git'],
    ['git@github.com:a/b.git', 'ssh://git@github.com/a/b.git'],
    ['git+ssh://git@github.com:a/b.git', 'git+ssh://git@github.com/a/b.git'],
    ['git+ssh://git@example.com:22/a.git', 'git+ssh://git@example.com:22/a.git'],
    ['git+https://github.com/a/b.git', 'git+https://github.com/a/b.git'],
    ['scm:git:https://example.com/a', 'scm:git:https://example.com/a'],
  ])('writes %j as %j', (given, written) => {
    expect(url(given)).toBe(written);
  });

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'example.com',
    '../a',
    'https://',
    'https:///a',
    'https://a:b:c/',
    'github:a/b',
    '',
    ...hostileTexts,
  ])('refuses %j', (given) => {
    expect(url(given)).toBeUndefined();
  });

  test('gives only ASCII without spaces or refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        const written = url(`https://example.com/${tail}`);
        if (written !== undefined) expect(written).toMatch(/^https:\/\/[!-~]+$/);
      }),
    );
  });
});

describe('isCpe', () => {
  test.each([
    ['cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*', true],
    ['cpe:2.3:o:debian:debian_linux:12:-:*:en-US:*:*:x64:*', true],
    ['cpe:2.3:a:a\\:b:c\\/d:1\\+2:*:*:*:*:*:*:*', true],
    ['cpe:/o:fedoraproject:fedora:40', true],
    ['cpe:/a:b:c:1.0:~~~x~~', true],
    ['cpe:2.3:a:b:c', false],
    ['cpe:2.3:x:b:c:1:*:*:*:*:*:*:*', false],
    ['cpe:2.3:a:b c:c:1:*:*:*:*:*:*:*', false],
    ['cpe:2.3:a:b:c:1:*:*:english:*:*:*:*', false],
    ['cpe:2.3:a::c:1:*:*:*:*:*:*:*', false],
    ['cpe:x', false],
    ['', false],
  ])('judges %j as %j', (cpe, expected) => {
    expect(isCpe(cpe)).toBe(expected);
  });
});

describe('a party', () => {
  test('keeps an address that is none in its name', () => {
    expect(contact({ name: 'A', email: 'a@b.example' })).toEqual({ name: 'A', email: 'a@b.example' });
    expect(contact({ name: 'A', email: 'a at b' })).toEqual({ name: 'A <a at b>' });
    expect(contact({ name: '', email: 'a@@b' })).toEqual({ name: 'a@@b' });
  });

  test('without anything worth writing is nothing', () => {
    expect(entity({ name: ' ' })).toBeUndefined();
  });
});

describe('text', () => {
  test('escapes lone surrogates and nothing else', () => {
    expect(text('a\ud800b\udcff😀\u0000\n')).toBe('a\\u{d800}b\\xff😀\u0000\n');
  });

  test('for XML loses the characters that XML cannot hold', () => {
    expect(xmlText('\u0000\u001b\t\n\ufffe\uffff\ud800😀')).toBe('\\x00\\x1b\t\n\\u{fffe}\\u{ffff}\\u{d800}😀');
  });
});

describe('the XML writer', () => {
  test('escapes text and attributes, each in its way', () => {
    const xml = xmlWriter();
    xml.within('a', () => xml.text('b', ' ]]> & "\r\n', { x: '<"\t\n&>', y: undefined }));
    expect(xml.toString()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<a>\n  <b x="&lt;&quot;&#9;&#10;&amp;&gt;"> ]]&gt; &amp; "&#13;\n</b>\n</a>\n',
    );
  });
});
