# Cuts the programs out of a Markdown file: the ```cpp blocks, gathered up to the one that has a main.
/^```cpp$/ { inside = 1; next }
/^```$/ && inside {
  inside = 0
  if (program ~ /int main\(/) {
    file = out "_" (++n) ".cpp"
    printf "%s", program > file
    close(file)
    print file
    program = ""
  }
  next
}
inside { program = program $0 "\n" }
END { if (program != "") { print "a block without a program that ends it" > "/dev/stderr"; exit 1 } }
