#!/usr/bin/env bash
# Builds the Kubernetes that the tests run on, once, into a cache outside the checkout.
#
#   testbed/build.sh [controlplane|containerd|all]
#
# Prints the folder of each part asked for on standard output, one a line (all: control plane first). The folder's
# name carries a hash of what goes into the build, so an unchanged part is found again at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/testbed
kubernetes=v1.37.2
# Without these the API server calls itself v0.0.0 and version checks of clients and charts go wrong.
version=k8s.io/component-base/version
kubernetes_flags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=37"
containerd_flags="-s -w -X github.com/containerd/containerd/v2/version.Version=v2.4.2"
containerd_tags="no_btrfs no_devmapper no_zfs"

say() { echo "testbed: $*" >&2; }

if ! command -v go >/dev/null; then
  say "cannot build a Kubernetes without Go (1.26.6 or newer): install it from https://go.dev/dl or your distribution"
  exit 3
fi

# The commit is not in the key, so it must not be in the binary either; the committed go.sum pins every module.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false"

key() { # part, flags
  { go version; echo "$2"; cd "$here/$1" && for file in go.mod go.sum $(ls -- *.go 2>/dev/null); do echo "$file"; cat "$file"; done; } |
    sha256sum | cut -c1-16
}

compile_controlplane() { # target folder
  (cd "$here/controlplane" && go build -trimpath -ldflags "$kubernetes_flags" -o "$1/reeve-kubernetes" .)
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl; do
    ln -s reeve-kubernetes "$1/$name"
  done
}

compile_containerd() { # target folder
  local package=github.com/containerd/containerd/v2/cmd
  (cd "$here/containerd" && go build -trimpath -tags "$containerd_tags" -ldflags "$containerd_flags" -o "$1/" \
    "$package/containerd" "$package/containerd-shim-runc-v2" "$package/ctr")
}

build() { # part, flags, what to expect
  local part=$1 folder started heartbeat temporary
  folder=$cache/$part-$(key "$part" "$2")
  if [ ! -d "$folder" ]; then
    mkdir -p "$cache"
    # Tests of several crates may ask at once: one builds, the others wait and find it done.
    exec 9>"$cache/$part.lock"
    flock 9
    if [ ! -d "$folder" ]; then
      started=$SECONDS
      say "building $part ($3); the result stays in $cache"
      (while sleep 30; do say "still building $part, $((SECONDS - started)) s"; done) 9>&- &
      heartbeat=$!
      temporary=$(mktemp -d "$cache/.$part.XXXXXX")
      # shellcheck disable=SC2064
      trap "kill $heartbeat 2>/dev/null || true; rm -rf '$temporary'" EXIT
      "compile_$part" "$temporary" >&2 9>&-
      chmod 0755 "$temporary"
      mv "$temporary" "$folder"
      kill "$heartbeat" 2>/dev/null || true
      trap - EXIT
      # What nobody has used for a month belongs to an older checkout.
      find "$cache" -maxdepth 1 -type d -name "$part-*" -mtime +30 -exec rm -rf {} +
      say "built $part in $((SECONDS - started)) s"
    fi
    exec 9>&-
  fi
  touch "$folder"
  echo "$folder"
}

controlplane() { build controlplane "$kubernetes_flags" "Kubernetes $kubernetes; about 7 minutes on 2 cores the first time"; }
containerd() { build containerd "$containerd_flags $containerd_tags" "containerd 2.4.2; about 1 minute on 2 cores the first time"; }

case "${1:-all}" in
controlplane) controlplane ;;
containerd) containerd ;;
all) controlplane && containerd ;;
*)
  say "unknown part \`$1\`: say controlplane, containerd or all"
  exit 2
  ;;
esac
