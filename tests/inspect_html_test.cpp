// The page of to_html: what stands in it; and, in the thorough tier, what a real browser makes of it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "autodiff/inspect.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

int count(const std::string& text, const std::string& part) {
  int times = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// The graph as the page's script reads it.
json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const auto begin = page.find(open) + open.size();
  return json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

/// tanh neuron: w = 0.5, x = 2, b = -1, t = 1, so z = 0, y = 0, loss = 1, dloss/dy = -2, dloss/dw = -4.
std::string neuron(const HtmlOptions& options = {}) {
  Tensor w = tensor(0.5, f64).requires_grad_(), b = tensor(-1.0, f64).requires_grad_();
  const Tensor in = tensor(2.0, f64), t = tensor(1.0, f64);
  const Tensor p = w * in, z = p + b, y = tanh(z), loss = square(y - t);
  return to_html(loss, {{"w", w}, {"b", b}, {"x", in}, {"t", t}, {"z", z}, {"y", y}}, options);
}

/// A layer with matrices, a loss by a rule, and a weight that is used twice.
std::string network() {
  manual_seed(3);
  nn::Sequential net(nn::Linear(3, 4), nn::Tanh(), nn::Linear(4, 2));
  const Tensor in = randn({5, 3}), target = randint(0, 2, {5});
  Trace trace;
  const Tensor loss = cross_entropy(net(in), target) + 0.1 * sum(square(net.at<nn::Linear>(0).weight));
  TensorNames names(net.named_parameters());
  return to_html(loss, names.add("x", in));
}

TEST(InspectHtml, HoldsTheGraph) {
  const auto data = data_of(neuron());
  ASSERT_EQ(data["nodes"].size(), 9u);
  EXPECT_EQ(data["nodes"][static_cast<std::size_t>(data["output"])]["name"], "loss");
  const auto node = [&](const std::string& name) {
    for (const auto& n : data["nodes"])
      if (n["name"] == name) return n;
    return json();
  };
  EXPECT_EQ(node("w")["kind"], "leaf");
  EXPECT_EQ(node("x")["kind"], "constant");
  EXPECT_EQ(node("w")["grad"], (json{{"shape", json::array()}, {"v", {"-4"}}}));
  EXPECT_EQ(node("y")["formula"], "tanh(z)");
  EXPECT_EQ(node("y")["numbers"], "tanh(0)");
  EXPECT_EQ(node("y")["op"], "tanh");
  const json input = node("y")["inputs"][0];
  EXPECT_EQ(input["derivative"], "1 - y^2");
  EXPECT_EQ(input["numbers"], "1 - 0^2");
  EXPECT_EQ(input["local"]["v"][0], "1");
  EXPECT_EQ(input["product"]["v"][0], "-2");
  EXPECT_EQ(data["nodes"][static_cast<std::size_t>(input["source"])]["name"], "z");
  EXPECT_EQ(data["arrows"].size(), 8u);
}

TEST(InspectHtml, PlacesStayInsideAndApart) {
  for (const auto& page : {neuron(), network()}) {
    const auto data = data_of(page);
    const double w = data["box"]["width"], h = data["box"]["height"];
    for (const char* direction : {"right", "down"}) {
      const auto& layout = data[direction];
      ASSERT_EQ(layout["places"].size(), data["nodes"].size());
      ASSERT_EQ(layout["points"].size(), data["arrows"].size());
      for (std::size_t i = 0; i < layout["places"].size(); ++i) {
        const double x = layout["places"][i][0], y = layout["places"][i][1];
        EXPECT_TRUE(x >= w / 2 && y >= h / 2 && x + w / 2 <= layout["width"] &&
                    y + h / 2 <= layout["height"]);
        for (std::size_t j = 0; j < i; ++j)
          EXPECT_TRUE(std::abs(x - double(layout["places"][j][0])) >= w ||
                      std::abs(y - double(layout["places"][j][1])) >= h)
              << direction << " " << i << " and " << j;
      }
    }
  }
}

TEST(InspectHtml, LoadsNothing) {
  const auto page = network();
  for (const char* loader :
       {"src=", "src =", "href", "@import", "url(\"", "url('", "fetch(", "XMLHttpRequest", "import("})
    EXPECT_EQ(page.find(loader), page.npos) << loader;
  EXPECT_EQ(count(page, "://"), count(page, "\"http://www.w3.org/2000/svg\""))
      << "an address besides SVG's name";
  EXPECT_EQ(page.find("{{"), page.npos) << "every field is filled";
  EXPECT_EQ(page.find("innerHTML"), page.npos) << "text stays text";
}

TEST(InspectHtml, EscapesNames) {
  const std::string evil = "</script><b>&amp;\"'\\\n\x01", cut = "caf\xC3", surrogate = "\xED\xA0\x80",
                    accents = "señal_ñ", overlong = "\xC0\xAF";
  Tensor a = tensor(1.0, f64).requires_grad_(), b = tensor(2.0, f64).requires_grad_(),
         c = tensor(3.0, f64).requires_grad_(), d = tensor(4.0, f64).requires_grad_(),
         e = tensor(5.0, f64).requires_grad_();
  const Tensor f = a * b * c * d * e;
  const auto page =
      to_html(f, {{evil, a}, {cut, b}, {surrogate, c}, {accents, d}, {overlong, e}, {"<title>", f}});
  EXPECT_EQ(count(page, "</script>"), 2);
  EXPECT_EQ(count(page, "<b>"), 0);
  EXPECT_EQ(count(page, "<title>"), 1);
  EXPECT_EQ(count(page, "<title>&lt;title&gt;</title>"), 1);
  std::vector<std::string> names;
  const json data = data_of(page);
  for (const auto& node : data["nodes"])
    if (node["kind"] == "leaf") names.push_back(node["name"]);
  const std::string unknown = "\xEF\xBF\xBD";
  EXPECT_EQ(names, (std::vector<std::string>{evil, "caf" + unknown, unknown + unknown + unknown, accents,
                                             unknown + unknown}));
}

TEST(InspectHtml, SpeaksTwoLanguages) {
  EXPECT_EQ(count(neuron(), "<html lang=\"en\">"), 1);
  EXPECT_EQ(count(neuron({.language = Language::es}), "<html lang=\"es\">"), 1);
  Tensor a = tensor(1.0, f64).requires_grad_(), b = tensor(2.0, f64).requires_grad_();
  const auto derivative =
      data_of(to_html(maximum(a, b), {{"a", a}, {"b", b}}))["nodes"][2]["inputs"][0]["derivative"];
  EXPECT_NE(derivative["en"].get<std::string>().find(" if "), std::string::npos);
  EXPECT_NE(derivative["es"].get<std::string>().find(" si "), std::string::npos);
  Tensor m = full({10, 10}, 2.0, f64).requires_grad_();
  const auto value = data_of(to_html(sum(m), {{"m", m}}))["nodes"][0]["value"];
  EXPECT_EQ(value["text"]["en"], "mean 2, min 2, max 2, norm 20");
  EXPECT_EQ(value["text"]["es"], "media 2, mín 2, máx 2, norma 20");
  EXPECT_EQ(value["shape"], (json{10, 10}));
}

TEST(InspectHtml, OddGraphs) {
  Tensor w = tensor({1.0, std::nan(""), -INFINITY}, f64).requires_grad_();
  const auto page = to_html(w * 2, {{"w", w}}, {.seed = tensor({1.0, 1.0, 1.0}, f64)});
  EXPECT_EQ(data_of(page)["nodes"][0]["value"]["v"], (json{"1", "nan", "-inf"}));
  EXPECT_EQ(data_of(to_html(tensor(1.0).requires_grad_()))["nodes"].size(), 1u);
  Tensor none = zeros({0, 3}).requires_grad_();
  EXPECT_EQ(data_of(to_html(sum(none), {{"none", none}}))["nodes"][0]["value"]["v"], json::array());
  Tensor v = tensor(1.0, f64).requires_grad_();
  for (int i = 0; i < 100; ++i) v = v * 1.0;
  const auto data = data_of(to_html(v, {}, {.max_nodes = 10}));
  EXPECT_EQ(data["omitted"], 90);
  EXPECT_EQ(data["nodes"][0]["kind"], "omitted");
  // Without its constants the values are not known, and the page says so.
  Tensor u = tensor({1.0, 2.0}, f64).requires_grad_();
  EXPECT_TRUE(data_of(to_html(sum((u + 10) * 3)))["nodes"][2]["value"].is_null());
}

TEST(InspectHtml, WritesAFile) {
  const auto file =
      (fs::temp_directory_path() / ("cadena-page-" + std::to_string(::getpid()) + ".html")).string();
  Tensor w = tensor(3.0, f64).requires_grad_();
  const Tensor loss = w * w;
  to_html(loss, file, {{"w", w}}, {.digits = 3});
  std::ifstream in(file, std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(in), {}}), to_html(loss, {{"w", w}}, {.digits = 3}));
  fs::remove(file);
  EXPECT_THROW(to_html(loss, "/no/such/folder/page.html"), IoError);
  EXPECT_THROW(to_html(loss, {}, {.max_elements = 0}), ValueError);
  EXPECT_THROW(to_html(tensor(1.0)), GraphError);
}

