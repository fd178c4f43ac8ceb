#include "examples/diagnose/options.hpp"

#include <CLI/CLI.hpp>

namespace cadena::examples {

void add_options(CommandLine& line, DiagnoseOptions& o) {
  CLI::App& app = line.app();
  app.add_option("FILE", o.file,
                 "CSV file with a header and a column of two values, such as\n"
                 "yes and no (otherwise a table of patients that is made up)");
  app.add_option("--target", o.target, "Column to predict (otherwise the last)")->type_name("COLUMN");
  app.add_option("--ignore", o.ignore,
                 "Column to leave out, such as a number of the patient;\nmay be repeated")
      ->type_name("COLUMN")
      ->allow_extra_args(false);
  line.add_training(o);
  app.add_option("--dropout", o.dropout, "Share of the hidden values left out in training")
      ->type_name("SHARE")
      ->check(share())
      ->capture_default_str();
  app.add_option("--write-example", o.write_example, "Write the table that is made up to a file, and end")
      ->type_name("FILE");
}

}  // namespace cadena::examples
