#include "autodiff/build_info.hpp"

#include <fstream>
#include <xsimd/xsimd.hpp>
#if __has_include(<xtensor/core/xtensor_config.hpp>)
#include <xtensor/core/xtensor_config.hpp>
#else
#include <xtensor/xtensor_config.hpp>
#endif

#include "autodiff/parallel.hpp"

namespace cadena {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string compiler() {
#if defined(__clang__)
  return "clang " + dotted(__clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return "g++ " + dotted(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

std::string optimisation() {
#if defined(__OPTIMIZE__)
  std::string text = "optimised";
#else
  std::string text = "not optimised";
#endif
#if !defined(NDEBUG)
  text += ", assertions";
#endif
#if defined(__SANITIZE_ADDRESS__)
  text += ", address sanitizer";
#endif
#if defined(__SANITIZE_THREAD__)
  text += ", thread sanitizer";
#endif
  return text;
}

std::string simd() {
  using Arch = xsimd::default_arch;
  return std::string(Arch::name()) + ", " + std::to_string(xsimd::batch<float>::size) +
         " floats wide (xsimd " + dotted(XSIMD_VERSION_MAJOR, XSIMD_VERSION_MINOR, XSIMD_VERSION_PATCH) + ")";
}

std::string threads() {
  std::string text = std::to_string(num_threads());
#ifdef _OPENMP
  text += " (OpenMP " + std::to_string(_OPENMP) + ")";
#else
  text += " (built without OpenMP)";
#endif
  return text;
}

std::string cpu() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> library_report() {
  return {{"Cadena", CADENA_VERSION},
          {"compiler", compiler() + ", " + optimisation()},
          {"SIMD", simd()},
          {"xtensor", dotted(XTENSOR_VERSION_MAJOR, XTENSOR_VERSION_MINOR, XTENSOR_VERSION_PATCH)},
          {"threads", threads()},
          {"CPU", cpu()}};
}

}  // namespace cadena
