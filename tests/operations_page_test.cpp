// docs/operations.md says what the op table says. CADENA_WRITE_DOCS=1 writes the page instead of comparing
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/inspect.hpp"

namespace cadena {
namespace {

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", v);
  return text;
}

/// Where the suite samples an input: "-2 to 2, not near 0".
std::string domain_text(const detail::Domain& d) {
  if (d.distinct) return "-1 to 1, all different";
  std::string text = number(d.low) + " to " + number(d.high);
  for (double kink : d.kinks)
    if (kink > d.low && kink < d.high) text += ", not near " + number(kink);
  return text;
}

/// The domains of an op's inputs, once where they are all alike.
std::string domains_text(const detail::OpInfo& op) {
  detail::Sampler sampler(1);
  const std::size_t inputs = std::clamp<std::size_t>(op.samples(sampler).at(0).inputs.size(), 1, 3);
  std::string text = domain_text(op.meta.domain[0]);
  bool alike = true;
  for (std::size_t i = 1; i < inputs; ++i) alike = alike && domain_text(op.meta.domain[i]) == text;
  if (!alike)
    for (std::size_t i = 1; i < inputs; ++i) text += "; " + domain_text(op.meta.domain[i]);
  return text;
}

/// Text of a table cell: a bar would end it.
std::string cell(std::string text) {
  for (std::size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, 1, '\\');
  return text;
}
std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string page() {
  std::map<std::string, std::vector<const detail::OpInfo*>> families;
  std::size_t composites = 0;
  for (const auto& op : detail::op_table()) {
    families[std::string(op.family)].push_back(&op);
    composites += op.composite;
  }
  std::ostringstream out;
  out << "# Operations\n\n"
      << "Every differentiable operation, as the op table lists it: " << detail::op_table().size()
      << " rows, of which " << composites
      << " are built from others (*). For each one the suite checks the full Jacobian (order 1), order 2 "
         "and,\n"
      << "for small inputs, order 3; forward mode against reverse mode; f32 against f64; strided, reversed, "
         "repeated and empty\n"
      << "inputs; what is kept in memory; and the bits for 1, 2 and 3 threads. Elementwise formulas are the "
         "code itself, read\n"
      << "with symbols: x, or a and b, are the inputs, y the output, G the gradient that comes in.\n\n"
      << "This page is written by `CADENA_WRITE_DOCS=1 ./run test -R OperationsPage`, and the tests compare "
         "it with the table.\n";
  for (const auto& [family, rows] : families) {
    out << "\n## " << family
        << "\n\n| operation | value | derivative | samples from | conventions |\n|---|---|---|---|---|\n";
    for (const auto* op : rows) {
      const OpFormula f = formula_of(op->meta.name);
      std::string derivatives;
      for (const auto& d : f.derivatives) derivatives += (derivatives.empty() ? "" : "; ") + d.text;
      out << "| `" << op->meta.name << "`" << (op->composite ? " *" : "") << " | " << code(f.value.text)
          << " | " << code(derivatives) << " | " << domains_text(*op) << " | "
          << cell(std::string(op->meta.conventions)) << " |\n";
    }
  }
  return out.str();
}

TEST(OperationsPage, SaysWhatTheTableSays) {
  const std::string path = CADENA_SOURCE_DIR "/docs/operations.md", text = page();
  if (std::getenv("CADENA_WRITE_DOCS")) std::ofstream(path) << text;
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_TRUE(content.str() == text) << path << " differs: CADENA_WRITE_DOCS=1 ./run test -R OperationsPage";
}

}  // namespace
}  // namespace cadena
