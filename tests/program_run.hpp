// Running a program as its users do: in a folder of its own, with its output caught.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace cadena::examples {

inline std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first line of `text` with `part` in it; empty if there is none.
inline std::string line_with(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  if (at == std::string::npos) return {};
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

inline std::ptrdiff_t count(const std::string& text, const std::string& part) {
  std::ptrdiff_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

inline std::ptrdiff_t lines(const std::string& text) { return count(text, "\n"); }

/// Every line fits a terminal of 80 columns.
inline void expect_narrow(const std::string& text) {
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    EXPECT_LT(end - at, 80U) << text.substr(at, end - at);
  }
}

class ProgramTest : public testing::Test {
 protected:
  struct Result {
    int exit_code = -1;
    std::string out, err;
  };

  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cadena-program-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// Runs `program` in `folder`; `arguments` begin with its name.
  Result run(const char* program, std::vector<std::string> arguments) const {
    return wait_for(start(program, std::move(arguments)));
  }

  /// The same, with a Ctrl-C once it has printed `sign`.
  Result run_and_interrupt(const char* program, std::vector<std::string> arguments,
                           const std::string& sign) const {
    const pid_t child = start(program, std::move(arguments));
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0 && read(folder / "stdout").find(sign) == std::string::npos)
      ::usleep(1000);
    ::kill(child, SIGINT);
    return wait_for(child);
  }

  std::filesystem::path folder;

 private:
  pid_t start(const char* program, std::vector<std::string> arguments) const {
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const std::string place = folder.string(), out = place + "/stdout", err = place + "/stderr";
    std::filesystem::remove(out);  // that of the run before
    const pid_t child = ::fork();
    if (child == 0) {
      const bool ready =
          ::chdir(place.c_str()) == 0 && redirect(out, STDOUT_FILENO) && redirect(err, STDERR_FILENO);
      if (ready) ::execv(program, pointers.data());
      ::_exit(127);
    }
    return child;
  }

  Result wait_for(pid_t child) const {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder / "stdout"), read(folder / "stderr")};
  }

  static bool redirect(const std::string& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    return file >= 0 && ::dup2(file, descriptor) == descriptor;
  }
};

}  // namespace cadena::examples
