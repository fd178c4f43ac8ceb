# How this project makes its libraries and programs. Sources are globbed with CONFIGURE_DEPENDS: a new file needs no
# edit here, and the build notices it by itself.

# Flags of Cadena's own code. They are PRIVATE everywhere: a user's target never sees them.
function(cadena_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion
    # errno and floating-point traps are not part of any contract here, and they keep loops scalar. -ffast-math would
    # break NaN handling and the fixed order of reductions.
    -fno-math-errno -fno-trapping-math)
  # False alarms of g++ 12: the deliberately undefined operands of AVX-512 intrinsics (GCC bug 105593), and literal +
  # std::string (105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-uninitialized -Wno-maybe-uninitialized -Wno-restrict)
    # With AVX its SLP vectorizer stores {100, 100, 0, 0} as four times 100 (seen with 12.2 in a test). Our loops are
    # vectorized by hand or by the loop vectorizer, so nothing is lost.
    target_compile_options(${target} PRIVATE -fno-tree-slp-vectorize)
  endif()
  # Library, tests, benchmarks and examples must agree: the SIMD width is part of the types in elementwise.hpp.
  if(CADENA_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  elseif(CADENA_V3)
    target_compile_options(${target} PRIVATE -march=x86-64-v3)
  endif()
  if(CADENA_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${CADENA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${CADENA_SANITIZE})
  endif()
  if(CADENA_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PUBLIC --coverage)
  endif()
endfunction()

set(CADENA_STANDARD_HEADERS <algorithm> <array> <cmath> <cstdint> <functional> <limits> <map> <memory> <optional> <span>
                            <string> <string_view> <utility> <vector>)
set(CADENA_FRONT_HEADERS ${CADENA_STANDARD_HEADERS} <filesystem> <sstream> <autodiff/autodiff.hpp>)
set(CADENA_PROGRAM_HEADERS ${CADENA_FRONT_HEADERS} <data/data.hpp> <nn/nn.hpp> <optim/optim.hpp> <plot/plot.hpp>
                           <train/train.hpp>)

# cadena_precompiled(group target headers...): `target` reads these headers in precompiled form; parsing them took two
# fifths of the compiler's time. The targets of a group have the same flags and share one file. Sources still include
# what they use: the presets that do without (dev and those made from it) find what is missing, and so does
# ./run test --thorough.
function(cadena_precompiled group target)
  if(NOT PROJECT_IS_TOP_LEVEL)
    return()  # a user's compiler cache need not be set up for it
  endif()
  # False alarms of g++ 12 about std::string + std::string (105329), which it then forgets to be in a system header.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13
     AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    target_compile_options(${target} PRIVATE -Wno-stringop-overflow -Wno-array-bounds)
  endif()
  get_property(owner GLOBAL PROPERTY cadena_precompiled_${group})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
    set_property(GLOBAL PROPERTY cadena_precompiled_${group} ${target})
  endif()
endfunction()

# cadena_library(name): all *.cpp of the current folder become cadena::<name>.
function(cadena_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  if(NOT sources)
    message(STATUS "cadena::${name} has no sources yet")
    return()
  endif()
  add_library(cadena_${name} STATIC ${sources})
  add_library(cadena::${name} ALIAS cadena_${name})
  set_target_properties(cadena_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_include_directories(cadena_${name} PUBLIC
    $<BUILD_INTERFACE:${cadena_SOURCE_DIR}> $<INSTALL_INTERFACE:include/cadena>)
  cadena_flags(cadena_${name})
endfunction()

# cadena_support(name): the *.cpp of the folder support/, shared by the programs beside it.
function(cadena_support name)
  file(GLOB sources CONFIGURE_DEPENDS support/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARGN})
  cadena_flags(${name})
endfunction()

# cadena_program(name source libraries...)
function(cadena_program name source)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARGN})
  cadena_flags(${name})
endfunction()

# While the project is young a library may still be empty; whoever links it then simply gets nothing.
set(CADENA_LIBRARIES)
foreach(name train plot nn optim data autodiff)
  list(APPEND CADENA_LIBRARIES $<TARGET_NAME_IF_EXISTS:cadena_${name}>)
endforeach()
