#!/usr/bin/env bash
# Runs every linter, then fails if one of them found something. Needs tools/lint-requirements.txt installed.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
lint() { # lint <title> <command...>
  echo "lint: $1"
  "${@:2}" || failed+=("$1")
}

mapfile -t cpp_files < <(find csrc tests -name '*.h' -o -name '*.cpp' | sort)

lint "ruff check" ruff check .
lint "ruff format" ruff format --check .
lint "mypy" mypy
lint "clang-format (${#cpp_files[@]} files)" clang-format --dry-run -Werror "${cpp_files[@]}"
lint "import-linter" env PYTHONPATH=python lint-imports --no-cache --no-logo
lint "check_layers" python tools/check_layers.py

for title in "${failed[@]}"; do echo "lint: $title failed"; done
((${#failed[@]} == 0))
