/**
 * Maven coordinates, `group:artifact:version`, as they are allowed to look. What a build left unfilled (`${revision}`,
 * `@VERSION@`, `%bundleName`) is no value. https://maven.apache.org/pom.html#Maven_Coordinates
 */

export interface Coordinates {
  readonly group?: string;
  readonly artifact: string;
  readonly version?: string;
}

/** A group or artifact id, or undefined when the text cannot be one. */
export function asId(text: string | undefined): string | undefined {
  const id = text?.trim();
  return id !== undefined && /^[\w.-]{1,200}$/.test(id) && /\w/.test(id) ? detached(id) : undefined;
}

/** A version, or undefined when the text cannot be one. Of `1.4 1855 April 22` the first word counts. */
export function asVersion(text: string | undefined): string | undefined {
  const version = /^\s*"?([^\s"]{1,200})/.exec(text ?? '')?.[1]?.replace(/,$/, '');
  if (version === undefined || !/[\p{L}\p{N}]/u.test(version) || unfilled.test(version)) return undefined;
  return /[\\/:<>|?*[\](){},;=$%@\p{C}]/u.test(version) ? undefined : detached(version);
}

/** A name or other text for people, or undefined when it is empty or unfilled. */
export function asText(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 1000) return undefined;
  const value = text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  if (value === '') return undefined;
  return value.startsWith('%') || value.includes('${') ? undefined : detached(value);
}

/** True for ids that start with a reversed domain (`org.slf4j`, `io.netty`) or with `javax` or `jakarta`. */
export function isReversedDomain(id: string): boolean {
  return /^[a-z]\w*(?:\.[\w-]+)+$/i.test(id) && topLevel.test(id);
}

/** Countries, and the others that groups begin with. */
const topLevel =
  /^(?:[a-z]{2}|com|org|net|edu|gov|info|biz|name|javax|jakarta|app|cloud|dev|digital|group|network|one|rocks|software|studio|systems|team|tech|technology|tools|top|work|works|world|xyz|zone)\./i;

/** What build tools write when nobody gave a version. */
const unfilled = /^(?:unspecified|unknown|undefined|null)$/i;

/** A copy that does not keep the text alive which it was cut from: thousands of facts outlive their files. */
function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
