# shellcheck shell=bash
# What every script here shares: names, places, and how to speak. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Everything that is worth keeping between runs: unpacked packages, programs, Docker's images.
# `down` leaves it; `rm -r` it to get the disk back.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/firedrill-ci/kind
# Everything that belongs to one drill ground: sockets, process id, kubeconfig, logs. `down` removes it.
ground=$cache/ground
# kubectl's context is then `kind-firedrill`: a name that firedrill accepts as a drill ground.
cluster=firedrill
export KUBECONFIG=$ground/kubeconfig

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Runs a command whose output matters only when it fails.
quietly() {
  local log status=0
  log=$(mktemp "$cache/scratch.XXXX")
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" != 0 ]; then
    tail -n 60 "$log" >&2
    printf 'failed with %s: %s\n' "$status" "$*" >&2
  fi
  rm -f "$log"
  return "$status"
}

# Field 22 of /proc/PID/stat, counted behind the program's name, which may contain anything. A process id comes round
# again; together with this it does not.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
lives() { [ -n "${1:-}" ] && [ "$(started_at "$1")" = "${2:-}" ]; }

# One `up` or `down` at a time. What a killed one has started holds its lock on, and is ended here: it would go on
# building a drill ground that nobody waits for.
lock() {
  local holder='' since=''
  mkdir -p "$cache"
  exec 9<>"$cache/lock"
  if ! flock --nonblock 9; then
    read -r holder since <"$cache/lock" || true
    ! lives "$holder" "$since" || die "process $holder is working on this drill ground; wait until it has ended"
    end_lock_holders
    flock --wait 10 9 || die "what a killed run has started holds $cache/lock and does not end"
  fi
  rm -rf "$cache"/scratch.*
  echo "$$ $(started_at $$)" >"$cache/lock"
}

end_lock_holders() {
  local other
  for other in $(find /proc/[0-9]*/fd -lname "$cache/lock" 2>/dev/null | cut -d/ -f3 | sort -u); do
    [ "$other" = $$ ] || kill -KILL "$other" 2>/dev/null || true
  done
}

# Refuses to start twice; what a killed run has left is cleared away.
clear_leftover() {
  [ -f "$ground/from" ] || { rm -rf "$ground" && return; }
  (
    . "$here/$(cat "$ground/from").sh"
    ! ground_is_up || die "the drill ground is up already (KUBECONFIG=$KUBECONFIG); deploy/kind/down removes it"
    say 'clearing away what a killed run has left'
    clear_ground
  )
}

how_to_use() {
  local prefix
  prefix=$(reach)
  cat <<END

export KUBECONFIG=$KUBECONFIG
${prefix:+$prefix }kubectl get pods --all-namespaces
END
}
