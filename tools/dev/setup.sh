# ./dev setup: the Debian packages that this tree is built and tested with.

BUILD_PACKAGES=(
  g++ cmake ninja-build ccache mold pkg-config git ca-certificates
  libgrpc++-dev libgrpc-dev protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libabsl-dev
  libsqlite3-dev libsqlitecpp-dev libcurl4-openssl-dev libssl-dev rapidjson-dev libcli11-dev catch2
  libyaml-cpp-dev libfmt-dev libspdlog-dev libsystemd-dev libjemalloc-dev prometheus-cpp-dev grpc-proto librapidcheck-dev
  libcpp-httplib-dev nlohmann-json3-dev
  python3 python3-pytest python3-yaml python3-jsonschema python3-grpcio python3-openstackclient)
COMPOSE_PACKAGES=(docker.io docker-compose debootstrap iptables iproute2)
LINT_PACKAGES=(clang-format clang-tidy)

missing_packages() {
  local package
  for package in "$@"; do
    case "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" in
      *"install ok installed"*) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

# The array vendor's client, from PyPI, beside Debian's pytest.
install_pure_client() {
  local venv=build/pure/venv
  cmp -s tests/pure/requirements.txt "$venv/.requirements" && return 0
  say "installing from PyPI into $venv: $(grep -v '^#' tests/pure/requirements.txt)"
  rm -rf "$venv"
  mkdir -p build/pure
  /usr/bin/python3 -m venv --system-site-packages "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r tests/pure/requirements.txt >&2
  cp tests/pure/requirements.txt "$venv/.requirements"
}

# setup [build|robustness|fuzz|deb|compose|lint|pure|openstack]: says what it installs, installs only what is missing, needs no root when nothing is.
setup() {
  if [ "${1:-}" = pure ]; then setup_packages pure && install_pure_client; return; fi
  setup_packages "$@"
}

setup_packages() {
  local what="${1:-build}" wanted missing as_root=()
  case "$what" in
    build) wanted=("${BUILD_PACKAGES[@]}") ;;
    compose)
      wanted=(debootstrap iptables iproute2)
      command -v dockerd >/dev/null || wanted+=(docker.io)
      command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || wanted+=(docker-compose) ;;
    robustness) wanted=(iproute2 nftables libfaketime) ;;
    fuzz) wanted=(clang libclang-rt-14-dev) ;;
    deb) wanted=(dpkg-dev binutils xz-utils) ;;
    lint) wanted=("${LINT_PACKAGES[@]}") ;;
    pure) wanted=(python3-venv) ;;
    openstack) tests/openstack/install; return ;;
    *) die "setup: unknown '$what'; there are build, robustness, fuzz, deb, compose, lint, pure, openstack" ;;
  esac
  command -v dpkg-query >/dev/null || die "setup knows Debian 12 only; install by hand: ${wanted[*]}"
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] && return 0
  say "installing with apt: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "installing packages needs root; run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update >&2
  "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" </dev/null >&2
}
