# The list of op_gradients_test's tests -> ctest's, one for each op with all of its checks: a process for each of the
# three thousand would take longer to start than to run. Variables: program, the executable.

/^[^ ]/ { suite = $1 }
/^  / {
  name = $1
  op = name
  sub(/^.*\//, "", op)
  sub(/_[^_]*$/, "", op)
  if (!(op in tests)) ops[++n] = op
  tests[op] = tests[op] (tests[op] ? ":" : "") suite name
}
END {
  if (!n) exit 1  # an empty list would pass
  for (i = 1; i <= n; ++i) {
    test = "op_gradients." ops[i]
    printf "add_test(\"%s\" \"%s\" \"--gtest_filter=%s\")\n", test, program, tests[ops[i]]
    printf "set_tests_properties(\"%s\" PROPERTIES LABELS op_gradients_test TIMEOUT 600)\n", test
  }
}
