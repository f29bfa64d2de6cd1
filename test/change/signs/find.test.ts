import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSigns } from '../../../src/change/signs/index.ts';
import { inAuthor, inMessage, inTrailer, jane, shapes } from './commits.ts';

describe('author and committer', () => {
  it.each([
    ['Claude <noreply@anthropic.com>', 'claude-code'],
    ['Anybody <NoReply@Anthropic.com>', 'claude-code'],
    ['claude[bot] <209825114+claude[bot]@users.noreply.github.com>', 'claude-code'],
    ['renamed <209825114+other[bot]@users.noreply.github.com>', 'claude-code'],
    ['claude[bot] <41898282+claude[bot]@users.noreply.github.com>', 'claude-code'],
    ['claude[bot] <41898282+github-actions[bot]@users.noreply.github.com>', 'claude-code'],
    ['Claude <81847+claude@users.noreply.github.com>', 'claude-code'],
    ['Claude Code <me@laptop.local>', 'claude-code'],
    ['Claude Opus 4.6 (1M context) <me@laptop.local>', 'claude-code'],
    ['copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>', 'copilot'],
    ['Copilot <198982749+Copilot@users.noreply.github.com>', 'copilot'],
    ['Copilot <Copilot@users.noreply.github.com>', 'copilot'],
    ['Copilot <223556219+Copilot@users.noreply.github.com>', 'copilot-cli'],
    ['Copilot <175728472+Copilot@users.noreply.github.com>', 'copilot-autofix'],
    ['Copilot <copilot@github.com>', 'copilot'],
    ['Cursor Agent <cursoragent@cursor.com>', 'cursor'],
    ['x <206951365+cursor[bot]@users.noreply.github.com>', 'cursor'],
    ['Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>', 'devin'],
    ['x <devin-ai-integration[bot]@users.noreply.github.com>', 'devin'],
    ['x <bot@devin.ai>', 'devin'],
    ['Codex <codex@openai.com>', 'codex'],
    ['Codex <codex@example.com>', 'codex'],
    ['x <199175422+chatgpt-codex-connector[bot]@users.noreply.github.com>', 'codex'],
    ['x <215057067+openai-codex[bot]@users.noreply.github.com>', 'codex'],
    ['google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>', 'jules'],
    ['jules-fleet[bot] <247082972+jules-fleet[bot]@users.noreply.github.com>', 'jules'],
    ['Joseph Turian (aider) <turian@acme.example>', 'aider'],
    ['openhands <openhands@all-hands.dev>', 'openhands'],
    ['OpenHands Bot <contact@all-hands.dev>', 'openhands'],
    ['OpenDevin <opendevin@all-hands.dev>', 'openhands'],
    ['x <opendevin@opendevin.ai>', 'openhands'],
    ['Amp <amp@example.com>', 'amp'],
    ['gemini-cli[bot] <218312386+gemini-cli[bot]@users.noreply.github.com>', 'gemini-cli'],
    ['factory-droid[bot] <138933559+factory-droid[bot]@users.noreply.github.com>', 'factory-droid'],
    ['x <agent@replit.com>', 'replit'],
    ['x <roomote@roocode.com>', 'roo-code'],
    ['x <205137888+cline[bot]@users.noreply.github.com>', 'cline'],
    ['x <230936708+continue[bot]@users.noreply.github.com>', 'continue'],
    ['x <201248094+sourcegraph-cody[bot]@users.noreply.github.com>', 'cody'],
    ['x <208079219+amazon-q-developer[bot]@users.noreply.github.com>', 'amazon-q'],
    ['x <220155983+jetbrains-ai[bot]@users.noreply.github.com>', 'jetbrains-ai'],
    ['sentry-junior[bot] <264270552+sentry-junior[bot]@users.noreply.github.com>', 'sentry-junior'],
    ['fullsend-code <278716306+fullsend-ai-coder[bot]@users.noreply.github.com>', 'fullsend'],
    ['agent-think[bot] <1+agent-think[bot]@users.noreply.github.com>', 'agent-think'],
    ['seer-by-sentry[bot] <157164994+seer-by-sentry[bot]@users.noreply.github.com>', 'seer'],
    ['x <noreply\u200b@anthropic.com>', 'claude-code'],
    ['x <noreply@аnthropic.com>', 'claude-code'],
    ['x <ｎｏｒｅｐｌｙ＠anthropic.com>', 'claude-code'],
  ])('%s is an agent: %s', (ident, agent) => {
    const found = inAuthor(ident);
    expect(shapes(found)).toEqual([`${agent} identity authored`]);
    expect(found.signs[0]!.place).toEqual({ in: 'author' });
    expect(found.bot).toBeUndefined();
  });

  it('a committer whose name ends in (aider) is no sign: aider put away what its user wrote', () => {
    const committer = { name: 'Jane Doe (aider)', email: jane.email };
    const found = findSigns({ author: jane, committer, message: 'fix\n' });
    expect(found.signs).toEqual([]);
    expect(findSigns({ author: committer, committer, message: 'fix\n' }).signs).toMatchObject([
      { agent: 'aider', part: 'authored', place: { in: 'author' } },
    ]);
  });

  it.each([
    ['beads/crew/emma <jane@acme.example>', 'unknown'],
    ['shop/polecats/quartz <jane@acme.example>', 'unknown'],
    ['shop/refinery <jane@acme.example>', 'unknown'],
    ['mayor <jane@acme.example>', 'unknown'],
    ['Toast (gastown) <toast@gastown.local>', 'unknown'],
    ['Claude <claude@anthropic.com>', 'claude-code'],
    ['Claude <242468646+Claude@users.noreply.github.com>', 'claude-code'],
    ['openai-code-agent[bot] <1+Codex@users.noreply.github.com>', 'codex'],
    ['Antigravity (Google DeepMind) <noreply@google.com>', 'antigravity'],
    ['Kimi <noreply@moonshot.example>', 'unknown'],
    ['Grok <no-reply@x.example>', 'grok'],
    ['gpt-engineer-app[bot] <159125892+gpt-engineer-app[bot]@users.noreply.github.com>', 'lovable'],
    ['v0 <v0[bot]@users.noreply.github.com>', 'v0'],
    ['Mistral Vibe <vibe@mistral.ai>', 'mistral-vibe'],
    ['Clawdbot <clawdbot@localhost>', 'openclaw'],
    ['coderabbitai[bot] <136622811+coderabbitai[bot]@users.noreply.github.com>', 'coderabbit'],
  ])('%s is an agent, as author and as co-author: %s', (ident, agent) => {
    expect(inAuthor(ident).signs.map((sign) => sign.agent)).toEqual([agent]);
    expect(inTrailer(`Co-authored-by: ${ident}`).signs.map((sign) => sign.agent)).toEqual([agent]);
  });

  it.each([
    ['dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>', 'dependabot'],
    ['anything <49699333+renamed[bot]@users.noreply.github.com>', 'dependabot'],
    ['renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>', 'renovate'],
    ['Renovate Bot <bot@renovateapp.com>', 'renovate'],
    ['github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>', 'github-actions'],
    ['github-actions[bot] <github-actions[bot]@users.noreply.github.com>', 'github-actions'],
    ['autofix-ci[bot] <114827586+autofix-ci[bot]@users.noreply.github.com>', 'autofix-ci'],
    ['release-please[bot] <55107282+release-please[bot]@users.noreply.github.com>', 'release-please'],
    ['stainless-app[bot] <142633134+stainless-app[bot]@users.noreply.github.com>', 'stainless-app'],
    ['copybara-service[bot] <56741989+copybara-service[bot]@users.noreply.github.com>', 'copybara-service'],
    ['gemini-cli-robot <gemini-cli-robot@google.com>', 'gemini-cli-robot'],
    ['miniprow[bot] <277204035+miniprow[bot]@users.noreply.github.com>', 'unknown'],
    ['dependabot[bot] <1+dependabot[bot]@users.noreply.github.com>', 'unknown'],
  ])('%s is the bot %s and no agent', (ident, bot) => {
    expect(inAuthor(ident)).toMatchObject({ signs: [], bot: { bot } });
  });

  it('a name alone makes no bot', () => {
    expect(inAuthor('dependabot[bot] <mallory@evil.example>')).toMatchObject({ signs: [] });
    expect(inAuthor('dependabot[bot] <mallory@evil.example>').bot).toBeUndefined();
  });
});

