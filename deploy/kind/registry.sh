# shellcheck shell=bash
# A drill ground from a container registry: the stock node image and the official charts. Sourced by `up` and `down`.
#
# source.sh has the same verbs. Needs docker, kind, kubectl and helm.

stock_node_image=kindest/node:v1.34.0
argo_chart_version=2.41.0
# Below 28: from there on the chart's own scrape jobs stand elsewhere in its values, and ours would not replace them.
prometheus_chart_version=27.19.0

prepare() {
  local program
  for program in docker kind kubectl helm; do
    command -v "$program" >/dev/null || die "a drill ground from a registry needs $program; --from source needs none of it"
  done
}

can_pull() {
  command -v docker >/dev/null && docker info >/dev/null 2>&1 &&
    { docker image inspect "$stock_node_image" || docker pull "$stock_node_image"; } >/dev/null 2>&1
}

create_cluster() { quietly kind create cluster --name "$cluster" --image "$stock_node_image" --wait 120s; }

load_image() { quietly kind load docker-image --name "$cluster" "$1"; }

install_argo() {
  quietly helm upgrade --install argo-rollouts argo-rollouts --repo https://argoproj.github.io/argo-helm \
    --version "$argo_chart_version" --namespace argo-rollouts --values "$here/values/argo-rollouts.yaml"
}

# The scrape jobs stand deep inside the chart's values; a second file puts them there.
install_prometheus() {
  { printf 'serverFiles:\n  prometheus.yml:\n    scrape_configs:\n' && sed 's/^/      /' "$here/values/scrape.yaml"; } |
    quietly helm upgrade --install prometheus prometheus --repo https://prometheus-community.github.io/helm-charts \
      --version "$prometheus_chart_version" --namespace monitoring --values "$here/values/prometheus.yaml" --values -
}

# The cluster's API listens on loopback: nothing stands in between.
reach() { :; }

ground_is_up() { [ -f "$ground/ready" ] && kind get clusters 2>/dev/null | grep -qx "$cluster"; }

clear_ground() {
  quietly kind delete cluster --name "$cluster"
  rm -rf "$ground"
}
