#!/usr/bin/env bash
# Builds the Kubernetes that the tests run on, once, into a cache outside the checkout.
#
#   testbed/build.sh [controlplane|containerd|tools|all|kueue|kserve|certmanager|scan|fixtures|kinds|wycheproof]
#
# `all` builds neither Kueue nor KServe, which only tests of queues and of model serving want, nor cert-manager, nor what scans the
# charts.
# `fixtures` builds nothing: it prints where the pods are that Kubernetes itself tests Pod Security with, as the module of the control
# plane has them. `kinds` builds nothing either: it copies the custom resource definitions of others out of their modules, one folder a
# project. Nor does `wycheproof`: it copies the vectors for JOSE of the module of that name.
#
# Prints the folder of each part asked for on standard output, one a line (all: control plane first). The folder's
# name carries a hash of what goes into the build, so an unchanged part is found again at once.
# tools: Helm and CoreDNS.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${REEVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/reeve}/testbed
kubernetes=v1.37.2
# Without these the API server calls itself v0.0.0 and version checks of clients and charts go wrong.
version=k8s.io/component-base/version
kubernetes_flags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=37"
containerd_flags="-s -w -X github.com/containerd/containerd/v2/version.Version=v2.4.2"
containerd_tags="no_btrfs no_devmapper no_zfs"
# Without the last ones Helm takes every chart for one of Kubernetes 1.20.
tools_flags="-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0"
for package in chartutil lint/rules; do
  tools_flags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=37"
done

say() { echo "testbed: $*" >&2; }

if ! command -v go >/dev/null; then
  say "cannot build a Kubernetes without Go (1.26.6 or newer): install it from https://go.dev/dl or your distribution"
  exit 3
fi

# The commit is not in the key, so it must not be in the binary either; the committed go.sum pins every module.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false"

