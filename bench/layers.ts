/** What the layers of the benchmark's images hold. Every recipe fills `root/` below a staging folder. */
import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { accessSync, constants, createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';

export type Run = (tool: string, args: readonly string[], cwd: string, env?: Readonly<Record<string, string>>) => void;

export interface LayerRecipe {
  /** Programs that must be on PATH. */
  readonly tools: readonly string[];
  /** Of gzip; 6 as most builders have it. */
  readonly level: number;
  /** Fills `STAGING/root`, or writes `STAGING/root.tar`. */
  fill(staging: string, run: Run): Promise<void> | void;
}

export const layerRecipes: Readonly<Record<string, LayerRecipe>> = {
  debian: { tools: ['mmdebstrap'], level: 6, fill: fillDebian },
  npm: { tools: ['npm'], level: 6, fill: fillNpm },
  python: { tools: ['python3'], level: 6, fill: fillPython },
  java: { tools: ['mvn'], level: 6, fill: fillJava },
  go: { tools: ['go'], level: 6, fill: fillGo },
  'data-random': { tools: [], level: 1, fill: (staging) => fillData(staging, 'random', 450, 8) },
  'data-text': { tools: [], level: 6, fill: (staging) => fillData(staging, 'text', 1500, 4) },
  'data-small-files': { tools: [], level: 1, fill: (staging) => fillData(staging, 'random', 100, 20_000) },
};

export function onPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, tool), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

/** The staging folder as a tar stream, sorted and owned by root. */
export function tarOf(staging: string): Readable {
  const made = `${staging}/root.tar`;
  if (existsSync(made)) return createReadStream(made, { highWaterMark: 1024 * 1024 });
  const order = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@1700000000'];
  const tar = spawn('tar', [...order, '-C', `${staging}/root`, '-cf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tar.on('error', (error) => tar.stdout.destroy(error));
  tar.on('exit', (code) => {
    if (code !== 0) tar.stdout.destroy(new Error(`tar ended with ${code}`));
  });
  return tar.stdout;
}

function fillDebian(staging: string, run: Run): void {
  const packages = 'ca-certificates,curl,git,jq,openssh-client,python3,rsync,vim';
  run('mmdebstrap', ['--variant=minbase', `--include=${packages}`, 'bookworm', `${staging}/root.tar`], staging);
}

const npmPackages = {
  '@angular/core': '17.3.12',
  '@aws-sdk/client-s3': '3.600.0',
  '@babel/core': '7.24.7',
  '@babel/preset-env': '7.24.7',
  eslint: '8.57.0',
  express: '4.19.2',
  googleapis: '140.0.1',
  jest: '29.7.0',
  lodash: '4.17.21',
  mongoose: '8.4.3',
  'react-dom': '18.3.1',
  react: '18.3.1',
  rxjs: '7.8.1',
  typeorm: '0.3.20',
  typescript: '5.4.5',
  webpack: '5.92.1',
};

function fillNpm(staging: string, run: Run): void {
  const app = `${staging}/root/srv/shop`;
  mkdirSync(app, { recursive: true });
  const manifest = { name: 'shop', version: '1.0.0', private: true, dependencies: npmPackages };
  writeFileSync(`${app}/package.json`, JSON.stringify(manifest, null, 2));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], app);
}

const pythonPackages = [
  'boto3==1.34.131',
  'celery==5.4.0',
  'Django==4.2.13',
  'fastapi==0.111.0',
  'Flask==3.0.3',
  'matplotlib==3.9.0',
  'pandas==2.2.2',
  'requests==2.32.3',
  'SQLAlchemy==2.0.31',
];

function fillPython(staging: string, run: Run): void {
  const target = `${staging}/root/usr/local/lib/python3.11/site-packages`;
  const flags = ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', '--only-binary=:all:', '--target', target];
  run('python3', [...flags, ...pythonPackages], staging);
}

const javaArtifacts = [
  'org.springframework.boot:spring-boot-starter-web:3.3.1',
  'org.springframework.boot:spring-boot-starter-data-jpa:3.3.1',
  'org.apache.kafka:kafka_2.13:3.7.0',
  'org.apache.hadoop:hadoop-client-runtime:3.4.0',
  'com.amazonaws:aws-java-sdk-s3:1.12.750',
  'io.netty:netty-all:4.1.111.Final',
];

/** A folder of jars, some of them shaded, and two archives that hold jars themselves. */
function fillJava(staging: string, run: Run): void {
  const app = `${staging}/root/opt/shop/lib`;
  mkdirSync(app, { recursive: true });
  const dependencies = javaArtifacts.map((each) => {
    const [group, artifact, version] = each.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  const project = `<modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>shop</artifactId><version>1.0.0</version>`;
  writeFileSync(
    `${staging}/pom.xml`,
    `<project>${project}<dependencies>${dependencies.join('')}</dependencies></project>`,
  );
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
  run('mvn', ['-q', '-B', `${plugin}:copy-dependencies`, `-DoutputDirectory=${app}`], staging);
  // Copied by hand: what they need is inside them already.
  for (const archive of [
    'io.zipkin:zipkin-server:3.4.0:jar:slim',
    'org.apache.activemq:activemq-web-console:5.18.4:war',
  ]) {
    run('mvn', ['-q', '-B', `${plugin}:copy`, `-Dartifact=${archive}`, `-DoutputDirectory=${app}/..`], staging);
  }
}

const goPrograms = [
  'github.com/google/go-containerregistry/cmd/crane@v0.20.2',
  'github.com/mikefarah/yq/v4@v4.44.2',
  'golang.org/x/tools/gopls@v0.20.0',
];

function fillGo(staging: string, run: Run): void {
  const bin = `${staging}/root/usr/local/bin`;
  mkdirSync(bin, { recursive: true });
  for (const program of goPrograms) run('go', ['install', program], staging, { GOBIN: bin, CGO_ENABLED: '0' });
}

/** Data without a package in it: the same bytes on every machine. `megabytes` altogether, in `files` files. */
function fillData(staging: string, kind: 'random' | 'text', megabytes: number, files: number): void {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, files), Buffer.alloc(16));
  const size = Math.floor((megabytes * 1024 * 1024) / files);
  const zeros = Buffer.alloc(Math.min(size, 1024 * 1024));
  for (let at = 0; at < files; at++) {
    const directory = `${staging}/root/data/${kind}-${files}/${at % 100}`;
    mkdirSync(directory, { recursive: true });
    const file = `${directory}/${at}.bin`;
    for (let have = 0; have < size; have += zeros.length) {
      const noise = cipher.update(zeros.subarray(0, Math.min(zeros.length, size - have)));
      writeFileSync(file, kind === 'random' ? noise : asText(noise), { flag: have === 0 ? 'w' : 'a' });
    }
  }
}

/** Lines that repeat with small differences, as logs do: packs to about a tenth. */
function asText(noise: Buffer): string {
  let text = '';
  for (let at = 0; text.length < noise.length; at += 4) {
    const number = noise.readUInt32LE(at % (noise.length - 4));
    text += `2026-01-31T12:00:00Z INFO  request ${number} GET /api/v1/orders/${number % 9973} took ${number % 97} ms\n`;
  }
  return text.slice(0, noise.length);
}
