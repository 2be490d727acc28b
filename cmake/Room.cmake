# Compiled once for all rooms and tests: standard headers and fmt, which two thirds of the files include anyway.
# Every file still includes what it uses; this only saves time.
set(COMMON_HEADERS <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <functional> <map> <memory> <optional>
    <span> <string> <string_view> <vector> <fmt/format.h>)
file(WRITE ${PROJECT_BINARY_DIR}/common_headers.cpp "")
add_library(parley_common_headers OBJECT ${PROJECT_BINARY_DIR}/common_headers.cpp)
target_link_libraries(parley_common_headers PRIVATE fmt::fmt Threads::Threads)
target_precompile_headers(parley_common_headers PRIVATE ${COMMON_HEADERS})

# The tests' own: the same and GoogleTest.
if(PARLEY_TESTS)
  # What they wait for is in the rooms; compiled so, they are there a quarter sooner, and under the sanitizers in a third
  # of the time.
  set(TEST_OPTIONS $<$<CONFIG:Release>:-O1> $<$<CONFIG:RelWithDebInfo>:-O0>)
  find_package(GTest REQUIRED)
  add_library(parley_test_headers OBJECT ${PROJECT_BINARY_DIR}/common_headers.cpp)
  target_link_libraries(parley_test_headers PRIVATE fmt::fmt Threads::Threads GTest::gtest GTest::gmock)
  target_compile_options(parley_test_headers PRIVATE ${TEST_OPTIONS})
  target_precompile_headers(parley_test_headers PRIVATE ${COMMON_HEADERS} <gtest/gtest.h> <gmock/gmock.h>)
endif()

# parley_room(<name> [ROOMS <room>...] [LIBRARIES <target>...])
# One folder under src/ is one room: a static library parley_<name> and the namespace parley::<name>.
function(parley_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(parley_${name} STATIC ${sources})
  target_precompile_headers(parley_${name} REUSE_FROM parley_common_headers)
  target_include_directories(parley_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  foreach(room IN LISTS ROOM_ROOMS)
    target_link_libraries(parley_${name} PUBLIC parley_${room})
  endforeach()
  target_link_libraries(parley_${name} PUBLIC ${ROOM_LIBRARIES})
endfunction()

# parley_builds(<target> <label>...): the targets <label>-tests build it.
function(parley_builds target)
  foreach(label IN LISTS ARGN)
    add_dependencies(${label}-tests ${target})
  endforeach()
endfunction()

# parley_test(<room> LABELS <label>... [LIBRARIES <target>...] [TOGETHER]): all of tests/<room>/*_test.cpp as one
# GoogleTest binary, test_<room>, that the target <label>-tests of each label builds. TOGETHER: six files are compiled as
# one, so that what they all include is read once; no two of the room's files may name something alike then.
function(parley_test room)
  cmake_parse_arguments(TEST "TOGETHER" "" "LABELS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  if(TEST_TOGETHER)
    set_target_properties(test_${room} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
  endif()
  target_compile_options(test_${room} PRIVATE ${TEST_OPTIONS})
  target_precompile_headers(test_${room} REUSE_FROM parley_test_headers)
  target_include_directories(test_${room} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${room} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main ${TEST_LIBRARIES})
  target_compile_definitions(test_${room} PRIVATE
    PARLEY_VECTORS="${PROJECT_SOURCE_DIR}/tests/vectors" PARLEY_SOURCE="${PROJECT_SOURCE_DIR}"
    PARLEY_PROGRAM="$<TARGET_FILE:parley>")
  add_test(NAME ${room} COMMAND test_${room})
  set_tests_properties(${room} PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT 1800)
  parley_builds(test_${room} ${TEST_LABELS})
endfunction()
