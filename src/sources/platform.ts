/** Platforms as the OCI image specification and containerd write them: `os/architecture[/variant]`. */
import { OperationalError, quoted } from '../diag/index.ts';
import type { Platform } from './types.ts';

export type PlatformChoice = 'all' | { readonly platform: Platform; readonly explicit: boolean };

export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/').map((part) => part.toLowerCase());
  const valid = /^[a-z0-9._-]+$/;
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])];
  if (rest.length > 0 || !parts.every((part) => part !== undefined && valid.test(part))) {
    throw new OperationalError('usage', `${quoted(text)} is not a platform`, {
      hints: ['write it as os/architecture or os/architecture/variant, for example linux/arm64, or all'],
    });
  }
  return tidyPlatform({ os: os!, architecture: architecture!, ...(variant === undefined ? {} : { variant }) });
}

/** containerd's normal form: letters, other names of an architecture, the variants that say nothing, and the one of arm. */
export function normalizePlatform(platform: Platform): Platform {
  const tidy = tidyPlatform(platform);
  return tidy.architecture === 'arm' && tidy.variant === undefined ? { ...tidy, variant: 'v7' } : tidy;
}

/** As it was asked for: a variant that was left out stays open. */
function tidyPlatform(platform: Platform): Platform {
  const { variant: _, ...rest } = platform;
  const [os, stated] = [platform.os.toLowerCase(), platform.architecture.toLowerCase()];
  const architecture = aliases.get(stated) ?? stated;
  const variant = impliedVariants.get(stated) ?? (platform.variant ?? '').toLowerCase();
  const written = variants.get(`${architecture}/${variant}`) ?? variant;
  return { ...rest, os: os === 'macos' ? 'darwin' : os, architecture, ...(written === '' ? {} : { variant: written }) };
}

/** A wanted platform without a variant takes any; a found one that says nothing may be run anywhere. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  const [a, b] = [tidyPlatform(wanted), normalizePlatform(found)];
  const isSame = (one: string, other: string) => other === '' || one === other;
  if (!isSame(a.os, b.os) || !isSame(a.architecture, b.architecture)) return false;
  return a.variant === undefined || b.architecture === '' || a.variant === b.variant;
}

export function formatPlatform(platform: Platform): string {
  const parts = [platform.os || 'unknown', platform.architecture || 'unknown', platform.variant];
  return parts.filter((part) => part !== undefined && part !== '').join('/');
}

const aliases = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armhf', 'arm'],
  ['armel', 'arm'],
  ['i386', '386'],
  ['i686', '386'],
]);

const impliedVariants = new Map([
  ['armhf', 'v7'],
  ['armel', 'v6'],
]);

/** Other ways to write a variant; empty where it says nothing. */
const variants = new Map([
  ['amd64/v1', ''],
  ['arm64/8', ''],
  ['arm64/v8', ''],
  ['arm64/v8.0', ''],
  ['arm64/9', 'v9'],
  ['arm64/9.0', 'v9'],
  ['arm64/v9.0', 'v9'],
  ['arm/5', 'v5'],
  ['arm/6', 'v6'],
  ['arm/7', 'v7'],
  ['arm/8', 'v8'],
]);
