import type { Component } from './types.ts';

/** The name as people of that ecosystem say it: `@babel/core`, `org.slf4j:slf4j-api`, `github.com/spf13/cobra`. */
export function fullName(component: Pick<Component, 'ecosystem' | 'group' | 'name'>): string {
  const { ecosystem, group, name } = component;
  if (group === undefined || group === '') return name;
  return `${group}${ecosystem === 'maven' ? ':' : '/'}${name}`;
}

/** Unicode code unit order, the same on every machine and in every locale. */
export function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