describe('trailers', () => {
  it.each([
    ['Co-Authored-By: Claude <noreply@anthropic.com>', 'claude-code trailer authored'],
    ['Co-Authored-By: Claude Opus 4.6 (1M context) <noreply@anthropic.com>', 'claude-code trailer authored'],
    ['Co-Authored-By: Claude Code', 'claude-code trailer authored'],
    ['Co-authored-by: Claude Sonnet 4.5 <me@acme.example>', 'claude-code trailer authored'],
    ['Co-authored-by: claude[bot] <209825114+claude[bot]@users.noreply.github.com>', 'claude-code trailer authored'],
    ['Claude-Session: https://claude.ai/code/session_01', 'claude-code trailer authored'],
    ['Claude-Generated-By: Claude Code (cli/claude-opus-4-5=100%)', 'claude-code trailer authored'],
    ['Claude-Steers: 1', 'claude-code trailer authored'],
    ['Agent-Logs-Url: https://github.com/o/r/sessions/1', 'copilot trailer authored'],
    ['Co-authored-by: copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>', 'copilot trailer authored'],
    ['Co-authored-by: Copilot App <223556219+Copilot@users.noreply.github.com>', 'copilot-cli trailer authored'],
    ['Copilot-Session: f9044135', 'copilot-cli trailer authored'],
    ['Co-authored-by: Copilot <copilot@github.com>', 'copilot trailer authored'],
    [
      'Co-authored-by: Copilot Autofix powered by AI <175728472+Copilot@users.noreply.github.com>',
      'copilot-autofix trailer suggested',
    ],
    ['Co-authored-by: Copilot <175728472+Copilot@users.noreply.github.com>', 'copilot-autofix trailer suggested'],
    [
      'Co-authored-by: Copilot Autofix powered by AI <62310815+github-advanced-security[bot]@users.noreply.github.com>',
      'copilot-autofix trailer suggested',
    ],
    [
      'Co-authored-by: x <223894421+github-code-quality[bot]@users.noreply.github.com>',
      'copilot-autofix trailer suggested',
    ],
    ['Co-authored-by: Cursor <cursoragent@cursor.com>', 'cursor trailer authored'],
    ['Co-authored-by: Composer <noreply@cursor.com>', 'cursor trailer authored'],
    ['Made-with: Cursor', 'cursor trailer authored'],
    [
      'Co-Authored-By: Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>',
      'devin trailer authored',
    ],
    ['Co-authored-by: Codex <noreply@openai.com>', 'codex trailer authored'],
    ['Co-authored-by: OpenAI Codex <someone@acme.example>', 'codex trailer authored'],
    ['Co-authored-by: GPT-5 Codex <codex@openai.com>', 'codex trailer authored'],
    ['Co-authored-by: Codex CLI Agent <noreply@openai.com>', 'codex trailer authored'],
    [
      'Co-authored-by: google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>',
      'jules trailer authored',
    ],
    ['Co-authored-by: aider (gemini/gemini-2.5-pro) <aider@aider.chat>', 'aider trailer authored'],
    ['Co-authored-by: aider (o3) <noreply@aider.chat>', 'aider trailer authored'],
    ['Co-Authored-By: Gemini', 'gemini-cli trailer authored'],
    ['Co-Authored-By: Copilot (CLI, agent mode, model Claude Opus 4.7)', 'copilot trailer authored'],
    ['Executed-By: mayor', 'unknown trailer authored'],
    ['Co-authored-by: aider (o3) <noreply@aider.dev>', 'aider trailer authored'],
    ['Co-authored-by: openhands <openhands@all-hands.dev>', 'openhands trailer authored'],
    ['Co-authored-by: OpenHands-GPT-5 openhands@all-hands.dev', 'openhands trailer authored'],
    ['Amp-Thread-ID: https://ampcode.com/threads/T-01', 'amp trailer authored'],
    ['Co-authored-by: Amp <amp@ampcode.com>', 'amp trailer authored'],
    [
      'Co-authored-by: gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>',
      'gemini-code-assist trailer suggested',
    ],
    [
      'Co-authored-by: factory-droid[bot] <138933559+factory-droid[bot]@users.noreply.github.com>',
      'factory-droid trailer authored',
    ],
    ['Co-authored-by: Qwen-Coder <qwen-coder@alibabacloud.com>', 'qwen-code trailer authored'],
    ['Replit-Commit-Author: Agent', 'replit trailer authored'],
    ['Replit-Commit-Author: Assistant', 'replit trailer authored'],
    ['Replit-Commit-Session-Id: 6a1c', 'replit trailer authored'],
    ['Co-authored-by: Sisyphus <clio-agent@sisyphuslabs.ai>', 'sisyphus trailer authored'],
    ['Co-authored-by: SageOx <ox@sageox.ai>', 'sageox trailer authored'],
    ['Co-authored-by: claude-flow <ruv@ruv.net>', 'claude-flow trailer authored'],
    ['Entire-Checkpoint: 2b7d7a03ca93', 'unknown trailer authored'],
    ['Entire-Metadata: .entire/x', 'unknown trailer authored'],
    ['Entire-Agent: Claude Code', 'claude-code trailer authored'],
    ['Checkpoint: ed51f6581660', 'unknown trailer authored'],
    ['Chainloop-Trace-Sessions: d81e130c', 'unknown trailer authored'],
    ['Gitvow-Session: 1', 'unknown trailer authored'],
    ['Gitvow-Intent: tidy', 'unknown trailer authored'],
    ['Executed-By: beads/crew/emma', 'unknown trailer authored'],
    ['Agent-Signature: claude-opus-4-8-xhigh on behalf of Jane', 'claude-code trailer authored'],
    ['Agent-Signature: whoever', 'unknown trailer authored'],
    ['Assisted-by: Claude Code', 'claude-code trailer assisted'],
    ['Assisted-by: Claude', 'claude-code trailer assisted'],
    ['Assisted-by: Claude <noreply@anthropic.com>', 'claude-code trailer assisted'],
    ['Assisted-by: Claude Code (Opus 4.6)', 'claude-code trailer assisted'],
    ['Assisted-by: ClaudeCode:claude-opus-4.8', 'claude-code trailer assisted'],
    ['Assisted-by: Claude:claude-3-opus coccinelle sparse', 'claude-code trailer assisted'],
    ['Assisted-by: OpenCode:Kimi-K2.6', 'opencode trailer assisted'],
    ['Assisted-by: Cursor (powered by granite-3-2-8b-instruct)', 'cursor trailer assisted'],
    ['Assisted-by: Codex 5.3', 'codex trailer assisted'],
    ['Assisted-by: Claude Opus 5 <jane@acme.example>', 'claude-code trailer assisted'],
    ['Assisted-by: Claude:claude-opus-4@20260514', 'claude-code trailer assisted'],
    ['Assisted-by: Jane Doe with ChatGPT <jane@acme.example>', 'unknown trailer assisted'],
    ['Assisted-by: Jane Doe & Copilot <jane@acme.example>', 'copilot trailer assisted'],
    ['Assisted-by: Jane Doe (using Gemini) <jane@acme.example>', 'gemini-cli trailer assisted'],
    ['Assisted-by: Any Name <noreply@vendor.example>', 'unknown trailer assisted'],
    ['Assisted-by: generic LLM chatbot', 'unknown trailer assisted'],
    ['Assisted-by: ChatGPTv5', 'unknown trailer assisted'],
    ['Assisted-by: NewAgent:new-model-1 [clang-tidy]', 'unknown trailer assisted'],
    ['AI-Assisted: yes', 'unknown trailer assisted'],
    ['Co-Authored-By: Claude (Anthropic)', 'claude-code trailer authored'],
    ['Co-Authored-By: Claude Sonnet 4.5 (Anthropic)', 'claude-code trailer authored'],
    ['Assisted-by: somebot', 'unknown trailer assisted'],
    ['Assisted-by: Some Tool 3', 'unknown trailer assisted'],
    ['Assisted-by: gemini-2.5-pro', 'gemini-cli trailer assisted'],
    ['Assisted-by: GitHub Copilot', 'copilot trailer assisted'],
    ['Generated-by: Claude Opus 5 (1M context)', 'claude-code trailer authored'],
    ['Generated-by: Codex 0.144.5 (GPT-5)', 'codex trailer authored'],
    ['Generated-by: GPT-4o', 'unknown trailer authored'],
    ['Generated-by: Kimi K2', 'unknown trailer authored'],
    ['Generated-by: deepseek-v3', 'unknown trailer authored'],
    ['Co-developed-by: Claude <noreply@anthropic.com>', 'claude-code trailer authored'],
    ['Co-authored-by: Junie <junie@jetbrains.com>', 'jetbrains-ai trailer authored'],
    ['Co-authored-by: opencode <noreply@opencode.ai>', 'opencode trailer authored'],
  ])('%s', (line, shape) => {
    const found = inTrailer(line);
    expect(shapes(found)).toEqual([shape]);
    expect(found.signs[0]).toMatchObject({ text: line, place: { in: 'message', line: 5 } });
    expect(found.trailerDifferences).toEqual([]);
  });

  it('a sign-off by an agent is a sign, and a fact of its own', () => {
    const found = inTrailer('Signed-off-by: Claude <noreply@anthropic.com>');
    expect(shapes(found)).toEqual(['claude-code trailer authored']);
    expect(found.signedOffByAgent).toEqual(found.signs[0]);
    expect(inTrailer('Co-authored-by: Claude <noreply@anthropic.com>').signedOffByAgent).toBeUndefined();
  });

  it('a human beside the agent hides nothing', () => {
    const found = inAuthor('Copilot <198982749+Copilot@users.noreply.github.com>');
    const both = findSigns({
      author: { name: 'Copilot', email: '198982749+Copilot@users.noreply.github.com' },
      committer: jane,
      message: 'fix\n\nCo-authored-by: Jane Doe <jane@acme.example>\nSigned-off-by: Jane Doe <jane@acme.example>\n',
    });
    expect(both.signs).toEqual(found.signs);
  });
});

