# The four kinds of target there are. Each takes the same words, so that a component's CMakeLists.txt is a table.

add_library(protector_warnings INTERFACE)
target_compile_options(protector_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)
# g++ 12 with optimisation finds overlapping copies inside std::string where there are none (GCC bug 105651).
target_compile_options(protector_warnings INTERFACE -Wno-restrict)
if(PROTECTOR_SANITIZE)
  # g++ 12 takes the checks that a sanitizer puts in for paths on which a std::variant or optional is not initialised.
  target_compile_options(protector_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(protector_warnings INTERFACE -Wno-error)  # only for fuzzing; what is shipped is g++'s
endif()

# Catch2's main costs seconds to compile; it is compiled once.
file(WRITE ${CMAKE_BINARY_DIR}/catch_main.cc "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n")
add_library(protector_catch_main OBJECT ${CMAKE_BINARY_DIR}/catch_main.cc)
target_link_libraries(protector_catch_main PUBLIC Catch2::Catch2)

# protector_library(NAME SOURCES a.cc ... LIBS public dependencies ... [PRIVATE private dependencies ...])
# Headers are included from the root of the tree: #include "libs/base/clock.h".
function(protector_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LIBS} PRIVATE ${ARG_PRIVATE} protector_warnings)
endfunction()

# protector_program(NAME SOURCES main.cc LIBS ...)  ->  bin/NAME
function(protector_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} protector_warnings)
endfunction()

# protector_test(NAME SOURCES x_test.cc ... LIBS ...): one Catch2 program, each TEST_CASE known to ctest by name.
function(protector_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} protector_catch_main Catch2::Catch2 protector_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  catch_discover_tests(${name} TEST_PREFIX "${name}: " PROPERTIES TIMEOUT 120)
endfunction()
