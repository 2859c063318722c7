# Options, and the flags every target of ours is compiled with.
option(EQUIV_BUILD_TESTS "Build the test suites" ${PROJECT_IS_TOP_LEVEL})
option(EQUIV_BUILD_BENCHMARKS "Build suites/bench" ${PROJECT_IS_TOP_LEVEL})
option(EQUIV_WITH_ONEDNN "Build the oneDNN backend when the library is found" ON)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(EQUIV_CCACHE ccache)
if(EQUIV_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${EQUIV_CCACHE})
endif()

# Two warnings are off because gcc 12 raises them inside its own std::string and std::map (its bugs 105329 and 105562).
# Bits are the product: no contraction into fused multiply-adds, no value-changing optimisation, ever.
set(EQUIV_COMPILE_FLAGS -ffp-contract=off -fno-fast-math -Wall -Wextra -Wconversion -Wno-sign-conversion -Wno-restrict -Wno-maybe-uninitialized -Werror)
