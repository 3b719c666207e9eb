#!/usr/bin/env bash
# Installs the programs by others that judge us. Product code never needs them.
#   npm run setup:referees                 all of them
#   npm run setup:referees -- python       only some: npm, python, spark, mosquitto
# May run again at any time: what is there already stays. Ends with 1 if a part is missing.
set -uo pipefail
cd "$(dirname "$0")"

# Jars of Delta for the Spark that requirements.txt names; both move together.
delta_spark='io.delta:delta-spark_4.1_2.13:4.3.1'
oldest_java=17

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(npm python spark mosquitto)
missing=()

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }
lacks() { missing+=("$*"); say "MISSING: $*"; }
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Stands beside what it describes: equal text means that nothing is to be done.
is_current() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

debian() {
  say "installing $* with apt-get"
  apt-get update -qq >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

setup_npm() {
  local hash
  hash=$(cksum <package-lock.json)
  if is_current node_modules/.referees-lock "$hash"; then
    say 'npm: the packages of package-lock.json are there'
    return
  fi
  say 'npm: device SDKs, aedes and chdb (about 700 MB on disk)'
  if npm ci --no-progress; then
    printf '%s' "$hash" >node_modules/.referees-lock
  else
    lacks 'npm packages: see the error of npm ci above'
  fi
}

setup_python() {
  if [ ! -x .venv/bin/pip ]; then
    rm -rf .venv
    if ! python3 -m venv .venv >/dev/null 2>&1; then
      rm -rf .venv
      can_install && debian python3 python3-venv
      if ! python3 -m venv .venv; then
        rm -rf .venv
        lacks 'python3 (3.10 or newer) with venv: apt-get install python3-venv'
        return
      fi
    fi
  fi
  local hash
  hash=$(cksum <requirements.txt)
  if is_current .venv/.referees-lock "$hash"; then
    say 'python: the packages of requirements.txt are there'
    return
  fi
  say 'python: packages of requirements.txt (pyspark alone is 450 MB; some minutes)'
  if .venv/bin/pip install --disable-pip-version-check --progress-bar off -r requirements.txt |
    grep -E '^(Collecting|Downloading|Building|Installing|Successfully)'; then
    printf '%s' "$hash" >.venv/.referees-lock
  else
    lacks 'python packages: see the error of pip above'
  fi
}

java_version() {
  "$1" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

find_java() {
  local candidate
  for candidate in "${JAVA_HOME:-}/bin/java" "$(command -v java)" /usr/lib/jvm/*/bin/java; do
    [ -x "$candidate" ] || continue
    if [ "$(java_version "$candidate" || true)" -ge "$oldest_java" ] 2>/dev/null; then
      readlink -f "$candidate"
      return
    fi
  done
  return 1
}

setup_spark() {
  if [ ! -x .venv/bin/spark-submit ]; then
    lacks 'pyspark: it comes with the python part'
    return
  fi
  local java
  if ! java=$(find_java); then
    can_install && { debian openjdk-17-jre-headless || debian default-jre-headless; }
    if ! java=$(find_java); then
      lacks "Java $oldest_java or newer: install a JRE and set JAVA_HOME (Debian: openjdk-17-jre-headless)"
      return
    fi
  fi
  export JAVA_HOME="${java%/bin/java}"
  if is_current .ivy/.referees-lock "$delta_spark $JAVA_HOME"; then
    say "spark: Java in $JAVA_HOME and the jars of $delta_spark are there"
    return
  fi
  say "spark: Java in $JAVA_HOME; jars of $delta_spark from Maven (about 30 MB)"
  mkdir -p .ivy
  if .venv/bin/python spark_jars.py "$delta_spark" "$PWD/.ivy" >.ivy/setup.log 2>&1; then
    printf '%s' "$JAVA_HOME" >.ivy/java-home
    printf '%s' "$delta_spark $JAVA_HOME" >.ivy/.referees-lock
  else
    tail -n 15 .ivy/setup.log >&2
    lacks "jars of $delta_spark: all that Spark said is in referees/.ivy/setup.log"
  fi
}

setup_mosquitto() {
  if [ -x /usr/sbin/mosquitto ] || [ -x /usr/local/sbin/mosquitto ]; then
    say 'mosquitto: it is there'
    return
  fi
  can_install && debian mosquitto
  [ -x /usr/sbin/mosquitto ] || lacks 'mosquitto, an MQTT broker (Debian: apt-get install mosquitto)'
}

for part in "${parts[@]}"; do
  case "$part" in
    npm | python | spark | mosquitto) "setup_$part" ;;
    *)
      echo "no part $part; there are npm, python, spark, mosquitto" >&2
      exit 2
      ;;
  esac
done

if [ ${#missing[@]} -gt 0 ]; then
  say 'not everything is installed:'
  printf '  - %s\n' "${missing[@]}"
  exit 1
fi
say "referees are ready ($(du -sh . | cut -f1)): npm run verify -- S1 S2 C1"
