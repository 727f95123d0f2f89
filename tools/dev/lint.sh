# ./dev fmt and ./dev lint.
. tools/dev/setup.sh

cxx_files() { git ls-files -co --exclude-standard '*.h' '*.cc'; }

fmt() {
  setup lint
  cxx_files | xargs -r clang-format -i
}

lint() {
  setup lint
  local bad=0
  say "clang-format"
  cxx_files | xargs -r clang-format --dry-run -Werror >/dev/null 2>"${TMPDIR:-/tmp}/protector-fmt.$$" || {
    grep -o '^[^:]*:' "${TMPDIR:-/tmp}/protector-fmt.$$" | sort -u | sed 's/:$/ is not formatted; .\/dev fmt mends it/' >&2; bad=1; }
  rm -f "${TMPDIR:-/tmp}/protector-fmt.$$"
  say "shape of the tree"
  "$PYTHON" tools/dev/shape.py || bad=1
  if [ "${1:-}" = --tidy ]; then
    say "clang-tidy (slow)"
    [ -f build/compile_commands.json ] || build dev
    cxx_files | grep '\.cc$' | xargs -r -P "$(nproc)" -n 4 clang-tidy -p build --quiet || bad=1
  fi
  return $bad
}
