# ./dev test: every suite leaves JUnit files in build/test-results; the counts come from them, not from anybody's output.
. tools/dev/setup.sh

result() { "$PYTHON" -m protector_lab.results "$@"; }

# A suite that could not even start has failed, and says so in the counts.
not_started() { result fail "$RESULTS/$1-build.xml" "$1" "$2"; return 1; }

run_ctest() {  # NAME DIRECTORY [ctest options]
  local name="$1" directory="$2"
  shift 2
  ctest --test-dir "$directory" -j "$(nproc)" --output-on-failure --no-tests=ignore \
    --output-junit "$RESULTS/$name-ctest.xml" "$@" >"$RESULTS/$name.log" 2>&1 || {
      sed -n '/The following tests FAILED/,$p' "$RESULTS/$name.log" >&2
      say "$name: the whole output is in $RESULTS/$name.log"
      return 1; }
}

run_pytest() {  # NAME PATH...
  local name="$1"
  shift
  "$PYTHON" -m pytest -q -p no:cacheprovider --junitxml "$RESULTS/$name-pytest.xml" -o junit_family=xunit2 \
    "$@" ${PYTEST_OPTIONS[@]+"${PYTEST_OPTIONS[@]}"} </dev/null
}

suite_unit() {
  build dev || not_started unit "the build failed" || return
  local status=0
  run_pytest unit tests/tools || status=1
  run_ctest unit build -E "^contract" || status=1
  return $status
}

suite_contract() {
  local status=0
  build dev || not_started contract "the build failed" || return
  run_ctest contract build -R '^contract' || status=1
  if compgen -G 'tests/contract/**/test_*.py' >/dev/null || compgen -G 'tests/contract/test_*.py' >/dev/null; then
    run_pytest contract tests/contract || status=1
  fi
  run_pytest conformance tests/conformance || status=1
  return $status
}

suite_e2e() {
  build dev "${PROGRAMS[@]}" || not_started e2e "the build failed" || return
  run_pytest e2e tests/e2e
}

# The array vendor's own client against flasharray-sim.
suite_pure() {
  local venv=build/pure/venv
  build dev flasharray-sim || not_started pure "the build failed" || return
  setup pure || not_started pure "the array vendor's client could not be installed" || return
  PYTHON="$PWD/$venv/bin/python" run_pytest pure tests/pure -W ignore
}

# Two real OpenStack sites with Cinder's own FlashArray driver on flasharray-sim, and the product's programs on them.
suite_openstack() {
  build dev "${PROGRAMS[@]}" || not_started openstack "the build failed" || return
  setup openstack || not_started openstack "the packages could not be installed" || return
  run_pytest openstack tests/openstack
}

# Crashes at failpoints, lost answers, real partitions, random operations: short courses of what ./dev chaos does at length.
suite_robustness() {
  build dev "${PROGRAMS[@]}" || not_started robustness "the build failed" || return
  setup robustness || not_started robustness "the packages could not be installed" || return
  run_pytest robustness tests/robustness
}

# Every parser of bytes from outside under libFuzzer, each for a short time (FUZZ_SECONDS); ./dev fuzz goes on for as long as asked.
suite_fuzz() {
  setup fuzz || not_started fuzz "the packages could not be installed" || return
  build fuzz fuzz_targets || not_started fuzz "the build failed" || return
  run_pytest fuzz tests/fuzz
}

suite_compose() {
  setup compose || not_started compose "the packages could not be installed" || return
  build dev "${PROGRAMS[@]}" || not_started compose "the build failed" || return
  . tools/dev/image.sh
  lab_image "${PROTECTOR_IMAGE:-prebuilt}" || not_started compose "the image could not be made" || return
  run_pytest compose tests/compose
}

# The Debian packages, installed and run in a container with systemd. Of the programs of ./dev build, so that nothing is compiled twice.
suite_packages() {
  setup compose || not_started packages "the packages could not be installed" || return
  . tools/dev/image.sh
  . tools/dev/deb.sh
  deb dev || not_started packages "the packages could not be made" || return
  systemd_image || not_started packages "the image could not be made" || return
  run_pytest packages tests/packages
}

suite_asan() {
  build asan || not_started asan "the build failed" || return
  ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 run_ctest asan build-asan
}

# ThreadSanitizer cannot see the locks inside Debian's gRPC and Abseil; only tests of code that is free of them count.
suite_tsan() {
  build tsan || not_started tsan "the build failed" || return
  TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1 run_ctest tsan build-tsan -E 'grpc|rpc|transport'
}

suite_lint() {
  . tools/dev/lint.sh
  if lint; then result pass "$RESULTS/lint.xml" lint; else not_started lint "./dev lint found something"; fi
}

run_tests() {
  local suites=() suite status=0 began
  PYTEST_OPTIONS=()
  while [ $# -gt 0 ]; do
    if [ "$1" = -- ]; then shift; PYTEST_OPTIONS=("$@"); break; fi
    declare -F "suite_$1" >/dev/null || die "test: unknown suite '$1'; there are unit contract e2e robustness fuzz compose packages pure openstack asan tsan lint"
    suites+=("$1")
    shift
  done
  [ "${#suites[@]}" -gt 0 ] || suites=(unit contract e2e)
  setup build
  mkdir -p "$RESULTS"
  for suite in "${suites[@]}"; do
    rm -f "$RESULTS/$suite"-*.xml "$RESULTS/$suite.xml"
    began=$SECONDS
    say "testing: $suite"
    "suite_$suite" || status=1
    printf '%s: %s (%d s)\n' "$suite" "$(result sum "$RESULTS/$suite"*.xml)" $((SECONDS - began))
  done
  return $status
}
