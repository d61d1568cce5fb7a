# shellcheck shell=bash
# Parts from source: Debian packages and Go modules, and nothing else. Sourced, never run.
#
# A part is made once and kept in the cache with a digest of what it was made from; it is made again when that changes.

bin=$cache/bin
debian=$cache/debian
go_modules=$here/go
packages=(docker.io debootstrap iptables)

# make_part NAME FUNCTION INPUT...    an input is a file, or any text
make_part() {
  local name=$1 recipe=$2 stamp=$cache/$1.made-from now input
  shift 2
  now=$(for input; do if [ -f "$input" ]; then sha256sum <"$input"; else echo "$input"; fi; done)
  [ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || return 0
  say "making $name"
  rm -f "$stamp"
  "$recipe"
  echo "$now" >"$stamp"
}

require_debian() {
  [ "$(id -u)" = 0 ] || die "parts from source need root: namespaces, mounts and cgroups are made by hand"
  command -v apt-get >/dev/null || die "parts from source need Debian's apt-get"
  command -v go >/dev/null || die "parts from source need Go 1.26 or newer"
}

make_packages() { make_part debian unpack_packages "${packages[*]}"; }

# What a cluster is made of.
make_cluster_programs() {
  mkdir -p "$bin"
  make_go_part kubernetes kubernetes
  make_go_part kubernetes kubectl
  make_go_part etcd etcd
  make_go_part coredns coredns
  make_go_part kind kind
  make_part pause build_pause "$here/node-image/pause.go"
}
# What is put on it.
make_guest_programs() {
  make_go_part kubernetes argo_rollouts
  make_go_part prometheus prometheus
}
make_go_part() { make_part "$2" "build_$2" "$go_modules/$1"/* "$(go version)" "${compiler[*]}"; }

# Unpacked, not installed: no service gets started, and the machine stays as it was.
unpack_packages() {
  rm -rf "$debian"
  mkdir -p "$debian/usr/sbin" "$debian/archives/partial"
  fetch_packages || { quietly apt-get update && fetch_packages; }
  local name
  for name in "$debian"/archives/*.deb; do dpkg -x "$name" "$debian"; done
  rm -r "$debian/archives"
  # The package makes these links when it is installed.
  for name in {ip,ip6}tables{,-save,-restore}; do ln -sf xtables-nft-multi "$debian/usr/sbin/$name"; done
}

# apt fetches only what the machine lacks. Its sandbox user may not write to the cache, hence root.
fetch_packages() {
  quietly apt-get install --download-only --yes --no-install-recommends -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=120 \
    -o Dir::Cache::archives="$debian/archives" "${packages[@]}"
}

# Runs a command on a machine that has the packages: for it alone they are laid over /usr.
with_packages() {
  # shellcheck disable=SC2016  # meant for the inner shell
  unshare --mount sh -c 'mount -t overlay -o "lowerdir=$0/usr:/usr" firedrill-usr /usr && exec "$@"' "$debian" "$@"
}

version_of() { (cd "$go_modules/$1" && go list -m -f '{{.Version}}' "$2"); }
folder_of() { (cd "$go_modules/$1" && go mod download "$2" && go list -m -f '{{.Dir}}' "$2"); }

# Nobody debugs these programs, and they wait more than they work: without notes for debuggers and, outside of Go's own
# library, without inlining, they are compiled in little more than half the time.
compiler=(-gcflags='all=-dwarf=false -l' -gcflags='std=-dwarf=false')

# build MODULE LINKER-SETTINGS [FLAG...] PACKAGE...    static programs, named after their package
build() {
  local module=$1 settings=$2 scratch
  shift 2
  # Go's own scratch folder, too, is one that the next run finds and clears.
  scratch=$(mktemp -d "$cache/scratch.XXXX")
  # Go compiles etcd with 99 to 104 s of processor time instead of 115 to 127 s when it may leave more garbage lying.
  (cd "$go_modules/$module" && GOGC=400 CGO_ENABLED=0 GOTMPDIR=$scratch nice \
    go build -trimpath -buildvcs=false "${compiler[@]}" -ldflags="-s -w $settings" -o "$bin/" "$@")
  rm -rf "$scratch"
}

build_kubernetes() {
  build kubernetes "$(kubernetes_settings)" k8s.io/kubernetes/cmd/{kubeadm,kubelet,kube-apiserver} \
    k8s.io/kubernetes/cmd/{kube-controller-manager,kube-scheduler,kube-proxy}
}
build_kubectl() { build kubernetes "$(kubernetes_settings)" k8s.io/kubernetes/cmd/kubectl; }

# A Kubernetes that is not told its version calls itself v0.0.0, and kubeadm will not have it.
kubernetes_settings() {
  local version minor
  version=$(version_of kubernetes k8s.io/kubernetes)
  minor=${version#v1.}
  printf -- '-X k8s.io/component-base/version.%s ' "gitVersion=$version" gitMajor=1 "gitMinor=${minor%%.*}"
}

# Argo's module pulls in the same Kubernetes: one module for both compiles it once.
build_argo_rollouts() { build_argo rollouts-controller; }
# No drill needs it. `.ci/argo` does.
build_argo_plugin() { build_argo kubectl-argo-rollouts; }
build_argo() {
  local version
  version=$(version_of kubernetes github.com/argoproj/argo-rollouts)
  build kubernetes "-X github.com/argoproj/argo-rollouts/utils/version.version=${version#v}" \
    "github.com/argoproj/argo-rollouts/cmd/$1"
}

build_etcd() {
  build etcd '' go.etcd.io/etcd/server/v3
  mv "$bin/server" "$bin/etcd"
}

build_coredns() { build coredns '' .; }
build_kind() { build kind '' sigs.k8s.io/kind; }
# Only pods are discovered: the software kits of twenty clouds stay out.
build_prometheus() {
  build prometheus '' -tags remove_all_sd,enable_kubernetes_sd github.com/prometheus/prometheus/cmd/prometheus
}
build_pause() { CGO_ENABLED=0 go build -ldflags='-s -w' -o "$bin/pause" "$here/node-image/pause.go"; }

# image_from_scratch IMAGE USER PROGRAM FILE[=PATH]...    a file without a path goes to /usr/local/bin; links are followed
image_from_scratch() {
  local image=$1 user=$2 program=$3 file path context
  shift 3
  context=$(mktemp -d "$cache/scratch.XXXX")
  mkdir -p "$context/root/tmp" && chmod 1777 "$context/root/tmp"
  for file; do
    path=usr/local/bin/$(basename "$file")
    [ "${file%=*}" = "$file" ] || path=${file#*=}
    mkdir -p "$context/root/$(dirname "$path")"
    cp -rL "${file%=*}" "$context/root/$path"
  done
  printf 'FROM scratch\nCOPY root/ /\nUSER %s\nENTRYPOINT ["/usr/local/bin/%s"]\n' "$user" "$program" >"$context/Dockerfile"
  quietly docker build --tag "$image" "$context"
  rm -r "$context"
}
