# The memory of training steps, each in a process of its own: sourced by compare.
# shellcheck shell=bash disable=SC2154

# memory_of COMMAND...: "peak <tab> kept" in bytes.
memory_of() { "$@" --threads="$threads" --memory --benchmark_filter="^$workload\$" | awk -F, '{ printf "%s\t%s\n", $2, $3 }'; }

# memory_row PROGRAM WORKLOAD GOAL: libtorch counts under the setting that takes least.
memory_row() {
  local program=$1 workload=$2 goal=$3 setting ours
  ours=$(memory_of "$build/bench/$program")
  for setting in "${settings[@]}"; do memory_of with_setting "$setting" "$torch"; done | sort -g | head -n1 |
    awk -F'\t' -v name="$workload" -v ours="$ours" -v goal="$goal" '{
      split(ours, mine, "\t"); ratio = mine[1] / $1
      printf "| %s | %.1f MB | %.1f MB | %.2f | ≤ %s: %s | %.2f MB | %.2f MB |\n", name, mine[1] / 1e6, $1 / 1e6, ratio, goal,
        ratio <= goal ? "met" : "**missed**", mine[2] / 1e6, $2 / 1e6 }'
}

memory_table() {
  echo "| workload | peak RSS, Cadena | libtorch | Cadena / libtorch | goal | live after forward, Cadena | libtorch |"
  echo "|---|--:|--:|--:|--:|--:|--:|"
  memory_row train_bench W04/mlp_784_256_128_10/b64_momentum 0.3
  memory_row train_bench W04/mlp_784_256_128_10/b64_adam 0.3
  memory_row train_bench W04/mlp_784_256_128_10/b256_momentum 0.3
  memory_row train_bench W04/mlp_784_256_128_10/b256_adam 0.3
  memory_row model_bench W09/mini_gpt_4x128/b8_adamw 0.5
}
