# shellcheck shell=bash
# A drill ground from source: no registry, no Docker, nothing but Debian and Go. Sourced by `up` and `down`.
#
# registry.sh has the same verbs: prepare, create_cluster, load_image, install_argo, install_prometheus, reach,
# ground_is_up, clear_ground.

. "$here/parts.sh"
. "$here/engine/engine.sh"
. "$here/node-image/build.sh"

# The cluster can be reached from beside the engine only.
kubectl() { beside_engine "$bin/kubectl" "$@"; }
kind() { beside_engine "$bin/kind" "$@"; }

prepare() {
  # A machine that brings its own `docker` has it behind this one.
  export PATH=$debian/usr/bin:$PATH
  require_debian
  make_packages
  # Fetching and unpacking leave a processor idle that can compile.
  make_node_debian &
  local node=$!
  make_cluster_programs
  # Compiled while the node image is made and the cluster starts, which wait more than they work.
  make_guest_programs &
  guests=$!
  engine_start
  wait "$node" || die 'the node has no Debian'
  make_node_image
  forget_containers
}

# Containers of a run that was killed: their processes are gone, Docker's memory of them is not.
forget_containers() {
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
  docker volume prune --force >/dev/null
}

create_cluster() {
  quietly kind create cluster --name "$cluster" --image "$(node_image)" --config "$here/node-image/cluster.yaml" --wait 120s
}

load_image() { quietly kind load docker-image --name "$cluster" "$1"; }

install_argo() {
  local version image manifests
  wait "$guests" || die 'Argo Rollouts and Prometheus could not be compiled'
  version=$(version_of kubernetes github.com/argoproj/argo-rollouts)
  manifests=$(folder_of kubernetes github.com/argoproj/argo-rollouts)/manifests
  image=firedrill/argo-rollouts:$version
  # 999 is the user of the official image.
  image_from_scratch "$image" 999 rollouts-controller "$bin/rollouts-controller"
  load_image "$image"
  # The flag, and why, as in values/argo-rollouts.yaml.
  sed "s|image: quay.io/argoproj/argo-rollouts:.*|image: $image\n        args: [--self-service-notification-enabled]|
    s|imagePullPolicy: Always|imagePullPolicy: Never|" "$manifests/install.yaml" | quietly kubectl apply --server-side --namespace argo-rollouts --filename -
}

install_prometheus() {
  # 65534 is "nobody", as in the official image.
  image_from_scratch firedrill/prometheus:local 65534 prometheus "$bin/prometheus"
  load_image firedrill/prometheus:local
  { printf 'global: {scrape_interval: 5s, scrape_timeout: 4s, evaluation_interval: 5s}\nscrape_configs:\n' && cat "$here/values/scrape.yaml"; } |
    kubectl create configmap prometheus --namespace monitoring --from-file prometheus.yml=/dev/stdin \
      --dry-run=client --output yaml | quietly kubectl apply --filename -
  quietly kubectl apply --filename "$here/manifests/prometheus.yaml"
}

reach() { echo "nsenter --target $(engine_process) --net"; }

ground_is_up() { [ -f "$ground/ready" ] && engine_process >/dev/null; }

# The engine takes the cluster with it. What is left are the container's files, for the next `up` to overwrite or `down`
# to remove while the engine still runs.
clear_ground() {
  export PATH=$debian/usr/bin:$PATH DOCKER_HOST=unix://$engine_socket
  ! engine_process >/dev/null || forget_containers || true
  engine_stop
}
