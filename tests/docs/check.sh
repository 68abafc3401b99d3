#!/usr/bin/env bash
# Compiles the C++ blocks of a page: check.sh PAGE SCRATCH COMPILER [FLAGS...]
#
# A block with includes and a main() is a program: it is built and run. The others build upon each
# other, in the page's order: ```cpp is at namespace scope, ```cpp body is inside a function; they are
# compiled, and run where one of them is a main(). ```cuda and ```cuda body are the same for GPUs, on
# the emulator of the tests. A page that shows C++ which is not to be compiled calls it ```c++.
set -euo pipefail
page=$1 scratch=$2
shift 2

rm -rf "$scratch"
mkdir -p "$scratch"
awk -v dir="$scratch" '
  function flush_block() {
    if (text ~ /int main\(/ && text ~ /#include/) {
      printf "%s", text > (dir "/" (gpu ? "gpu_" : "") "program" ++programs ".cpp")
    } else if (gpu) {
      if (!gpu_parts++) printf "#include <ebb/cuda.cuh>\n\nusing namespace ebb;\n" > (dir "/gpu_parts.cpp")
      wrapped = body ? "void part" gpu_parts "() {\n" text "}\n" : text
      printf "\n%s", wrapped > (dir "/gpu_parts.cpp")
    } else {
      if (!parts++) printf "#include <ebb/ebb.hpp>\n#include <ebb/data.hpp>\n#include <ebb/io.hpp>\n#include <ebb/train.hpp>\n\n#include <cstdio>\n" > (dir "/parts.cpp")
      wrapped = body ? "void part" parts "() {\n" text "}\n" : text
      printf "\n%s", wrapped > (dir "/parts.cpp")
    }
  }
  /^```/ && inside { inside = 0; flush_block(); next }
  /^```(cpp|cuda)/ { inside = 1; gpu = /cuda/; body = /body/; text = ""; next }
  inside { text = text $0 "\n" }
' "$page"

root=$(cd "$(dirname "$0")/../.." && pwd)
emulator=(-include "$root/tests/support/gpu_emulator.hpp" "-I$root")
# Kernels for GPUs count by int: their headers promise silence under the common warnings alone.
common=(-Wno-sign-conversion -Wno-shadow -Wno-old-style-cast -Wno-undef)
cd "$scratch"
if [ -f parts.cpp ]; then
  echo "parts of $page"
  if grep -q 'int main(' parts.cpp; then
    mv parts.cpp program_of_parts.cpp
  else
    "$@" -fsyntax-only parts.cpp
  fi
fi
if [ -f gpu_parts.cpp ]; then
  echo "parts of $page for GPUs"
  "$@" "${emulator[@]}" "${common[@]}" -fsyntax-only gpu_parts.cpp
fi
for program in program*.cpp gpu_program*.cpp; do
  [ -f "$program" ] || continue
  echo "$program of $page"
  own=() last=()
  case $program in gpu_*) own=("${emulator[@]}") last=("${common[@]}") ;; esac
  # Sources before libraries, as linkers want them.
  "$1" "${own[@]}" "$program" -o "${program%.cpp}" "${@:2}" "${last[@]}"
  "./${program%.cpp}"
done