describe('trailers where git does not look for them', () => {
  const line = 'Co-authored-by: Claude <noreply@anthropic.com>';

  it.each([
    ['behind a line ---', `fix\n\nText.\n\n---\n${line}\n`, 6, 'last paragraph'],
    ['in a paragraph before the last one', `fix\n\n${line}\n\nMore text.\n`, 3, 'last paragraph'],
    ['in a paragraph with text', `fix\n\nText.\n${line}\n`, 4, 'last paragraph'],
    ['in the subject', `${line}\n`, 1, 'last paragraph'],
    ['indented', `fix\n\n    ${line}\n`, 3, 'quoted'],
    ['behind a tab', `fix\n\n\t${line}\n`, 3, 'quoted'],
    ['quoted', `fix\n\n> > ${line}\n`, 3, 'quoted'],
    ['in a list with stars', `feat (#1)\n\n* one\n\n* ${line}\n`, 5, 'quoted'],
    ['in a list with dashes', `feat (#1)\n\n- ${line}\n`, 3, 'quoted'],
    ['in bold', 'fix\n\n**Co-authored-by:** Claude <noreply@anthropic.com>\n', 3, 'quoted'],
    ['behind an emoji', `fix\n\n🤖 ${line}\n`, 3, 'quoted'],
    ['joined by a backslash and an n', `fix it\\n\\n${line}\n`, 1, 'beginning of its line'],
    ['joined by the letters \\r\\n', `fix it\\r\\n${line}\n`, 1, 'beginning of its line'],
    ['behind other words of the line', `fix: parser ${line}\n`, 1, 'beginning of its line'],
    ['behind a lone carriage return', `fix\n\ntext\r${line}\n`, 3, 'beginning of its line'],
    ['behind a line separator', `fix\n\ntext\u2028${line}\n`, 3, 'beginning of its line'],
    ['with a wide colon', 'fix\n\nCo-authored-by： Claude <noreply@anthropic.com>\n', 3, 'look'],
    ['with a Cyrillic letter in the key', 'fix\n\nCo-аuthored-by: Claude <noreply@anthropic.com>\n', 3, 'look'],
    ['with wide letters', 'fix\n\nＣｏ-authored-by: Claude <noreply@anthropic.com>\n', 3, 'look'],
    ['with another hyphen', 'fix\n\nCo‑authored‑by: Claude <noreply@anthropic.com>\n', 3, 'look'],
    [
      'with an invisible character in the key',
      'fix\n\nCo-auth\u200bored-by: Claude <noreply@anthropic.com>\n',
      3,
      'sees',
    ],
    ['with an invisible character before the key', `fix\n\n\u2060${line}\n`, 3, 'sees'],
    ['with tag characters in the key', 'fix\n\nCo-auth\u{e0041}ored-by: Claude <noreply@anthropic.com>\n', 3, 'sees'],
  ])('%s', (_, message, at, why) => {
    const found = inMessage(message);
    expect(shapes(found)).toEqual(['claude-code trailer authored']);
    expect(found.signs[0]!.place).toEqual({ in: 'message', line: at });
    expect(found.trailerDifferences).toMatchObject([{ line: at, why: expect.stringContaining(why) }]);
  });

  it.each([
    ['folded', 'Co-authored-by: Claude\n <noreply@anthropic.com>'],
    ['folded with nothing in the first line', 'Co-authored-by:\n\tClaude <noreply@anthropic.com>'],
    ['broken by an editor', 'Co-Authored-By: Claude Next Model (1M\ncontext) <noreply@anthropic.com>'],
    ['folded free text', 'Assisted-by:\n  Claude Code'],
    ['lower case', 'co-authored-by: claude <noreply@anthropic.com>'],
    ['upper case', 'CO-AUTHORED-BY: CLAUDE <NOREPLY@ANTHROPIC.COM>'],
    ['a blank before the colon', 'Co-authored-by : Claude <noreply@anthropic.com>'],
    ['CR LF', 'Co-authored-by: Claude <noreply@anthropic.com>\r'],
    ['no blank behind the colon', 'Co-authored-by:Claude <noreply@anthropic.com>'],
    ['text behind the address', 'Co-authored-by: Claude <noreply@anthropic.com> # by the tool'],
    ['two in one', 'Co-authored-by: Jane <jane@acme.example>, Claude <noreply@anthropic.com>'],
    ['blanks inside the brackets', 'Co-authored-by: Claude < noreply@anthropic.com >'],
    ['no end of the bracket', 'Co-authored-by: Claude <noreply@anthropic.com'],
    ['in round brackets', 'Co-authored-by: Claude (noreply@anthropic.com)'],
  ])('%s is found', (_, line) => {
    expect(inTrailer(line).signs).toMatchObject([{ agent: 'claude-code', kind: 'trailer' }]);
  });
});

