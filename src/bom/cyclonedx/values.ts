/** Properties, contacts and organizations as CycloneDX writes them, from untrusted values. */
import type { Party } from '../../catalog/types.ts';
import { filled, text, url, withoutCredentials } from '../values.ts';
import type { CdxContact, CdxEntity, CdxProperty } from './document.ts';

/** A property of our own namespace; docs/formats/cyclonedx.md lists the names. */
export function property(name: string, value: string): CdxProperty {
  return { name: `tidewaiter:${text(name)}`, value: text(value) };
}

const atom = "[\\p{L}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const label = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]*[\\p{L}\\p{N}])?';
const address = new RegExp(`^${atom}(?:\\.${atom})*@${label}(?:\\.${label})*$`, 'u');

/** What is no address is still something that the author wrote: it becomes part of the name. */
export function contact(party: Party): CdxContact {
  const name = filled(party.name);
  const email = filled(party.email)?.trim();
  if (email === undefined) return { name };
  if (email.length <= 254 && address.test(email)) return { name, email };
  return { name: name === undefined ? email : `${name} <${email}>` };
}

export function entity(party: Party): CdxEntity | undefined {
  const name = filled(party.name);
  const link = party.url === undefined ? undefined : url(party.url);
  const contacts = [
    ...(filled(party.email) === undefined ? [] : [contact({ name: '', email: party.email! })]),
    ...(link === undefined && filled(party.url) !== undefined ? [{ name: text(withoutCredentials(party.url!)) }] : []),
  ];
  if (name === undefined && link === undefined && contacts.length === 0) return undefined;
  return { name, url: link === undefined ? undefined : [link], contact: contacts.length === 0 ? undefined : contacts };
}
