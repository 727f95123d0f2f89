# ./dev deb: the Debian packages. Sourced by ./dev; needs common.sh and setup.sh.
#
#   protector-common                     users, directories, protector-pki, documentation
#   protector-SERVICE (four of them)     the program, its systemd unit, its sample configuration
#   protector-cli                        the command line
#   protector-lab                        simulators and what starts two sites of them: for rehearsals, not for a site

SERVICE_NAMES=(site-registry metadata-sync orchestrator storage-pure)
SIMULATOR_NAMES=(flasharray-sim openstack-sim)

deb_version() { sed -n 's/^project(protector VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt; }

declare -A DESCRIPTIONS=(
  [site-registry]="sites, where their services are, which tenant of one is which of the other"
  [metadata-sync]="one versioned document for each protection group, the same on both sites"
  [orchestrator]="protection groups and the operations that move them between sites"
  [storage-pure]="the only program that talks to the site's FlashArray"
)

# depends_of FILE...: the packages whose libraries these programs use, as dpkg-shlibdeps finds them.
depends_of() {
  local work
  work="$(mktemp -d)"
  mkdir "$work/debian"
  printf 'Source: protector\n\nPackage: protector\nArchitecture: any\n' >"$work/debian/control"
  (cd "$work" && dpkg-shlibdeps -O --ignore-missing-info "$@" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
  rm -rf "$work"
}

# control NAME ARCHITECTURE DEPENDS DESCRIPTION
control() {
  cat <<TEXT
Package: $1
Version: $(deb_version)
Architecture: $2
Maintainer: Protector developers <protector@localhost>
Section: net
Priority: optional
Depends: $3
Description: $4
TEXT
}

# finish NAME: puts DEB_ROOT/NAME into DEB_OUT.
finish() {
  local root="$DEB_ROOT/$1"
  (cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  echo "Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)" >>"$root/DEBIAN/control"
  dpkg-deb --root-owner-group -Zxz -b "$root" "$DEB_OUT" >/dev/null
}

# Scripts of a service's package: started when it is installed and configured, started again when it is upgraded, and its state is
# never removed: it is what a site is recovered with.
service_scripts() {
  local name="$1" root="$2"
  cat >"$root/DEBIAN/postinst" <<TEXT
#!/bin/sh
set -e
if [ "\$1" = configure ]; then
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable -q protector-$name.service
    systemctl restart protector-$name.service || true
  fi
fi
TEXT
  cat >"$root/DEBIAN/prerm" <<TEXT
#!/bin/sh
set -e
if [ "\$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable -q --now protector-$name.service || true
fi
TEXT
  cat >"$root/DEBIAN/postrm" <<TEXT
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
if [ "\$1" = purge ] && [ -d /var/lib/protector/$name ]; then
  echo "The state of $name is left in /var/lib/protector/$name: groups are recovered with it. Remove it by hand once no group needs it."
fi
TEXT
  chmod 755 "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
}

common_package() {
  local root="$DEB_ROOT/protector-common"
  mkdir -p "$root/DEBIAN"
  install -D -m 644 deploy/systemd/sysusers.conf "$root/usr/lib/sysusers.d/protector.conf"
  install -D -m 644 deploy/systemd/tmpfiles.conf "$root/usr/lib/tmpfiles.d/protector.conf"
  install -D -m 755 deploy/pki/protector-pki "$root/usr/bin/protector-pki"
  mkdir -p "$root/usr/share/doc/protector-common"
  install -m 644 README.md docs/*.md deploy/config/policy.sample.yaml "$root/usr/share/doc/protector-common"
  control protector-common all "openssl, systemd | systemd-standalone-sysusers" "Protector: what its programs share
 Users, directories, certificates (protector-pki) and documentation of Protector, disaster recovery for OpenStack on FlashArray." \
    >"$root/DEBIAN/control"
  cat >"$root/DEBIAN/postinst" <<'TEXT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  systemd-sysusers protector.conf
  systemd-tmpfiles --create protector.conf || true
fi
TEXT
  chmod 755 "$root/DEBIAN/postinst"
  finish protector-common
}

service_package() {
  local name="$1" package="protector-$1" root="$DEB_ROOT/protector-$1" description="${DESCRIPTIONS[$1]}"
  install -D -m 755 "$DEB_BIN/$name" "$root/usr/libexec/protector/$name"
  strip "$root/usr/libexec/protector/$name"
  mkdir -p "$root/DEBIAN" "$root/lib/systemd/system"
  sed -e "s/@NAME@/$name/g" -e "s|@DESCRIPTION@|$description|" deploy/systemd/service.in >"$root/lib/systemd/system/$package.service"
  install -D -m 644 "deploy/config/$name.sample.yaml" "$root/usr/share/doc/$package/$name.sample.yaml"
  control "$package" "$DEB_ARCHITECTURE" "protector-common (= $(deb_version)), $(depends_of "$root/usr/libexec/protector/$name")" \
    "Protector: $name
 $description. Configured by /etc/protector/$name.yaml." >"$root/DEBIAN/control"
  service_scripts "$name" "$root"
  finish "$package"
}

cli_package() {
  local root="$DEB_ROOT/protector-cli"
  mkdir -p "$root/DEBIAN"
  install -D -m 755 "$DEB_BIN/protector" "$root/usr/bin/protector"
  install -D -m 755 "$DEB_BIN/protector-login" "$root/usr/lib/protector/protector-login"
  strip "$root/usr/bin/protector" "$root/usr/lib/protector/protector-login"
  mkdir -p "$root/usr/libexec/protector" "$root/usr/share/bash-completion/completions"
  ln -s /usr/bin/protector "$root/usr/libexec/protector/protector"
  "$DEB_BIN/protector" completion bash >"$root/usr/share/bash-completion/completions/protector"
  control protector-cli "$DEB_ARCHITECTURE" "$(depends_of "$root/usr/bin/protector" "$root/usr/lib/protector/protector-login")" "Protector: the command line
 Protects groups of servers of one OpenStack site by another, and moves them: planned and unplanned failover, failback." >"$root/DEBIAN/control"
  finish protector-cli
}

lab_package() {
  local root="$DEB_ROOT/protector-lab" name
  mkdir -p "$root/DEBIAN" "$root/usr/share/protector-lab/tools/protector_lab" "$root/usr/share/protector-lab/deploy/pki"
  for name in "${SIMULATOR_NAMES[@]}"; do
    install -D -m 755 "$DEB_BIN/$name" "$root/usr/libexec/protector/$name"
    strip "$root/usr/libexec/protector/$name"
  done
  install -m 644 tools/protector_lab/*.py "$root/usr/share/protector-lab/tools/protector_lab"
  ln -s /usr/bin/protector-pki "$root/usr/share/protector-lab/deploy/pki/protector-pki"
  install -D -m 755 deploy/debian/protector-lab "$root/usr/bin/protector-lab"
  control protector-lab "$DEB_ARCHITECTURE" "protector-site-registry, protector-metadata-sync, protector-orchestrator, protector-storage-pure, protector-cli,\
 python3, python3-yaml, $(depends_of "$root"/usr/libexec/protector/*)" "Protector: two simulated sites on one machine
 Simulators of OpenStack and of FlashArray, and protector-lab, which starts two sites of them: for rehearsals and for learning." >"$root/DEBIAN/control"
  finish protector-lab
}

# deb [PRESET]: release, or what a test says.
deb() {
  local preset="${1:-release}" name
  setup build
  setup deb
  build "$preset" "${PROGRAMS[@]}" || return
  DEB_BIN="$(build_directory "$preset")/bin"
  DEB_ARCHITECTURE="$(dpkg --print-architecture)"
  DEB_OUT="$PWD/build/deb"
  DEB_ROOT="$(mktemp -d)"
  chmod 755 "$DEB_ROOT"
  mkdir -p "$DEB_OUT"
  rm -f "$DEB_OUT"/*.deb
  common_package
  for name in "${SERVICE_NAMES[@]}"; do service_package "$name"; done
  cli_package
  lab_package
  rm -rf "$DEB_ROOT"
  (cd "$DEB_OUT" && ls -1 -- *.deb)
}
