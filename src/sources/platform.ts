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
  return normalizePlatform({ os: os!, architecture: architecture!, ...(variant === undefined ? {} : { variant }) });
}

/** containerd's normal form: other names of an architecture, and the variants that say nothing. */
export function normalizePlatform(platform: Platform): Platform {
  const { variant: stated, ...rest } = platform;
  const architecture = aliases.get(platform.architecture) ?? platform.architecture;
  const variant = stated ?? (platform.architecture === 'armhf' ? 'v7' : platform.architecture === 'armel' ? 'v6' : '');
  const silent =
    variant === '' || (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
  return { ...rest, architecture, ...(silent ? {} : { variant }) };
}

/** A wanted platform without a variant takes any. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  const [a, b] = [normalizePlatform(wanted), normalizePlatform(found)];
  return a.os === b.os && a.architecture === b.architecture && (a.variant === undefined || a.variant === b.variant);
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
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
