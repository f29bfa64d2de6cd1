/** Examples and vectors of docs/formats: an example, and what becomes of it when one thing is changed (RFC 6902). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../kit/data.ts';

export interface Vector {
  readonly name: string;
  readonly text?: string;
  readonly patch?: readonly {
    readonly op: 'add' | 'replace' | 'remove';
    readonly path: string;
    readonly value?: unknown;
  }[];
  readonly expect: 'accepted' | 'refused';
  readonly code?: string;
  readonly message?: string;
}

export function readVectors(name: string): {
  readonly example: string;
  readonly vectors: readonly Vector[];
  textOf(vector: Vector): string;
} {
  const read = (kind: string): string => readFileSync(path.join(root, `docs/formats/${name}.${kind}.json`), 'utf8');
  const example = read('example');
  const textOf = (vector: Vector): string => vector.text ?? patched(example, vector.patch ?? []);
  return { example, vectors: JSON.parse(read('vectors')) as Vector[], textOf };
}

export function patched(document: string, patch: NonNullable<Vector['patch']>): string {
  const value: unknown = JSON.parse(document);
  for (const { op, path: pointer, value: put } of patch) {
    const steps = pointer.split('/').slice(1);
    const last = steps.pop()!;
    const target = steps.reduce((at, step) => (at as Record<string, unknown>)[step], value) as Record<string, unknown>;
    if (Array.isArray(target) && op === 'add') target.splice(Number(last), 0, put);
    else if (op === 'remove') delete target[last];
    else Object.defineProperty(target, last, { value: put, enumerable: true, configurable: true, writable: true });
  }
  return JSON.stringify(value);
}
