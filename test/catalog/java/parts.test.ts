import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMainPackage } from '../../../src/catalog/java/class-packages.ts';
import { asId, asVersion } from '../../../src/catalog/java/coordinates.ts';
import { parseFileName } from '../../../src/catalog/java/file-name.ts';
import { findGroup, groupOfSymbolicName } from '../../../src/catalog/java/group-id.ts';
import { names, packages, sameAsPackage } from '../../../src/catalog/java/known-groups-data.ts';
import { declaredLicenses } from '../../../src/catalog/java/licenses.ts';
import { parseManifest } from '../../../src/catalog/java/manifest.ts';
import { parsePomProperties } from '../../../src/catalog/java/pom-properties.ts';
import { parsePomXml } from '../../../src/catalog/java/pom-xml.ts';
import { Unreadable } from '../../../src/catalog/types.ts';

describe('a file name', () => {
  it.each<[string, string, (string | undefined)?, string?]>([
    ['slf4j-api-1.7.36.jar', 'slf4j-api', '1.7.36'],
    ['guava-31.1-jre.jar', 'guava', '31.1-jre'],
    ['log4j-1.2-api-2.17.1.jar', 'log4j-1.2-api', '2.17.1'],
    ['log4j-1.2-1.2.17.jar', 'log4j', '1.2.17'],
    ['my-http2-server-5.jar', 'my-http2-server', '5'],
    ['kafka_2.13-3.4.0.jar', 'kafka_2.13', '3.4.0'],
    ['bcprov-jdk15on-1.70.jar', 'bcprov-jdk15on', '1.70'],
    ['foo-1.0-beta-2.jar', 'foo', '1.0-beta-2'],
    ['foo-1.0-20240101.101010-1.jar', 'foo', '1.0-20240101.101010-1'],
    ['foo-1.0-SNAPSHOT.jar', 'foo', '1.0-SNAPSHOT'],
    ['jetpack-build235-rc5.jar', 'jetpack', 'build235-rc5'],
    ['ironman-r4-2009.jar', 'ironman', 'r4-2009'],
    ['org.eclipse.osgi_3.18.0.v20220516-2155.jar', 'org.eclipse.osgi', '3.18.0.v20220516-2155'],
    ['com.acme.tool-0.1.2.jar', 'com.acme.tool', '0.1.2'],
    ['tool.1.2.3.jar', 'tool', '1.2.3'],
    ['tool_1.2.jar', 'tool', '1.2'],
    ['maven-core-3.x.jar', 'maven-core', undefined],
    ['foo-1.0-sources.jar', 'foo', '1.0', 'sources'],
    ['foo-1.0-tests.jar', 'foo', '1.0', 'tests'],
    ['zipkin-server-3.4.1-slim.jar', 'zipkin-server', '3.4.1', 'slim'],
    ['shop-0.1-SNAPSHOT-plain.jar', 'shop', '0.1-SNAPSHOT', 'plain'],
    ['netty-epoll-4.1.9.Final-linux-x86_64.jar', 'netty-epoll', '4.1.9.Final', 'linux-x86_64'],
    ['netty-tcnative-2.0.6.Final-linux-x86_64-fedora.jar', 'netty-tcnative', '2.0.6.Final', 'linux-x86_64-fedora'],
    ['lwjgl-3.3.3-natives-windows.jar', 'lwjgl', '3.3.3', 'natives-windows'],
    ['netty-all-4.1.9.Final.jar', 'netty-all', '4.1.9.Final'],
    ['maven-slim.jar', 'maven-slim', undefined],
    ['mssql-jdbc-12.6.2.jre11.jar', 'mssql-jdbc', '12.6.2.jre11'],
    ['app.jar', 'app', undefined],
    ['lib/x.war!/WEB-INF\\lib\\a-1.0.JAR', 'a', '1.0'],
    ['-1.0.jar', '-1.0', undefined],
    ['.jar', '', undefined],
  ])('%s', (file, name, version, classifier) => {
    const parsed = parseFileName(file);
    expect([parsed.name, parsed.version, parsed.classifier, parsed.suffix]).toEqual([
      name,
      version,
      classifier,
      file.split('.').at(-1)?.toLowerCase(),
    ]);
  });

  it('of any length and any characters is parsed', () => {
    fc.assert(fc.property(fc.string({ maxLength: 2000 }), (name) => parseFileName(name).stem.length <= 256));
    expect(parseFileName(`${'1-'.repeat(50_000)}.jar`).stem.length).toBe(256);
  });
});

