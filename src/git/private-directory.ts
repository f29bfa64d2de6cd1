/**
 * The git directory that git really runs in: empty, bare, ours alone. It borrows the user's objects through
 * `objects/info/alternates` and nothing else, so that no configuration, attribute, hook, ref, replacement, graft, commit-graph
 * or work tree of the user's has a say; what git writes (merged trees) goes here and is removed in the end.
 */
import type { World } from '../io/index.ts';
import { formatAlternates } from './object-folders.ts';
import type { ObjectFormat } from './types.ts';

export async function makePrivateDirectory(
  objectFolders: readonly string[],
  format: ObjectFormat,
  world: World,
): Promise<string> {
  const parent = world.env['TMPDIR'] ?? world.env['TEMP'];
  return world.git.makeFolder(parent, ['objects/info', 'objects/pack', 'refs/heads', 'info'], {
    // A branch that has no commit: newer versions read attributes from the tree of HEAD.
    HEAD: 'ref: refs/heads/none\n',
    config: configFor(format),
    'objects/info/alternates': formatAlternates(objectFolders),
  });
}

/** The only configuration that git sees. */
function configFor(format: ObjectFormat): string {
  const sha256 = format === 'sha256';
  return `[core]
	repositoryFormatVersion = ${sha256 ? 1 : 0}
	bare = true
	commitGraph = false
	multiPackIndex = false
	useReplaceRefs = false
	fsmonitor = false
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	warnAmbiguousRefs = false
[gc]
	auto = 0
[maintenance]
	auto = false
[protocol]
	allow = never
${sha256 ? '[extensions]\n\tobjectFormat = sha256\n' : ''}`;
}
