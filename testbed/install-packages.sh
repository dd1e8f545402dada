#!/usr/bin/env bash
# Installs what tests need from Debian, a real node and a PostgreSQL; says nothing when all of it is there.
#
# runc starts the containers, containernetworking-plugins gives them an address, busybox-static is the content of the
# test images, iproute2 makes the node's bridge, nftables writes kube-proxy's rules, postgresql-15 is run by the tests themselves,
# unprivileged in a temporary folder: the package starts no server of its own; pgbouncer is the pooler before it, run by the tests
# likewise. xmlsec1 and simplesamlphp, on PHP's own web server, are the other side of the tests of SAML; openssl makes a certificate for
# another one; chromium signs people in. ssh of openssh-client goes into a test image, and asks there who somebody is. gnome-keyring is
# the desktop's keyring, on a session bus of dbus-daemon's, and dbus-bin looks into it. python3-venv holds the reference's Python client
# (tests/compat). The versions are those of Debian 12 that the tests were written on.
set -euo pipefail

packages=(
  "runc=1.1.5+ds1-1+deb12u1"
  "containernetworking-plugins=1.1.1+ds1-3+b5"
  "busybox-static=1:1.35.0-4+deb12u1+b1"
  "iproute2=6.1.0-3"
  "nftables=1.0.6-2+deb12u2"
  "postgresql-15=15.18-0+deb12u1"
  "pgbouncer=1.18.0-1+deb12u1"
  "xmlsec1=1.2.37-2"
  "php8.2-cli=8.2.36-1~deb12u1"
  "php8.2-xml=8.2.36-1~deb12u1"
  "php8.2-mbstring=8.2.36-1~deb12u1"
  "php8.2-sqlite3=8.2.36-1~deb12u1"
  "simplesamlphp=1.19.7-1+deb12u2"
  "openssl=3.0.22-1~deb12u2"
  "openssh-client=1:9.2p1-2+deb12u10"
  "dbus-daemon=1.14.10-1~deb12u1"
  "dbus-bin=1.14.10-1~deb12u1"
  "gnome-keyring=42.1-1+b2"
  "python3-venv=3.11.2-1+b1"
  "chromium=156.0.8078.108-1~deb12u1"
)

if ! command -v dpkg-query >/dev/null; then
  echo "testbed: not a Debian; a real node needs ${packages[*]%%=*} installed some other way" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "${package%%=*}" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "testbed: missing packages ${missing[*]%%=*}; install them as root with $0" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# simplesamlphp brings a web server of its own, which nobody here needs to run: no service is started while this installs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt=(apt-get -o DPkg::Lock::Timeout=300 -qq)
echo "testbed: installing ${missing[*]}" >&2
# A distribution other than the pinned one has other versions; better one of those than no real node at all, but said aloud.
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
  "${apt[@]}" update >&2
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; then
    echo "testbed: the pinned versions are not to be had here; installing the distribution's own" >&2
    "${apt[@]}" install -y --no-install-recommends "${missing[@]%%=*}" >/dev/null
  fi
fi