describe('a manifest', () => {
  const parse = (text: string) => parseManifest(Buffer.from(text));

  it.each([
    ['CRLF', '\r\n'],
    ['LF', '\n'],
    ['CR', '\r'],
  ])('has lines that end in %s and continue behind a space', (_, end) => {
    const text = ['Manifest-Version: 1.0', 'Bundle-SymbolicName: org.exa', ' mple.long', '  er', '', 'Name: x', 'A: b'];
    expect([...parse(text.join(end)).main]).toEqual([
      ['manifest-version', '1.0'],
      ['bundle-symbolicname', 'org.example.long er'],
    ]);
  });

  it('may fold a line within a character', () => {
    const bytes = Buffer.concat([
      Buffer.from('Bundle-Vendor: M\xc3', 'latin1'),
      Buffer.from('\r\n \xbcller\r\n\r\n', 'latin1'),
    ]);
    expect(parseManifest(bytes).main.get('bundle-vendor')).toBe('Müller');
  });

  it('ends its main section at the first empty line, after empty lines at its beginning', () => {
    const { main, sectionVersion } = parse('\n\nA: 1\n\nName: org/x\nImplementation-Version: 1.\n 4 x\nB: 2\n');
    expect([...main]).toEqual([['a', '1']]);
    expect(sectionVersion).toBe('1.4 x');
  });

  it('takes the last of two headers, whatever their case, and any name as a name', () => {
    expect([...parse('A-b: 1\na-B: 2\n__proto__: 3\nnonsense\n: 4\n').main]).toEqual([
      ['a-b', '2'],
      ['__proto__', '3'],
    ]);
  });

  it('of any bytes is parsed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => parseManifest(Buffer.from(bytes)).main.size >= 0),
    );
  });
});

describe('pom.properties', () => {
  it.each([
    ['groupId=a\nartifactId=b\nversion=1\n', { group: 'a', artifact: 'b', version: '1' }],
    [`#c\r\n groupId : a \r\nartifactId=\r\nversion=\${v}`, { group: 'a' }],
    ['version=1\\:2\ngroupId=com\\.acme', { group: 'com.acme' }],
    ['groupId=a\ngroupId=b', { group: 'b' }],
    ['constructor=x\n__proto__=y\n', {}],
  ])('%j', (text, expected) => {
    expect(parsePomProperties(Buffer.from(text))).toEqual(expected);
  });
});