// ---- In a browser. It is driven without further tools: a script behind the page's own presses its keys and
// buttons and writes down what it finds, and chromium prints the page as it is afterwards.

class InspectHtmlThorough : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
      if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0) {
        browser_ = name;
        break;
      }
    if (browser_.empty())
      FAIL() << "no chromium: ./run test --thorough installs it; by hand: apt install chromium";
    std::string name = (fs::temp_directory_path() / "cadena-browser-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  /// What `script` logged: `log(text)` adds a line, `state()` says where the page is. Lines hold no <, > or
  /// &.
  std::vector<std::string> in_browser(std::string page, const std::string& script, int width, int height,
                                      const std::string& address = "") {
    const std::string before = R"(<script>
      const lines = [], log = text => lines.push(String(text).replace(/[<>&\n]/g, "?"));
      addEventListener("error", event => log("error: " + event.message));
    </script>)";
    const std::string after = R"(<script>
      const press = (key, target) => (target || document.body).dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
      const ids = selector => [...document.querySelectorAll(selector)].map(e => nodes[Number(e.id.slice(4))].name).join(",");
      const state = () => [document.body.className, at("count").textContent, ids(".node.current"), ids(".node.beside")].join(" | ");
      const said = () => at("detail").textContent;
      const overflow = () => document.documentElement.scrollWidth - innerWidth;
      try { )" + script + R"( } catch (error) { log("error: " + error); }
      parent.postMessage(lines.join("\n"), "*");
    </script>)";
    page.insert(page.find("<head>") + 6, before);
    page.insert(page.find("</body>"), after);
    std::ofstream(folder_ / "page.html", std::ios::binary) << page;
    // No window of chromium is narrower than 500 pixels, but a frame within it may be.
    std::ofstream(folder_ / "frame.html")
        << R"(<!DOCTYPE html><script>
      addEventListener("message", event => {
        const result = document.createElement("pre");
        result.id = "result";
        result.textContent = event.data;
        document.body.append(result);
      });
    </script><body><iframe style="border: 0; width: )"
        << width << "px; height: " << height << "px\" src=\"page.html" << address << "\"></iframe></body>";
    const auto dom = dump();
    const std::string open = "<pre id=\"result\">";
    const auto begin = dom.find(open);
    EXPECT_NE(begin, dom.npos) << "the script did not end; chromium said:\n" << dom.substr(0, 2000);
    if (begin == dom.npos) return {};
    std::istringstream text(dom.substr(begin + open.size(), dom.find("</pre>", begin) - begin - open.size()));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      if (!line.empty()) lines.push_back(line);
    return lines;
  }

 private:
  std::string dump() const {
    const auto profile = (folder_ / ("profile" + std::to_string(++runs_))).string();
    const std::string command =
        "timeout 120 " + browser_ +
        " --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        " --disable-component-update --disable-sync --virtual-time-budget=3000 --window-size=2000,1200"
        " --user-data-dir='" +
        profile + "' --dump-dom 'file://" + (folder_ / "frame.html").string() + "' 2>/dev/null";
    std::string out;
    if (FILE* pipe = ::popen(command.c_str(), "r")) {
      char buffer[4096];
      while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
      ::pclose(pipe);
    }
    return out;
  }

  std::string browser_;
  fs::path folder_;
  mutable int runs_ = 0;
};

