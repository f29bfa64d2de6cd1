/** First bytes of streams that are not read. */
export const xz = Buffer.from('fd377a585a000004e6d6b446', 'hex');
export const bzip2 = Buffer.from('BZh91AY&SY\x00\x00\x00\x00', 'latin1');
export const lz4 = Buffer.from('04224d1864407f1a0000', 'hex');
export const sevenZip = Buffer.from('377abcaf271c00040000', 'hex');
