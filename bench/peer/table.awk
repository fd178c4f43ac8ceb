# The table of ./run bench --peer: awk -v threads=N -v whole=1 -f table.awk goals.tsv figures.tsv
#
# A workload's figure is the least of its rounds; libtorch counts under the setting that suits it best. The limits are
# the fastest product of either side and the memory's bandwidth, both from the same figures.

BEGIN { FS = "\t" }
/^#/ { next }

FNR == NR { ahead[$1] = $2; share_goal[$1] = $3; scaling_goal[$1] = $4; why[$1] = $5; order[++workloads] = $1; next }

# limit/copy/48: bandwidth on arrays of 48 MB together
$1 == "limit" {
  split($2, part, "/")
  if (!(part[3] in bandwidth)) size[++sizes] = part[3]
  if ($5 + 0 > bandwidth[part[3]]) bandwidth[part[3]] = $5 + 0
  next
}
{
  key = $1 SUBSEP $2
  if (!(key in least) || $3 + 0 < least[key]) { least[key] = $3 + 0; flop[key] = $4 + 0; bytes[key] = $5 + 0 }
  if ($1 !~ /^Cadena/) sides[$1] = 1
  else if (!($2 in ahead)) { ahead[$2] = "-"; share_goal[$2] = scaling_goal[$2] = "-"; order[++workloads] = $2 }
  if ($2 ~ /^W16\/matmul_[0-9]+$/ && $4 + 0 > best_product) { best_product = $4 + 0; product_name = $1 ", " $2 }
}

function human(us) {
  return us < 1 ? sprintf("%.0f ns", us * 1000) : us < 100 ? sprintf("%.1f µs", us) \
       : us < 10000 ? sprintf("%.0f µs", us) : sprintf("%.1f ms", us / 1000)
}

# Each judgement of a workload: "goal met", "**goal missed**", and a missed one is remembered.
function judged(value, goal, text) {
  if (goal == "-" || value == "") return text
  if (value >= goal) return text " (≥ " goal ": met)"
  missed_here = 1
  return text " (**≥ " goal ": missed**)"
}

function best_side(name,    side, best) {
  for (side in sides)
    if (((side, name) in least) && (best == "" || least[side, name] < least[best, name])) best = side
  return best
}

# The bandwidth of the arrays whose size is nearest to what the workload moves.
function bandwidth_for(moved,    i, distance, least_distance, nearest) {
  for (i = 1; i <= sizes; ++i) {
    distance = moved / (size[i] * 1e6)
    if (distance < 1) distance = 1 / distance
    if (!nearest || distance < least_distance) { least_distance = distance; nearest = size[i] }
  }
  return bandwidth[nearest]
}

# Percent of the limit, "" where there is none.
function share(key,    limit) {
  if (flop[key] > 0) return best_product > 0 ? 100 * flop[key] / best_product : ""
  if (bytes[key] == 0) return ""
  limit = bandwidth_for(bytes[key] * least[key] / 1e6)
  return limit > 0 ? 100 * bytes[key] / limit : ""
}
function rate(key) {
  if (flop[key] > 0) return sprintf("%.0f GFLOP/s", flop[key] / 1e9)
  return bytes[key] > 0 ? sprintf("%.1f GB/s", bytes[key] / 1e9) : ""
}

END {
  scaling = threads > 1
  print "| workload | Cadena | libtorch | its best setting | times as fast | share of the limit |" (scaling ? " against one thread |" : "")
  print "|---|--:|--:|---|--:|--:|" (scaling ? "--:|" : "")
  for (i = 1; i <= workloads; ++i) {
    name = order[i]; mine = "Cadena" SUBSEP name; best = best_side(name)
    if (best == "" || !(mine in least)) {
      if (whole) print "compare: " name " was not measured on both sides" >"/dev/stderr"
      continue
    }
    ++rows; missed_here = 0
    ratio = least[best, name] / least[mine]
    line = sprintf("| %s | %s | %s | %s | %s", name, human(least[mine]), human(least[best, name]), best,
                   judged(sprintf("%.2f", ratio) + 0, ahead[name], sprintf("%.2f", ratio)))
    percent = share(mine)
    if (percent != "")
      percent = judged(sprintf("%.0f", percent) + 0, share_goal[name], sprintf("%.0f %%, %s", percent, rate(mine)))
    line = line " | " percent
    if (scaling) {
      one = least["Cadena, one thread", name]
      line = line " | " (one ? judged(one / least[mine], scaling_goal[name], sprintf("%.2f", one / least[mine])) : "")
    }
    print line " |"
    if (missed_here) { missed[++n_missed] = name }
    else if (ahead[name] != "-") ++met
  }
  print ""
  if (best_product > 0) printf "Fastest product: %.0f GFLOP/s (%s).\n", best_product / 1e9, product_name
  if (sizes) printf "Bandwidth by the size of the arrays together:"
  for (i = 1; i <= sizes; ++i) printf "%s %s MB %.0f GB/s", (i > 1 ? "," : ""), size[i], bandwidth[size[i]] / 1e9
  if (sizes) print "."
  printf "\nOf %d workloads with a goal %d reach it.", met + n_missed, met
  if (n_missed) printf " The others:"
  print "\n"
  for (i = 1; i <= n_missed; ++i) printf "- %s: %s\n", missed[i], (why[missed[i]] == "-" ? "not explained yet" : why[missed[i]])
  exit rows == 0
}
