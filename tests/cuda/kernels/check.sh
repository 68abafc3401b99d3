#!/usr/bin/env bash
# Compiles every kernel for the GPUs that ebb is made for, and reads the compiler's report: none may
# spill registers or use local memory, and none may be missing.
#
# check.sh SCRATCH NVCC [FLAGS...]; ARCHITECTURES in the environment names others than 90,
# KERNELS another folder of files than this one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
scratch=$1
shift
architectures=${ARCHITECTURES:-90}
mkdir -p "$scratch"
rm -f "$scratch"/*.log

# One run of the compiler a file and architecture, on all cores. A test of kernels that says so is
# read as well, in place of a file here.
tests=
if [ -z "${KERNELS:-}" ]; then tests=$(grep -l "^// nvcc's report is of this file too" "$here"/../*.cpp); fi
for file in "${KERNELS:-$here}"/*.cu $tests; do
  for architecture in $architectures; do echo "$file $architecture"; done
done | xargs -P "$(nproc)" -L 1 bash -c '
  scratch=$1 root=$2 file=${@: -2:1} architecture=${@: -1}
  name=$(basename "${file%.*}")_$architecture
  "${@:3:$#-4}" -arch=sm_$architecture -cubin -Xptxas -v -I"$root" -x cu "$file" -o "$scratch/$name.cubin" \
    >"$scratch/$name.log" 2>&1 || { cat "$scratch/$name.log" >&2; exit 255; }
  ' check "$scratch" "$root" "$@"

# Each kernel: its architecture, bytes of stack frame, of spills, registers, name (without the version).
awk -F"'" '
  /Compiling entry function/ { name = $2; architecture = $4 }
  /bytes stack frame/ { match($0, /[0-9]+ bytes stack/); stack = substr($0, RSTART) + 0
    match($0, /[0-9]+ bytes spill stores/); spills = substr($0, RSTART) + 0 }
  /: Used [0-9]+ registers/ { match($0, /Used [0-9]+/)
    print architecture, stack, spills, substr($0, RSTART + 5, RLENGTH - 5), name }
' "$scratch"/*.log | sort -u | c++filt | sed 's/ebb::v[0-9_]*::/ebb::/g' >"$scratch/kernels.txt"

failed=no
for architecture in $architectures; do
  awk -v sm="sm_$architecture" '$1 == sm { kernels++; if ($4 > most) most = $4 }
    END { printf "%s: %d kernels of at most %d registers\n", sm, kernels, most }' "$scratch/kernels.txt"
done
# Local memory is allowed to those that local_memory.txt names, each with its reason; spills to none.
grep -v '^#' "$here/local_memory.txt" >"$scratch/allowed" || true
awk '$3 > 0' "$scratch/kernels.txt" >"$scratch/bad"
awk '$2 > 0 && $3 == 0' "$scratch/kernels.txt" | { grep -vFf "$scratch/allowed" || true; } >>"$scratch/bad"
if [ -s "$scratch/bad" ]; then
  echo "kernels that use local memory (architecture, stack, spills, registers, name):"
  cat "$scratch/bad"
  failed=yes
fi
# Every EBB_KERNEL of the headers, by its name.
for kernel in $(find "$root/include/ebb" -name '*.cuh' -exec sed 's|//.*||' {} + | tr '\n' ' ' |
  grep -oP 'EBB_KERNEL\s+(?:EBB_BOUNDS(\((?:[^()]|(?1))*\))\s+)?\K\w+(?=\s*\()' | sort -u); do
  grep -q "[: ]$kernel[<(]" "$scratch/kernels.txt" || {
    echo "$kernel was not compiled: use the operation that launches it in tests/cuda/kernels"
    failed=yes
  }
done
if [ $failed = yes ]; then exit 1; fi
echo "all kernels are as they should be"