describe('pom.xml', () => {
  const parse = (text: string) => parsePomXml(Buffer.from(text));

  it('is read with its parent, its properties, comments, CDATA, prefixes and entities', () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>
      <!-- <project><groupId>no</groupId></project> -->
      <m:project xmlns:m="http://maven.apache.org/POM/4.0.0" a="x>y">
        <m:parent><m:groupId>com.acme</m:groupId><m:artifactId>parent</m:artifactId><m:version>1</m:version></m:parent>
        <m:artifactId><![CDATA[tool]]></m:artifactId>
        <m:version>\${major}.\${minor}</m:version>
        <m:properties><major>2</major><minor>\${patch}</minor><patch>7</patch></m:properties>
        <m:dependencies><m:dependency><m:groupId>x</m:groupId><m:version>9</m:version></m:dependency></m:dependencies>
        <m:organization><m:name>A &amp; B &#x26; C &lt;&unknown;</m:name></m:organization>
        <m:licenses>
          <m:license><m:name>MIT</m:name><m:url>https://mit</m:url></m:license>
          <m:license><m:url>https://other</m:url></m:license>
          <m:license/>
        </m:licenses>
        <m:build/>
      </m:project>`;
    expect(parse(text)).toEqual({
      group: 'com.acme',
      artifact: 'tool',
      version: '2.7',
      organization: 'A & B & C <&unknown;',
      licenses: ['MIT', 'https://other'],
    });
  });

  it('in UTF-16 and Latin-1 is read', () => {
    const text = '<project><organization><name>Müller</name></organization></project>';
    expect(parsePomXml(Buffer.from(`\ufeff${text}`, 'utf16le')).organization).toBe('Müller');
    expect(parsePomXml(Buffer.from(`\ufeff${text}`, 'utf16le').swap16()).organization).toBe('Müller');
    const latin = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`, 'latin1');
    expect(parsePomXml(latin).organization).toBe('Müller');
  });

  it('leaves out what is not filled in and ends at properties that name each other', () => {
    const properties = `<properties><a>\${b}\${b}</a><b>\${a}\${a}</b></properties>`;
    expect(parse(`<project><groupId>\${x}</groupId><version>\${a}</version>${properties}</project>`)).toEqual({
      licenses: [],
    });
  });

  it.each([
    ['a document type', '<!DOCTYPE project SYSTEM "file:///etc/passwd"><project/>', 'it has a document type'],
    ['elements without end', '<project><groupId>', 'its elements do not end'],
    ['a tag without end', '<project a="', 'its elements do not end'],
    ['a comment without end', '<project><!-- ', 'its elements do not end'],
    ['elements that cross', '<project><a></project></a>', 'its elements do not match'],
    ['elements nested without end', '<a>'.repeat(100_000), 'elements nested too deeply'],
    ['no elements', 'text', 'its elements do not end'],
    ['no XML', '<project>1 < 2</project>', 'it is not XML'],
  ])('with %s is refused', (_, text, reason) => {
    expect(() => parse(text)).toThrow(new Unreadable(reason));
  });

  it('of any text is read or refused', () => {
    const piece = fc.oneof(
      fc.constantFrom('<project>', '</project>', '<a/>', '<!--', '-->', '<![CDATA[', ']]>', '&lt;'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parse(pieces.join(''));
        } catch (error) {
          if (!(error instanceof Unreadable)) throw error;
        }
      }),
    );
  });
});

describe('ids and versions', () => {
  it.each(['org.slf4j', 'slf4j-api', 'a_b', 'A1'])('%s is an id', (id) => expect(asId(` ${id} `)).toBe(id));
  it.each(['', ' ', 'a b', `\${x}`, '%name', 'a/b', '...', 'x'.repeat(201)])('%j is no id', (id) => {
    expect(asId(id)).toBeUndefined();
  });
  it.each(['1', '1.0-SNAPSHOT', '0.1~+svn49', '31.1-jre'])('%s is a version', (version) => {
    expect(asVersion(version)).toBe(version);
  });
  it.each(['', `\${v}`, '@VERSION@', '%v', 'unspecified', '1/2', '-', '\u001b[0m'])('%j is no version', (version) => {
    expect(asVersion(version)).toBeUndefined();
  });
});

