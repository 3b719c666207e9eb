#!/usr/bin/env bash
# Installs the peers that judge us: device SDKs from npm, detectors from PyPI. Product code never
# needs them.
set -euo pipefail
cd "$(dirname "$0")"
npm ci
python3 -m venv .venv 2>/dev/null || {
  echo 'python3 with venv is needed: apt-get install -y python3-venv' >&2
  exit 1
}
.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
echo 'referees are ready: npm run verify -- S1 S2'
