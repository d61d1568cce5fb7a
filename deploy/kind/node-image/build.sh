# shellcheck shell=bash
# The node image: a Debian that boots systemd in a container, with containerd, kubelet, kubeadm, and the control plane's
# images already in containerd's store. What kind's own image is, from parts of our own. Sourced, never run.

node_files=$here/node-image
node_debian=$cache/node-debian
node_tree=$cache/node-tree
node_packages=(systemd systemd-sysv dbus containerd runc iptables nftables conntrack iproute2 ethtool socat util-linux
  mount kmod procps jq hostname containernetworking-plugins ca-certificates libseccomp2)

kubernetes_version() { version_of kubernetes k8s.io/kubernetes; }
node_image() { echo "firedrill/node:$(kubernetes_version)"; }

make_node_debian() { make_part node-debian bootstrap_debian "${node_packages[*]}"; }

make_node_image() {
  local image
  image=$(node_image)
  docker image inspect "$image" >/dev/null 2>&1 || rm -f "$cache/node-image.made-from"
  make_part node-image build_node_image "$node_files"/* "$cache"/{node-debian,kubernetes,kubectl,etcd,coredns,pause}.made-from
}

bootstrap_debian() {
  local packages
  rm -rf "$node_debian"
  packages=$(IFS=, && echo "${node_packages[*]}")
  quietly with_packages debootstrap --variant=minbase --merged-usr --include="$packages" \
    bookworm "$node_debian" "$(debian_mirror)"
  rm -rf "$node_debian"/var/{cache/apt,lib/apt/lists,log}/* "$node_debian"/usr/share/{doc,man,locale}/*
}

# The mirror that apt uses on this machine.
# shellcheck disable=SC2016  # an apt word, not a shell one
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep --max-count 1 '/debian/$'; }

build_node_image() {
  rm -rf "$node_tree"
  cp -a "$node_debian" "$node_tree"
  install_node_files
  trim_systemd
  bake_images
  # `docker import` cannot say how the container is stopped or started, so a second step does.
  tar -C "$node_tree" --numeric-owner --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' -c . |
    quietly docker import - firedrill/node-tree
  quietly docker build --tag "$(node_image)" "$node_files"
  rm -rf "$node_tree"
}

install_node_files() {
  install -m755 "$bin"/{kubelet,kubectl,kubeadm} "$node_tree/usr/bin/"
  install -m755 "$node_files/entrypoint" "$node_tree/usr/local/bin/"
  install -m644 "$node_files"/{containerd,kubelet}.service "$node_tree/etc/systemd/system/"
  install -D -m644 "$node_files/containerd.toml" "$node_tree/etc/containerd/config.toml"
  sed -i "s|@PAUSE@|$(name_for_kubeadm pause)|" "$node_tree/etc/containerd/config.toml"
  install -m644 "$node_files/cni.template" "$node_tree/etc/containerd/"
  mkdir -p "$node_tree"/etc/{cni/net.d,kubernetes/manifests,systemd/journald.conf.d} "$node_tree/kind/manifests"
  # What kind reads: the version, and what it applies as the default storage class and network.
  kubernetes_version | tr -d '\n' >"$node_tree/kind/version"
  install -m644 "$node_files"/default-{storage,cni}.yaml "$node_tree/kind/manifests/"
  echo 'KUBELET_EXTRA_ARGS=--runtime-cgroups=/system.slice/containerd.service' >"$node_tree/etc/default/kubelet"
  # The kernel's log is the machine's, not the node's.
  printf '[Journal]\nReadKMsg=no\n' >"$node_tree/etc/systemd/journald.conf.d/node.conf"
}

# Of systemd's units only those stay that a container needs.
trim_systemd() {
  local units=$node_tree/lib/systemd/system own=$node_tree/etc/systemd/system
  rm -f "$own"/*.wants/* "$units"/{multi-user,local-fs,basic}.target.wants/* \
    "$units"/sysinit.target.wants/systemd-tmpfiles-setup.service "$units"/sockets.target.wants/*{udev,initctl}*
  quietly chroot "$node_tree" systemctl enable containerd.service kubelet.service
  quietly chroot "$node_tree" systemctl mask systemd-binfmt.service systemd-udevd.service getty.target console-getty.service
  ln -sf /lib/systemd/system/multi-user.target "$own/default.target"
}

# The name and tag under which kubeadm will ask for an image.
name_for_kubeadm() {
  "$bin/kubeadm" config images list --kubernetes-version "$(kubernetes_version)" 2>/dev/null | grep "/$1:"
}

bake_images() {
  local program images=()
  for program in kube-apiserver kube-controller-manager kube-scheduler etcd coredns pause; do
    images+=("$(name_for_kubeadm "$program")")
    image_from_scratch "${images[-1]}" 0 "$program" "$bin/$program"
  done
  images+=("$(name_for_kubeadm kube-proxy)")
  # shellcheck disable=SC2046  # a list of paths, none with spaces
  image_from_scratch "${images[-1]}" 0 kube-proxy "$bin/kube-proxy" $(kube_proxy_files)
  docker save "${images[@]}" | quietly unshare --mount --pid --fork --kill-child "$node_files/bake" "$node_tree"
  quietly docker image rm "${images[@]}"
}

# kube-proxy calls iptables and nft, which need their libraries and those of every extension: without libm for
# `statistic`, Services with two endpoints fail without a word.
kube_proxy_files() {
  local libraries name
  libraries=$(dirname "$(chroot "$node_tree" sh -c 'ls -d /usr/lib/*/xtables')")
  for name in {ip,ip6}tables{,-save,-restore}; do echo "$node_tree/usr/sbin/xtables-nft-multi=usr/sbin/$name"; done
  echo "$node_tree/usr/sbin/nft=usr/sbin/nft" "$node_tree$libraries/xtables=${libraries#/}/xtables"
  chroot "$node_tree" sh -c "ldd /usr/sbin/nft /usr/sbin/xtables-nft-multi $libraries/xtables/*.so" |
    grep -oE '/[^ :]+\.so[^ :)]*' | grep -v /xtables/ | sort -u | while read -r name; do
    echo "$node_tree$name=${name#/}"
  done
}
