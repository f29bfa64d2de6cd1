#!/usr/bin/env node
// The entry: works on any Node, so plain old JavaScript. It answers --version itself, hands over to the Node that was
// installed beside tidewaiter when the running one is too old, and otherwise says in one line what it needs.
'use strict';

process.exitCode = 3;

var fs = require('fs');
var path = require('path');

var args = process.argv.slice(2);
var dist = path.join(__dirname, '..', 'dist');
var main = path.join(dist, 'main.cjs');

function packageJson() {
  return require('../package.json');
}

/** The same as "engines" in package.json: ^22.22.2 || ^24.15.0 || >=26.0.0. */
function isNewEnough(version) {
  var parts = version.split('.').map(Number);
  if (parts[0] >= 26) return true;
  if (parts[0] === 24) return parts[1] >= 15;
  return parts[0] === 22 && (parts[1] > 22 || (parts[1] === 22 && parts[2] >= 2));
}

function findPinnedNode() {
  var name = 'node-' + (process.platform === 'win32' ? 'win' : process.platform) + '-' + process.arch;
  try {
    var file = require.resolve(name + '/bin/node' + (process.platform === 'win32' ? '.exe' : ''));
    return fs.existsSync(file) ? file : undefined;
  } catch (_) {
    return undefined;
  }
}

function say(line, code) {
  try {
    fs.writeSync(2, 'tidewaiter: ' + line + '\n');
  } catch (_) {
    // Nobody reads it: the exit code still says it.
  }
  process.exitCode = code;
}

function handOver(node) {
  var child = require('child_process').spawn(node, [__filename].concat(args), { stdio: 'inherit' });
  var signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  var forward = function (signal) {
    child.kill(signal);
  };
  signals.forEach(function (signal) {
    process.on(signal, forward);
  });
  child.on('error', function (error) {
    say('cannot start ' + node + ': ' + error.message, 3);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    signals.forEach(function (each) {
      process.removeListener(each, forward);
    });
    process.kill(process.pid, signal);
  });
}

function run() {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    try {
      fs.writeSync(1, packageJson().version + '\n');
      process.exitCode = 0;
    } catch (error) {
      say('cannot write to standard output: ' + error.code, 3);
    }
    return;
  }
  if (!isNewEnough(process.versions.node)) {
    var pinned = findPinnedNode();
    if (pinned === undefined || pinned === process.execPath) {
      say('needs Node ' + packageJson().engines.node + ', this is ' + process.versions.node, 2);
    } else handOver(pinned);
    return;
  }
  if (!fs.existsSync(main)) {
    say('is not built: run "npm run build" (npm ci does it, unless --ignore-scripts was given)', 2);
    return;
  }
  var loaded;
  try {
    loaded = require(path.join(dist, 'load.cjs')).load(main);
  } catch (error) {
    say('cannot be loaded: ' + (error && error.stack), 3);
    return;
  }
  loaded.start();
}

run();