TEST_F(InspectHtmlThorough, KeysButtonsAndSliderStep) {
  const auto lines = in_browser(neuron(), R"(
    log(state());
    press("ArrowRight"); log(state());
    press("PageDown"); log(state());
    press("ArrowLeft"); log(state());
    press("Home"); press("ArrowLeft"); log(state());
    press("End"); press("ArrowRight"); log(state());
    at("back").click(); log(state());
    at("first").click(); at("next").click(); log(state());
    at("last").click(); log(state() + " " + at("next").disabled + " " + at("back").disabled);
    at("slider").value = 6; at("slider").dispatchEvent(new Event("input")); log(state());
    log(location.hash.replace("&", " "));
    at("node3").dispatchEvent(new MouseEvent("click")); log(state());
    show(2); document.getElementById("node5").dispatchEvent(new MouseEvent("click")); log(state());
  )",
                                1280, 720);
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "forward | 1 / 13 | w,b,x,t | ",
                       "forward | 2 / 13 | v1 | w,x",
                       "forward | 3 / 13 | z | b,v1",
                       "forward | 2 / 13 | v1 | w,x",
                       "forward | 1 / 13 | w,b,x,t | ",
                       "backward | 13 / 13 | w,b | ",
                       "backward | 12 / 13 | v1 | w",
                       "forward | 2 / 13 | v1 | w,x",
                       "backward | 13 / 13 | w,b |  true false",
                       "backward | 7 / 13 | loss | ",
                       "#step=7 language=en",
                       "backward | 12 / 13 | v1 | w",
                       "forward | 4 / 13 | y | z",
                   }));
}

