#include "examples/diagnose/options.hpp"

namespace cadena::examples {

void add_options(CommandLine& line, DiagnoseOptions& o) {
  line.add("FILE", o.file, "TEXT",
           "CSV file with a header and a column of two values, such as\n"
           "yes and no (otherwise a table of patients that is made up)");
  line.add("--target", o.target, "COLUMN", "Column to predict (otherwise the last)");
  line.add("--ignore", o.ignore, "COLUMN",
           "Column to leave out, such as a number of the patient;\nmay be repeated");
  add_training(line, o);
  line.add("--dropout", o.dropout, "SHARE", "Share of the hidden values left out in training")
      .check(share())
      .shows_default();
  line.add("--write-example", o.write_example, "FILE", "Write the table that is made up to a file, and end");
}

}  // namespace cadena::examples
