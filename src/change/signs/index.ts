export { findSigns, type SignsOfCommit } from './find.ts';
export { type RecordedAgent, signOfKey, signsOfBranch, signsOfNote, signsOfRecord } from './places.ts';