describe('a group', () => {
  it.each([
    ['com.acme.tool', 'tool', 'com.acme'],
    ['com.acme.core.acme-x', 'acme-x', 'com.acme.core'],
    ['io.netty.common', 'netty-common', 'io.netty'],
    ['org.eclipse.sisu.inject', 'org.eclipse.sisu.inject', 'org.eclipse.sisu'],
    ['com.h2database', 'h2', 'com.h2database'],
    ['org.apache.tomcat-catalina', 'catalina', 'org.apache.tomcat'],
    ['javax.servlet-api', 'javax.servlet-api', 'javax.servlet'],
    ['jakarta.xml.bind-api', 'jakarta.xml.bind-api', 'jakarta.xml.bind'],
    ['org.apache.geronimo.specs.geronimo-jta_1.1_spec', 'geronimo-jta_1.1_spec', 'org.apache.geronimo.specs'],
    ['jakarta.inject.jakarta.inject-api', 'jakarta.inject-api', 'jakarta.inject'],
    ['joda-time', 'joda-time', undefined],
  ])('in the bundle name %s of %s is %s', (symbolic, artifact, group) => {
    expect(groupOfSymbolicName(symbolic, artifact)).toBe(group);
  });

  const withHeaders = (...headers: string[]) => parseManifest(Buffer.from(`${headers.join('\n')}\n`));

  it.each<[string, string | undefined, string | undefined, string | undefined]>([
    ['spring-boot-starter-web', '3.3.1', undefined, 'org.springframework.boot'],
    ['spring-boot-admin-client', '3.3.1', 'de.codecentric.boot.admin.client', 'de.codecentric'],
    ['hibernate-core', '5.6.15.Final', 'org.hibernate', 'org.hibernate'],
    ['hibernate-core', '6.5.2.Final', 'org.hibernate', 'org.hibernate.orm'],
    ['hibernate-core', undefined, 'org.hibernate', 'org.hibernate.orm'],
    ['javassist', '3.9.0.GA', 'javassist', 'javassist'],
    ['javassist', '3.13.0-GA', 'javassist', 'org.javassist'],
    ['rxjava', '1.3.8', 'rx', 'io.reactivex'],
    ['rxjava', '2.2.21', 'io.reactivex', 'io.reactivex.rxjava2'],
    ['rxjava', '3.1.8', 'io.reactivex.rxjava3', 'io.reactivex.rxjava3'],
    ['groovy-json', '3.0.21', 'groovy.json', 'org.codehaus.groovy'],
    ['logging-interceptor', '4.12.0', 'okhttp3.logging', 'com.squareup.okhttp3'],
    ['config', '1.4.3', 'com.typesafe.config', 'com.typesafe'],
    ['config', '1.4.3', 'com.acme.config', undefined],
    ['jakarta.el.jakarta.el-api', '5.0.1', undefined, 'jakarta.el'],
    ['jakarta.annotation-api', '2.1.1', 'jakarta.annotation', 'jakarta.annotation'],
    ['doodad-core', '1', 'com.acme.doodad.impl', 'com.acme.doodad'],
    ['doodad', '1', 'org.doodad.impl', 'org.doodad'],
    ['doodad', '1', 'net.sourceforge.doodad', 'net.sourceforge.doodad'],
    ['google-things', '1', 'com.google.things', undefined],
    ['doodad-core', '1', 'doodad.core', undefined],
    ['netty-codec', undefined, undefined, 'io.netty'],
    ['netty-socketio', '2.0', 'com.corundumstudio.socketio', undefined],
    ['grpc-server-spring-boot-starter', '2.0', undefined, undefined],
  ])('of %s %s with classes in %s is %s', (artifact, version, mainPackage, group) => {
    expect(findGroup(artifact, { version, mainPackage })).toBe(group);
  });

  it('of a family is not taken when the manifest is of somebody else', () => {
    const manifest = withHeaders('Bundle-SymbolicName: com.corundumstudio.socketio.netty-socketio');
    expect(findGroup('netty-socketio', { manifest })).toBe('com.corundumstudio.socketio');
  });

  it("in a module name is only taken when it is somebody's domain", () => {
    expect(findGroup('tool', { manifest: withHeaders('Automatic-Module-Name: spring.tool') })).toBeUndefined();
    expect(findGroup('tool', { manifest: withHeaders('Automatic-Module-Name: com.acme.tool') })).toBe('com.acme');
    expect(findGroup('tool', { manifest: withHeaders('Implementation-Vendor: acme.org') })).toBeUndefined();
  });

  it.each(['org.apache', 'com.sun', 'io.github'])('is not %s alone', (umbrella) => {
    expect(findGroup('something', { manifest: withHeaders(`Implementation-Vendor-Id: ${umbrella}`) })).toBeUndefined();
  });

  it('of a name or a package is listed once', () => {
    const artifacts = names.flatMap(([, list]) => list.split(' '));
    const folders = [...sameAsPackage, ...packages.map(([, list]) => list)].flatMap((list) => list.split(' '));
    for (const list of [artifacts, folders]) expect(list).toEqual([...new Set(list)]);
    expect(artifacts.length).toBeGreaterThan(400);
    expect([...artifacts, ...folders].filter((each) => !/^[\w.-]+\*?$/.test(each))).toEqual([]);
  });
});

