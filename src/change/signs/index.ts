export { coAuthorAddresses } from './co-authors.ts';
export { findSigns, type SignsOfCommit } from './find.ts';
export { foldAddress, gitHubLogin } from './identity.ts';
export { signOfKey, signsOfBranch, signsOfNote, signsOfRecord } from './places.ts';
