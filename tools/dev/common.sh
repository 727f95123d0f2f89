# Shared by ./dev's parts. Sourced with the working directory at the root of the tree.

# Debian's own interpreter: it is the one that has Debian's pytest and yaml; another one may come first on PATH.
PYTHON=/usr/bin/python3
export PYTHONPATH="$PWD/tools${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONDONTWRITEBYTECODE=1
RESULTS="$PWD/build/test-results"

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 2; }

build_directory() {
  case "$1" in
    dev) echo build ;;
    release|asan|tsan|fuzz) echo "build-$1" ;;
    *) die "unknown preset '$1'; there are dev, release, asan, tsan, fuzz" ;;
  esac
}

# build PRESET [TARGET...]
build() {
  local preset="$1" directory
  shift
  directory="$(build_directory "$preset")"
  if [ ! -f "$directory/build.ninja" ]; then
    say "configuring $directory"
    mkdir -p "$directory"
    cmake --preset "$preset" >"$directory/configure.log" 2>&1 || { cat "$directory/configure.log" >&2; return 1; }
  fi
  say "building $directory"
  cmake --build "$directory" -j "${JOBS:-$(nproc)}" ${1:+--target "$@"} >&2
}

PROGRAMS=(flasharray-sim openstack-sim site-registry metadata-sync orchestrator storage-pure protector protector-login)

# What a lab needs has to be there before Python takes over; stopping or asking needs nothing.
ensure_built() {
  local program
  case "$1 ${2:-}" in
    "demo "*|"chaos "*|"lab up"|"lab reset"|"lab revive") ;;
    *) return 0 ;;
  esac
  case " $* " in *" --help "*|*" -h "*) return 0 ;; esac
  if [ -n "${PROTECTOR_BIN:-}" ]; then return 0; fi
  if [ "$1" = lab ]; then
    # Nobody wants to wait for a build check between kill and revive: only what is missing is built.
    for program in "${PROGRAMS[@]}"; do
      [ -x "build/bin/$program" ] || { setup build; build dev "${PROGRAMS[@]}"; return; }
    done
    return 0
  fi
  setup build
  build dev "${PROGRAMS[@]}"
}