key() { # part, flags, folder of its module
  { go version; echo "$2"; cd "$here/$3" && for file in go.mod go.sum $(ls -- *.go */*.go 2>/dev/null); do echo "$file"; cat "$file"; done; } |
    sha256sum | cut -c1-16
}

compile_controlplane() { # target folder
  (cd "$here/controlplane" && go build -trimpath -ldflags "$kubernetes_flags" -o "$1/reeve-kubernetes" .)
  for name in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
    ln -s reeve-kubernetes "$1/$name"
  done
}

compile_containerd() { # target folder
  local package=github.com/containerd/containerd/v2/cmd
  (cd "$here/containerd" && go build -trimpath -tags "$containerd_tags" -ldflags "$containerd_flags" -o "$1/" \
    "$package/containerd" "$package/containerd-shim-runc-v2" "$package/ctr")
}

compile_tools() { # target folder
  (cd "$here/tools" && go build -trimpath -ldflags "$tools_flags" -o "$1/" ./coredns helm.sh/helm/v3/cmd/helm)
}

compile_kueue() { # target folder
  local source
  source=$(cd "$here/peers/kueue" && go list -m -f '{{.Dir}}' sigs.k8s.io/kueue)
  (cd "$here/peers/kueue" && go build -trimpath -ldflags "-s -w" -o "$1/" sigs.k8s.io/kueue/cmd/kueue)
  cp -r "$source/config/components" "$1/components"
  chmod -R u+w "$1/components"
}

# The program, its definitions and webhooks, its chart's account and rights, and Gateway API's definition of routes. The definition of InferenceServices is the full
# one, which refuses fields that it does not know; the others, of which nothing is made, are those that cost the API server little.
compile_kserve() { # target folder
  local source routes
  (cd "$here/peers/kserve" && go build -trimpath -ldflags "-s -w" -o "$1/kserve-manager" github.com/kserve/kserve/cmd/manager)
  source=$(cd "$here/peers/kserve" && go list -m -f '{{.Dir}}' github.com/kserve/kserve)
  routes=$(cd "$here/serving" && go mod download sigs.k8s.io/gateway-api && go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)
  mkdir "$1/definitions"
  cp "$source"/config/crd/minimal/serving.kserve.io_*.yaml "$1/definitions/"
  chmod -R u+w "$1/definitions"
  cp "$source/config/crd/full/serving.kserve.io_inferenceservices.yaml" "$1/definitions/"
  cp "$routes/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" "$1/definitions/"
  cp "$source/config/webhook/manifests.yaml" "$1/webhooks.yaml"
  cp "$source/charts/kserve-resources/files/kserve/resources.yaml" "$1/resources.yaml"
  chmod -R u+w "$1"
}

# The program, and its definitions.
compile_certmanager() { # target folder
  local source
  (cd "$here/peers/certmanager" && go build -trimpath -ldflags "-s -w" -o "$1/cert-manager" .)
  source=$(cd "$here/peers/certmanager" && go list -m -f '{{.Dir}}' github.com/cert-manager/cert-manager)
  mkdir "$1/definitions"
  cp "$source"/deploy/crds/*.yaml "$1/definitions/"
  chmod -R u+w "$1/definitions"
}

# With the OpenAPI document of the API server that the tests run on.
compile_scan() { # target folder
  (cd "$here/scan" && go build -trimpath -ldflags "-s -w" -o "$1/" github.com/yannh/kubeconform/cmd/kubeconform \
    github.com/zegl/kube-score/cmd/kube-score)
  local kubernetes_folder
  kubernetes_folder=$(cd "$here/controlplane" && go mod download k8s.io/kubernetes && go list -m -f '{{.Dir}}' k8s.io/kubernetes)
  install -m 0644 "$kubernetes_folder/api/openapi-spec/swagger.json" "$1/swagger.json"
}

build() { # part, flags, what to expect, folder of its module
  local part=$1 folder started heartbeat temporary
  folder=$cache/$part-$(key "$part" "$2" "${4:-$part}")
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
tools() { build tools "$tools_flags" "Helm 3.22.0 and CoreDNS 1.14.6; about 1 minute on 2 cores the first time"; }
kueue() { build kueue "-s -w" "the real Kueue; about 4 minutes on 2 cores the first time" peers/kueue; }
kserve() {
  build kserve "-s -w resources $(sha256sum <"$here/serving/go.sum")" "the real KServe; about 3 minutes on 2 cores the first time" peers/kserve
}
certmanager() { build certmanager "-s -w" "the real cert-manager; about 1 minute on 2 cores after the control plane" peers/certmanager; }
scan() { build scan "-s -w $kubernetes" "kubeconform and kube-score; about 1 minute on 2 cores the first time"; }
fixtures() {
  cd "$here/controlplane"
  go mod download k8s.io/pod-security-admission >&2
  echo "$(go list -m -f '{{.Dir}}' k8s.io/pod-security-admission)/test/testdata"
}

# project, module, version, sum of the module, and which files are its definitions
definitions="
kuberay github.com/ray-project/kuberay/ray-operator v1.5.0 h1:KCjCQ7PSsvs9Ke+90CZbbs498nuaIJ/JkXk4vd54EVg= config/crd/bases/*.yaml
certmanager github.com/cert-manager/cert-manager v1.21.1 h1:0LttV37Q5c2CBNoHkjuI8sLKTXWZDC2SwQkxrBMKV9w= deploy/crds/cert-manager.io_*.yaml
openshift github.com/openshift/api v0.0.0-20250207102212-9e59a77ed2e0 h1:5n8BKML7fkmR4tz81WI0jc722rbta4t7pzT21lcd/Ec= security/v1/zz_generated.crd-manifests/*securitycontextconstraints-Default.crd.yaml
prometheus github.com/prometheus-operator/prometheus-operator v0.93.0 h1:AohlYJT+En8TmNpAcEUJ3GsaJTAqfEBwHmGTVpRm/Io= example/prometheus-operator-crd/*_servicemonitors.yaml
"

# Prints the folder of a module whose sum was reviewed.
reviewed() { # module, version, sum
  local found
  found=$(cd / && GOFLAGS=-mod=mod go mod download -json "$1@$2")
  if ! grep -qF "\"Sum\": \"$3\"" <<<"$found"; then
    say "$1 $2 is not what was reviewed: its sum is not $3"
    return 1
  fi
  sed -n 's/^.*"Dir": "\(.*\)",*$/\1/p' <<<"$found"
}

# Prints a folder of files of others, named by what determines them, and copied by a function once.
copied() { # name, what determines it, function that copies into the folder it is given
  local folder temporary
  folder=$cache/$1-$(echo "$2" | sha256sum | cut -c1-16)
  mkdir -p "$cache"
  exec 9>"$cache/$1.lock"
  flock 9
  if [ ! -d "$folder" ]; then
    temporary=$(mktemp -d "$cache/.$1.XXXXXX")
    if ! "$3" "$temporary"; then
      rm -rf "$temporary"
      exit 1
    fi
    chmod -R u+w "$temporary"
    chmod 0755 "$temporary"
    mv "$temporary" "$folder"
  fi
  exec 9>&-
  echo "$folder"
}

copy_kinds() { # target folder
  local project module version sum files source
  while read -r project module version sum files; do
    [ -n "$project" ] || continue
    source=$(reviewed "$module" "$version" "$sum") || return 1
    mkdir "$1/$project" && cp "$source"/$files "$1/$project/" || return 1
  done <<<"$definitions"
}

kinds() { copied kinds "$definitions" copy_kinds; }

# module, version and sum of the module
vectors="github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a h1:pNbL2nztRsWfW/ispAwsvcDFxs9Id38uIsR2/Up5G2c="

copy_vectors() { # target folder
  local module version sum source
  read -r module version sum <<<"$vectors"
  source=$(reviewed "$module" "$version" "$sum") || return 1
  cp "$source"/testvectors_v1/json_web_*_test.json "$1/"
}

wycheproof() { copied wycheproof "$vectors" copy_vectors; }

case "${1:-all}" in
controlplane) controlplane ;;
containerd) containerd ;;
tools) tools ;;
all) controlplane && containerd && tools ;;
kueue) kueue ;;
kserve) kserve ;;
certmanager) certmanager ;;
scan) scan ;;
fixtures) fixtures ;;
kinds) kinds ;;
wycheproof) wycheproof ;;
*)
  say "unknown part \`$1\`: say controlplane, containerd, tools, all, kueue, kserve, certmanager, scan, fixtures, kinds or wycheproof"
  exit 2
  ;;
esac
