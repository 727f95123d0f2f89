# The image of the compose lab. Sourced by ./dev; needs setup.sh and a running docker daemon.

BASE_IMAGE=protector-base:bookworm
LAB_IMAGE=protector-lab:latest
SYSTEMD_IMAGE=protector-systemd:bookworm
# Where debootstrap gets its packages: the mirror that this machine's own apt uses, unless another is named.
debian_mirror() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then printf '%s\n' "$DEBIAN_MIRROR"; return; fi
  apt-get indextargets --format '$(SITE)' | grep -v security | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

have_daemon() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Debian's init script cannot start the daemon where limits may not be raised; the daemon itself can.
ensure_daemon() {
  local waited=0
  have_daemon && return 0
  [ "$(id -u)" -eq 0 ] || { say "docker does not answer; start it, or run as root"; return 1; }
  say "starting dockerd (log: build/compose/dockerd.log)"
  mkdir -p build/compose
  setsid dockerd </dev/null >build/compose/dockerd.log 2>&1 &
  until have_daemon; do
    waited=$((waited + 1))
    [ "$waited" -lt 60 ] || { tail -5 build/compose/dockerd.log >&2; return 1; }
    sleep 1
  done
}

# imported IMAGE PACKAGES: a Debian 12 with these packages (a,b,c), made by debootstrap, without what is only read by people.
imported() {
  local root
  root="$(mktemp -d)"
  say "making $1 with debootstrap"
  debootstrap --variant=minbase --include="$2" bookworm "$root" "$(debian_mirror)" >build/compose/debootstrap.log 2>&1 || {
    tail -5 build/compose/debootstrap.log >&2; rm -rf "$root"; return 1; }
  rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
  tar -C "$root" --exclude=./proc/* --exclude=./sys/* -c . | docker import - "$1" >/dev/null
  rm -rf "$root"
}

# A machine for the packages: systemd, and the libraries that their programs depend on, so that nothing is fetched when they are installed.
systemd_image() {
  mkdir -p build/compose
  ensure_daemon || return
  docker image inspect "$SYSTEMD_IMAGE" >/dev/null 2>&1 && return 0
  imported "$SYSTEMD_IMAGE" "$(paste -sd, deploy/compose/runtime-packages),systemd,systemd-sysv,procps,python3,python3-yaml"
}

# A Debian 12 with the runtime packages in it: from a registry where one answers, else with debootstrap. Made once.
base_image() {
  docker image inspect "$BASE_IMAGE" >/dev/null 2>&1 && return 0
  if [ -z "${PROTECTOR_NO_REGISTRY:-}" ] && timeout 30 docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
    docker tag debian:bookworm-slim "$BASE_IMAGE"
    return
  fi
  imported "$BASE_IMAGE" "$(paste -sd, deploy/compose/runtime-packages)"
}

# lab_image prebuilt: programs of ./dev build, which has to have run on Debian 12; lab_image full: everything inside.
lab_image() {
  local program target=runtime
  mkdir -p build/compose build/image/bin
  ensure_daemon && base_image || return
  if [ "${1:-prebuilt}" = prebuilt ]; then
    target=prebuilt
    for program in "${PROGRAMS[@]}"; do
      if [ "build/bin/$program" -nt "build/image/bin/$program" ]; then
        strip -o "build/image/bin/$program" "build/bin/$program" || return
      fi
    done
  fi
  say "building $LAB_IMAGE ($target)"
  DOCKER_BUILDKIT=0 docker build -q -f deploy/compose/Dockerfile --build-arg "BASE=$BASE_IMAGE" --target "$target" \
    -t "$LAB_IMAGE" . >build/compose/build.log 2>&1 || { tail -20 build/compose/build.log >&2; return 1; }
}
