/**
 * META-INF/maven/<group>/<artifact>/pom.properties, which Maven writes into what it builds: a Java properties file.
 *
 *   #Created by Apache Maven 3.8.6
 *   version=1.7.36
 *   groupId=org.slf4j
 *   artifactId=slf4j-api
 *
 * `=` or `:` between key and value, `#` and `!` comments; escapes (`\:`) are undone, coordinates need no more of them.
 */
import { asId, asVersion } from './coordinates.ts';

export interface PomProperties {
  readonly group?: string;
  readonly artifact?: string;
  readonly version?: string;
}

/** Never throws; a value that cannot be an id or a version is left out. The last of two equal keys counts. */
export function parsePomProperties(bytes: Buffer): PomProperties {
  const values = new Map<string, string>();
  for (const line of bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/[\r\n]+/)) {
    const match = /^\s*(groupId|artifactId|version)\s*[=:]?(.*)$/.exec(line);
    if (match !== null) values.set(match[1]!, match[2]!.replace(/\\(.)/g, '$1'));
  }
  const group = asId(values.get('groupId'));
  const artifact = asId(values.get('artifactId'));
  const version = asVersion(values.get('version'));
  return {
    ...(group !== undefined && { group }),
    ...(artifact !== undefined && { artifact }),
    ...(version !== undefined && { version }),
  };
}