TEST_F(InspectHtmlThorough, SaysSymbolsAndNumbersInBothLanguages) {
  const auto lines = in_browser(neuron(), R"(
    for (const language of ["en", "es"]) {
      document.querySelector("[data-language=" + language + "]").click();
      log(document.documentElement.lang + " " + at("phase").textContent);
      for (const i of [0, 3, 6, 9, 12]) { show(i); log(said()); }
      log(at("node5").querySelector(".value").textContent + " " + at("node5").querySelector(".grad").textContent);
      show(0);
    }
  )",
                                1280, 720, "#language=es");
  ASSERT_EQ(lines.size(), 14u);
  EXPECT_EQ(lines[0], "en Forward");
  EXPECT_EQ(lines[1], "What goes inw0.5asks for a gradientb−1asks for a gradientx2constantt1constant");
  EXPECT_EQ(lines[2], "y = tanh(z)tanhz=0y=tanh(0)=0");
  EXPECT_EQ(lines[3],
            "The gradient starts here∂loss∂loss=1"
            "The output changes as much as itself. From here the gradient goes back along the arrows.");
  EXPECT_EQ(lines[4],
            "Back through y = tanh(z)upstream gradient∂loss∂y=−2goes to z"
            "local derivative∂y∂z=1 − y2=1 − 02=1product∂loss∂z=∂loss∂y·∂y∂z=−2 · 1=−2");
  EXPECT_EQ(lines[5], "The gradients∂loss∂w−4w = 0.5∂loss∂b−2b = −1");
  EXPECT_EQ(lines[6], "0 ∂ −2");
  EXPECT_EQ(lines[7], "es Hacia delante");
  EXPECT_EQ(lines[11],
            "Hacia atrás por y = tanh(z)gradiente recibido∂loss∂y=−2va a z"
            "derivada local∂y∂z=1 − y2=1 − 02=1producto∂loss∂z=∂loss∂y·∂y∂z=−2 · 1=−2");
  EXPECT_EQ(lines[12], "Los gradientes∂loss∂w−4w = 0.5∂loss∂b−2b = −1");
}

TEST_F(InspectHtmlThorough, OpensWhereTheAddressSays) {
  const auto lines = in_browser(neuron(), R"(
    log(state() + " " + document.documentElement.lang);
    location.hash = "#step=999&language=en"; dispatchEvent(new HashChangeEvent("hashchange")); log(state() + " " + document.documentElement.lang);
    location.hash = "#step=x&language=klingon"; dispatchEvent(new HashChangeEvent("hashchange")); log(state() + " " + document.documentElement.lang);
  )",
                                1280, 720, "#step=5&language=es");
  EXPECT_EQ(lines,
            (std::vector<std::string>{"forward | 5 / 13 | v2 | y,t es", "backward | 13 / 13 | w,b |  en",
                                      "backward | 13 / 13 | w,b |  en"}));
}

/// Every step of every page fits: nothing sticks out of the window sideways, the current box is in sight, and
/// no text runs out of its box.
TEST_F(InspectHtmlThorough, FitsPhonesAndProjectors) {
  const std::string script = R"(
    const seen = box => {
      const a = box.getBoundingClientRect(), b = graph.getBoundingClientRect();
      return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    };
    const room = data.box.width * scale;
    for (let i = 0; i < steps.length; ++i) {
      show(i);
      if (overflow() > 0) log("step " + i + " is " + overflow() + " too wide");
      const current = document.querySelector(".node.current .box");
      if (!seen(current)) log("step " + i + ": the current node is out of sight");
      document.querySelectorAll(".node text").forEach(text => {
        if (text.getBoundingClientRect().width > room) log("step " + i + ": too long for its box: " + text.textContent);
      });
      for (const id of ["first", "back", "next", "last", "count"])
        if (at(id).getBoundingClientRect().right > innerWidth || at(id).getBoundingClientRect().bottom > innerHeight) log(id + " is out of sight");
    }
    log(innerWidth);
  )";
  for (const auto& page : {neuron(), network()}) {
    for (const auto& [width, height] : {std::pair{390, 800}, {1024, 768}, {1920, 1080}}) {
      const auto lines = in_browser(page, script, width, height);
      ASSERT_FALSE(lines.empty());
      EXPECT_EQ(lines, std::vector<std::string>{std::to_string(width)}) << height;
    }
  }
}

TEST_F(InspectHtmlThorough, ShowsHostileNamesAsText) {
  Tensor w = tensor(1.0, f64).requires_grad_();
  const std::string evil = "<img src=x onerror=log('hit')>";
  const auto lines = in_browser(to_html(w * 2, {{evil, w}}), R"(
    for (let i = 0; i < steps.length; ++i) show(i);
    log(document.images.length + " " + document.querySelectorAll("script").length);
    show(0); log(said().includes(nodes[0].name));
  )",
                                1280, 720);
  EXPECT_EQ(lines, (std::vector<std::string>{"0 4", "true"}));
}

}  // namespace
}  // namespace cadena
