# How libtorch is run: sourced by compare. Its speed depends on what it is told, so it is told everything that helps.
# shellcheck shell=bash disable=SC2154

# refuse_slow_blas PROGRAM: the reference BLAS is twenty times slower, and nobody should be compared with that.
refuse_slow_blas() {
  local blas
  blas=$(readlink -f "$(ldd "$1" | awk '/libblas\.so/ { print $3 }')")
  case $blas in
    *openblas* | *libmkl* | *blis*) return ;;
    */blas/libblas.so*) ;;
    *) say "libtorch's BLAS is $blas, and not OpenBLAS: its products may be slow" && return ;;
  esac
  die "libtorch runs on the reference BLAS ($blas), twenty times slower than it could: install libopenblas0-pthread, \
or choose it with update-alternatives --config libblas.so.3-$(uname -m)-linux-gnu"
}

# with_setting SETTING COMMAND...: SETTING is a core of OpenBLAS, or auto, then any of the words avx512 and malloc.
with_setting() {
  local setting=$1 variables=()
  shift
  [[ $setting == auto* ]] || variables+=("OPENBLAS_CORETYPE=${setting%% *}")
  [[ $setting != *avx512* ]] || variables+=(ATEN_CPU_CAPABILITY=avx512)
  [[ $setting != *malloc* ]] ||
    variables+=(GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736)
  env "${variables[@]}" "$@"
}

# figures SIDE COMMAND...: runs a benchmark; lines "SIDE <tab> workload <tab> microseconds <tab> flop per second <tab>
# bytes per second". Processor time for one thread, wall time for several, unless $clock says which.
figures() {
  local side=$1 which=cpu_time
  shift
  ((threads == 1)) || which=real_time
  "$@" --threads="$threads" --benchmark_filter="$filter" --benchmark_min_time="$min_time" --benchmark_format=json 2>/dev/null |
    awk -v side="$side" -v which="\"${clock:-$which}\":" '
      { sub(/,$/, "", $2) }
      $1 == "\"name\":" { name = $2; gsub(/"/, "", name); sub(/\/(process|real|manual)_time.*/, "", name); flop = bytes = 0 }
      $1 == which { time = $2 }
      $1 == "\"FLOP\":" { flop = $2 }
      $1 == "\"bytes\":" { bytes = $2 }
      $1 ~ /^}/ && name { printf "%s\t%s\t%s\t%s\t%s\n", side, name, time, flop, bytes; name = "" }'
}

# OpenBLAS does not know every CPU, and may then take a core of 2004; so the core is chosen by trying: the one with the
# highest rates on products of three sizes.
best_core() {
  local core cores=(auto Haswell Zen ${wide:+SkylakeX})
  local threads=1 filter='W16/matmul_(64|256|1024)/' min_time=0.05
  for _ in 1 2 3; do
    for core in "${cores[@]}"; do figures "$core" with_setting "$core" "$torch"; done
  done | awk -F'\t' '
    $4 + 0 > rate[$1, $2] { sum[$1] += $4 - rate[$1, $2]; rate[$1, $2] = $4 }
    END { for (core in sum) if (sum[core] > sum[best]) best = core; print best }'
}