describe('the package of the classes', () => {
  const of = (...entries: string[]) => findMainPackage(entries.map((name) => ({ name })));

  it.each<[string, string | undefined, string[]]>([
    ['one package', 'org.acme.tool', ['org/acme/tool/A.class', 'org/acme/tool/B.class']],
    ['what several share', 'org.acme', ['org/acme/a/A.class', 'org/acme/b/B.class']],
    ['a few foreign ones', 'a.b', ['a/b/1.class', 'a/b/2.class', 'a/b/c/3.class', 'a/b/4.class', 'x/y/5.class']],
    ['two owners', undefined, ['a/b/A.class', 'x/y/B.class']],
    ['none', undefined, ['readme.txt', 'a/b/data.xml']],
    ['the default package', undefined, ['A.class', 'module-info.class']],
    ['an application', 'com.shop', ['BOOT-INF/classes/com/shop/A.class', 'org/boot/L.class', 'org/boot/M.class']],
    ['variants by version', 'a.b', ['a/b/A.class', 'META-INF/versions/9/x/y/A.class', 'META-INF/v/B.class']],
    ['a folder that is none', 'a', ['a/b-c/A.class', 'a/b-c/B.class']],
  ])('is found for %s', (_, expected, entries) => {
    expect(of(...entries)).toBe(expected);
  });

  it('of any names is found or not', () => {
    const name = fc.stringMatching(/^[a/.\-\\é]{0,20}(?:\.class)?$/);
    fc.assert(fc.property(fc.array(name), (entries) => /^[\w$.]+$/.test(of(...entries) ?? 'none')));
  });
});

describe('licences', () => {
  it.each([
    ['Apache-2.0', ['Apache-2.0']],
    ['Apache License, Version 2.0', ['Apache License, Version 2.0']],
    ['"Apache License, Version 2.0";link="https://a,b"', ['Apache License, Version 2.0']],
    ['EPL-2.0, GPL-2.0', ['EPL-2.0', 'GPL-2.0']],
    ['http://a.org/l.txt, https://b.org', ['http://a.org/l.txt', 'https://b.org']],
    ['<<EXTERNAL>>', []],
    ['%license', []],
  ])('of a bundle: %s', (header, expected) => {
    expect(declaredLicenses(undefined, parseManifest(Buffer.from(`Bundle-License: ${header}\n`)))).toEqual(expected);
  });

  it('of a Jenkins plugin are its own headers', () => {
    const manifest = parseManifest(Buffer.from('Plugin-License-Name: MIT License\nPlugin-License-Name-2: BSD\n'));
    expect(declaredLicenses(undefined, manifest)).toEqual(['MIT License', 'BSD']);
  });

  it('of a project file are a choice, which only identifiers can express', () => {
    expect(declaredLicenses({ licenses: ['MIT', 'Apache-2.0'] }, undefined)).toEqual(['MIT OR Apache-2.0']);
    expect(declaredLicenses({ licenses: ['MIT License', 'Apache 2'] }, undefined)).toEqual(['MIT License', 'Apache 2']);
  });
});
