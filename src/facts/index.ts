export { factsFromInventory } from './from-inventory.ts';
export { readFacts } from './read.ts';
export * from './types.ts';
export { writeFacts } from './write.ts';