describe('lines that tools leave', () => {
  it.each([
    ['🤖 Generated with [Claude Code](https://claude.com/claude-code)', 'claude-code'],
    ['🤖 Generated with [Claude Code](https://claude.ai/code)', 'claude-code'],
    ['Generated with [Claude Code](https://claude.com/claude-code)', 'claude-code'],
    ['> 🤖 Generated with [Claude Code](https://claude.ai/code)', 'claude-code'],
    ['* 🤖 Generated with [Claude Code](https://claude.ai/code) via [Happy](https://happy.engineering)', 'claude-code'],
    ['🤖 Generated with Claude Code', 'claude-code'],
    ['Generated with Claude Code', 'claude-code'],
    ['_Generated by [Claude Code](https://claude.ai/code/session_01ABC)_', 'claude-code'],
    ['🤖 Generated with [opencode](https://opencode.ai)', 'opencode'],
    ['💘 Generated with Crush', 'crush'],
    ['This was generated with the assistance of Claude Code.', 'claude-code'],
    ['*Created with Claude Code - AI-assisted, using Claude 4.0', 'claude-code'],
    ['developed using claude-3-sonnet', 'claude-code'],
    ['_codex-gpt-5.2-medium on behalf of Jane Doe_', 'codex'],
    ['_Claude Opus 4.5 (shop/investigator) on behalf of jane_', 'claude-code'],
    ['🤖 Generated with [Nori](https://nori.ai)', 'unknown'],
    ['Made with [Cursor](https://cursor.com)', 'cursor'],
    ['https://chatgpt.com/codex/tasks/task_e_68', 'codex'],
    ['[Codex Task](https://chatgpt.com/codex/tasks/task_e_68)', 'codex'],
    ['Link to Devin session: https://app.devin.ai/sessions/0123abcd', 'devin'],
    ['https://claude.ai/code/session_01ABC', 'claude-code'],
    ['Amp thread: https://ampcode.com/threads/T-01', 'amp'],
    ['<!-- CURSOR_SUMMARY -->', 'cursor'],
    ['_PR created with Claude Code_', 'claude-code'],
    ['🤖 Generаted with [Claude Code](https://claude.com/claude-code)', 'claude-code'],
    ['🤖 Generated with [Claude\u200b Code](https://claude.com/claude-code)', 'claude-code'],
    [
      'For more details, open the [Copilot Workspace session](https://copilot-workspace.githubnext.com/o/r?shareId=1).',
      'copilot',
    ],
    ['PR created automatically by Jules for task [1](https://jules.google.com/task/1) started by @jane', 'jules'],
    ['*PR created automatically by Jules for task', 'jules'],
  ])('%s', (line, agent) => {
    expect(shapes(inMessage(`fix: x\n\nText.\n\n${line}\n`))).toEqual([`${agent} body authored`]);
  });

  it.each(['Generated with assistance from Claude Code', 'Assisted by Claude Code'])(
    '%s is a sign of help or more',
    (line) => {
      expect(inTrailer(line).signs).toMatchObject([{ agent: 'claude-code', kind: 'body' }]);
    },
  );

  it('an unlisted agent is shown by the name that it gives itself', () => {
    expect(inTrailer('🤖 Generated with [Nori](https://nori.ai)').signs).toMatchObject([{ name: 'Nori' }]);
  });

  it('a subject of aider is a sign in the first line only', () => {
    expect(shapes(inMessage('aider: fix the parser\n'))).toEqual(['aider body authored']);
    expect(shapes(inMessage('fix\n\naider: fix the parser\n'))).toEqual([]);
  });

  it('what stands between two fences of code is a quotation', () => {
    const quoted = 'docs: how it looks\n\n```\n🤖 Generated with [Claude Code](https://claude.ai/code)\n```\n';
    expect(shapes(inMessage(quoted))).toEqual([]);
    expect(shapes(inMessage(quoted.replace(/```\n$/, '')))).toEqual(['claude-code body authored']);
  });
});

describe('hostile messages', () => {
  const claude = 'Co-authored-by: Claude <noreply@anthropic.com>';

  it('shows at most 500 characters of a line, and each sign once', () => {
    const long = `Assisted-by: Claude Code ${'x'.repeat(10_000)}`;
    const found = inTrailer(`${long}\n${claude}\n${claude}`);
    expect(found.signs.map(({ text }) => text.length)).toEqual([500, claude.length]);
  });

  it('finds a sign-off by an agent behind thousands of other signs, and keeps no more than 200', () => {
    const many = Array.from({ length: 5000 }, (_, at) => `Assisted-by: Claude ${at}`).join('\n');
    const found = inTrailer(`${many}\nSigned-off-by: Codex <codex@openai.com>`);
    expect(found.signs).toHaveLength(200);
    expect(found.signedOffByAgent).toMatchObject({ agent: 'codex' });
  });

  it.each([
    ['one line', 'x'.repeat(10_000_000)],
    ['blanks', ' '.repeat(10_000_000)],
    ['blanks and stars', ' *>'.repeat(3_000_000)],
    ['invisible characters', '\u200b'.repeat(5_000_000)],
    ['combining marks', '\u0323\u0301'.repeat(2_500_000)],
    ['line ends', '\n'.repeat(10_000_000)],
    ['letters that are no line ends', '\\n'.repeat(5_000_000)],
    ['keys in one line', ' co-authored-by:'.repeat(600_000)],
    ['keys without a value', 'Co-authored-by:\n'.repeat(600_000)],
    ['folded lines', `Co-authored-by: x\n${' y\n'.repeat(3_000_000)}`],
    ['addresses', `Co-authored-by: ${'a@b '.repeat(2_500_000)}`],
    ['brackets', `Generated with ${'['.repeat(10_000_000)}`],
    ['a footer without an end', `Generated with [${'a('.repeat(5_000_000)}`],
    ['links', 'https://claude.ai/code/'.repeat(400_000)],
    ['fences', '```\n'.repeat(2_500_000)],
    ['comments', '<!-- '.repeat(2_000_000)],
  ])(
    'ends on 10 MB of %s, and still finds what stands behind',
    (_, text) => {
      expect(shapes(inMessage(`${text}\n\nSigned-off-by: Codex <codex@openai.com>\n`))).toContain(
        'codex trailer authored',
      );
    },
    60_000,
  );

  it('never throws', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'Co-authored-by',
        ':',
        ' ',
        '\n',
        '\\n',
        '\r',
        '<',
        '>',
        '@',
        'Claude',
        '🤖',
        'Generated with ',
        '[',
        '](',
        ')',
        '```',
        '---',
        '\u200b',
        'ａ',
        '\ud800',
        '(aider)',
        'https://claude.ai/code/session_',
        '+',
        '[bot]',
        '@users.noreply.github.com',
      ),
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, text, (name, email, message) => {
        const { signs } = findSigns({ author: { name, email }, committer: { name: email, email: name }, message });
        expect(signs.every((sign) => sign.text.length <= 500)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
