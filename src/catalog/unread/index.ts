export { unreadDeclared } from './declared.ts';
export { unreadInstalled } from './installed.ts';
export { packedPrograms } from './packed.ts';
