# shellcheck shell=bash
# A Docker engine of our own, for machines that have none. Sourced, never run.
#
# The engine lives in namespaces of its own: processes, mounts and network. Whatever it starts ends with its first
# process, whatever it mounts or connects goes with the last, and no SIGKILL can change that. What is left to clear away
# by hand are cgroups and a few kernel settings, because no namespace holds those.

engine_socket=$ground/docker.sock
engine_pid=$ground/engine.pid
engine_log=$ground/engine.log
# Containers' cgroups are made below this one, so that they can be told from anybody else's.
engine_cgroup=firedrill-kind

# kubelet sets these for the whole machine and never puts them back.
kubelet_settings=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops
  kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# The first process inside, if it lives.
engine_process() {
  local pid started
  { read -r pid started <"$engine_pid"; } 2>/dev/null && lives "$pid" "$started" && echo "$pid"
}

# Runs a command beside the engine's network; the cluster can be reached from nowhere else. Not `ip netns exec`, which
# mounts another /sys and so hides the cgroups from containers.
beside_engine() { nsenter --target "$(engine_process)" --net "$@"; }

engine_start() {
  export DOCKER_HOST=unix://$engine_socket
  sysctl "${kubelet_settings[@]}" >"$ground/sysctl" 2>/dev/null || true
  rm -f "$engine_pid"
  setsid unshare --fork --kill-child --pid --mount-proc --mount --net \
    "$here/engine/inside" "$cache" "$ground" "$engine_cgroup" >"$engine_log" 2>&1 </dev/null 9>&- &
  local outer=$! inner=
  for _ in $(seq 100); do
    inner=$(pgrep --parent "$outer" 2>/dev/null) || inner=
    [ -z "$inner" ] || [ -s "$engine_pid" ] || echo "$inner $(started_at "$inner")" >"$engine_pid"
    docker info >/dev/null 2>&1 && return 0
    [ -d "/proc/$outer" ] || break
    sleep 0.2
  done
  tail -n 30 "$engine_log" >&2
  die "the Docker engine did not start"
}

# Also clears away what a killed run left.
engine_stop() {
  local pid
  if pid=$(engine_process); then
    kill -KILL "$pid"
    while [ -d "/proc/$pid" ]; do sleep 0.1; done
  fi
  # A cgroup stays busy for a moment after its last process.
  for _ in $(seq 50); do
    find /sys/fs/cgroup -depth -type d -path "*/$engine_cgroup*" -exec rmdir {} + 2>/dev/null || true
    [ -n "$(find /sys/fs/cgroup -type d -name "$engine_cgroup" -print -quit)" ] || break
    sleep 0.1
  done
  [ ! -f "$ground/sysctl" ] || sysctl -q -p "$ground/sysctl" >/dev/null
  rm -rf "$ground"
}
